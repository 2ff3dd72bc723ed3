/*
 * symtab - an open-addressing table of ids beside an array of names.
 *
 *	slot[hash & mask] -> id + 1 ----> name[id - first]     count
 *
 * The writer fills the name, then releases the slot, then releases the count.
 * A reader that finds an id in a slot has acquired its name; it still compares
 * with the count, so that "found" and "below symtab_count()" are the same fact.
 * Nothing is ever removed: a probe that meets an empty slot has seen them all.
 * The table has at least twice as many slots as names, so probes stay short.
 */
#include "bus/symtab.h"
#include "base/err.h"
#include "base/hash.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SYMTAB_MAX (1u << 28)

/* One more byte than a name: symtab_name() is a text even for 32 characters. */
struct name {
	char text[SYMTAB_NAME_MAX + 1];
	uint8_t len;
};

struct symtab {
	uint32_t first;
	uint32_t max;
	uint32_t mask;
	_Atomic uint32_t count; /* one past the highest id */
	struct name *names;     /* owned */
	_Atomic uint32_t *slot; /* owned; id + 1, 0 is empty */
};

static uint32_t slots_for(uint32_t max)
{
	uint32_t n = 16;

	while (n < 2 * max)
		n *= 2;
	return n;
}

int symtab_new(uint32_t max, uint32_t first_id, struct symtab **out)
{
	struct symtab *t;

	if (max == 0 || max > SYMTAB_MAX || first_id > SYMTAB_MAX)
		return err_set(-EINVAL, "a symbol table of %u names from id %u", max,
			       first_id);

	t = calloc(1, sizeof(*t));
	if (!t)
		goto fail;
	t->first = first_id;
	t->max = max;
	t->mask = slots_for(max) - 1;
	t->names = calloc(max, sizeof(*t->names));
	t->slot = calloc((size_t)t->mask + 1, sizeof(*t->slot));
	if (!t->names || !t->slot)
		goto fail;
	atomic_init(&t->count, first_id);

	*out = t;
	return 0;
fail:
	symtab_free(t);
	return err_set(-ENOMEM, "no memory for a symbol table of %u names", max);
}

void symtab_free(struct symtab *t)
{
	if (!t)
		return;
	free(t->names);
	free(t->slot);
	free(t);
}

/** The slot that holds the name or the empty one where it belongs. */
static uint32_t probe(const struct symtab *t, const char *name, size_t len,
		      uint32_t *out_id)
{
	uint32_t i = (uint32_t)hash_mix(hash_bytes(HASH_SEED, name, len)) & t->mask;

	for (;; i = (i + 1) & t->mask) {
		uint32_t v = atomic_load_explicit(&t->slot[i], memory_order_acquire);
		const struct name *n;

		*out_id = v - 1;
		if (v == 0)
			return i;
		n = &t->names[v - 1 - t->first];
		if (n->len == len && memcmp(n->text, name, len) == 0)
			return i;
	}
}

int symtab_add(struct symtab *t, const char *name, size_t len, uint32_t *out_id,
	       int *out_new)
{
	uint32_t count = atomic_load_explicit(&t->count, memory_order_relaxed);
	struct name *n;
	uint32_t id;
	uint32_t i;

	if (len == 0 || len > SYMTAB_NAME_MAX)
		return err_set(-EINVAL, "a name of %zu characters", len);

	i = probe(t, name, len, &id);
	if (id != UINT32_MAX) {
		*out_id = id;
		*out_new = 0;
		return 0;
	}
	if (count - t->first == t->max)
		return SYMTAB_FULL;

	n = &t->names[count - t->first];
	memcpy(n->text, name, len);
	n->len = (uint8_t)len;
	atomic_store_explicit(&t->slot[i], count + 1, memory_order_release);
	atomic_store_explicit(&t->count, count + 1, memory_order_release);

	*out_id = count;
	*out_new = 1;
	return 0;
}

int symtab_find(const struct symtab *t, const char *name, size_t len, uint32_t *out_id)
{
	uint32_t id;

	if (len == 0 || len > SYMTAB_NAME_MAX)
		return SYMTAB_UNKNOWN;
	(void)probe(t, name, len, &id);
	if (id == UINT32_MAX || id >= symtab_count(t))
		return SYMTAB_UNKNOWN;
	*out_id = id;
	return 0;
}

const char *symtab_name(const struct symtab *t, uint32_t id)
{
	static const char none[SYMTAB_NAME_MAX + 1];

	if (id < t->first || id >= symtab_count(t))
		return none;
	return t->names[id - t->first].text;
}

uint32_t symtab_count(const struct symtab *t)
{
	return atomic_load_explicit(&t->count, memory_order_acquire);
}
