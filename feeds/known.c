/* known - see known.h: a table with open addressing, at most three quarters full. */
#include "feeds/known.h"
#include "base/err.h"
#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024u

struct entry {
	uint64_t id; /* 0: free */
	int64_t event_ns;
	uint32_t refill;   /* the refill that `matched` belongs to */
	uint16_t have;     /* so many are in the log */
	uint16_t matched;  /* so many of them the refill has met */
	uint32_t refilled; /* so many came by refills and not yet by the stream */
	uint32_t unused;
};

struct known {
	struct entry *slots;
	size_t mask;
	size_t n, max;
	uint32_t refill;
	bool is_overfull;
};

uint64_t known_id(const char *symbol, const struct record *r)
{
	const int64_t values[] = {r->event_ns, r->price_e9,    r->size_e8,    r->bid_e9,
				  r->ask_e9,   r->bid_size_e8, r->ask_size_e8};
	uint64_t h = hash_bytes(HASH_SEED, symbol, strnlen(symbol, SYMBOL_MAX));
	uint64_t what = (uint64_t)record_action(r) << 1 | (r->price_e9 != VALUE_NULL);

	h = hash_mix(h ^ what << 60);
	if (r->source_seq != 0)
		h = hash_mix(h ^ r->source_seq);
	else
		h = hash_mix(hash_bytes(h, values, sizeof(values)));
	return h != 0 ? h : 1;
}

int known_new(size_t max, struct known **out)
{
	struct known *k = calloc(1, sizeof(*k));

	if (k != NULL)
		k->slots = calloc(SLOTS_MIN, sizeof(*k->slots));
	if (k == NULL || k->slots == NULL) {
		free(k);
		return err_set(-ENOMEM, "out of memory for the identities of ticks");
	}
	k->mask = SLOTS_MIN - 1;
	k->max = max;
	*out = k;
	return 0;
}

void known_free(struct known *k)
{
	if (k == NULL)
		return;
	free(k->slots);
	free(k);
}

size_t known_count(const struct known *k)
{
	return k->n;
}

bool known_is_overfull(const struct known *k)
{
	return k->is_overfull;
}

static struct entry *slot_of(struct known *k, uint64_t id)
{
	size_t i = id & k->mask;

	while (k->slots[i].id != 0 && k->slots[i].id != id)
		i = (i + 1) & k->mask;
	return &k->slots[i];
}

/* Into a table of @slots slots, only what @keep likes. */
static int rebuild(struct known *k, size_t slots,
		   bool (*keep)(void *arg, int64_t event_ns), void *arg)
{
	struct entry *was = k->slots, *fresh = calloc(slots, sizeof(*fresh));
	size_t n = k->mask + 1;

	if (fresh == NULL)
		return -ENOMEM;
	k->slots = fresh;
	k->mask = slots - 1;
	k->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (was[i].id == 0 || (keep != NULL && !keep(arg, was[i].event_ns)))
			continue;
		*slot_of(k, was[i].id) = was[i];
		k->n++;
	}
	free(was);
	return 0;
}

/* The entry of @id, made if there is room; NULL: there is none. */
static struct entry *get(struct known *k, uint64_t id, int64_t event_ns)
{
	struct entry *e = slot_of(k, id);

	if (e->id == id)
		return e;
	if (k->n >= k->max || ((k->n + 1) * 4 > (k->mask + 1) * 3 &&
			       rebuild(k, (k->mask + 1) * 2, NULL, NULL) != 0)) {
		k->is_overfull = true;
		return NULL;
	}
	e = slot_of(k, id);
	*e = (struct entry){.id = id, .event_ns = event_ns, .refill = k->refill};
	k->n++;
	return e;
}

static void have_one_more(struct entry *e)
{
	if (e->have < UINT16_MAX)
		e->have++;
}

void known_seed(struct known *k, uint64_t id, int64_t event_ns)
{
	struct entry *e = get(k, id, event_ns);

	if (e != NULL)
		have_one_more(e);
}

bool known_live(struct known *k, uint64_t id, int64_t event_ns)
{
	struct entry *e = get(k, id, event_ns);

	if (e == NULL)
		return false;
	if (e->refilled > 0) {
		e->refilled--;
		return true;
	}
	have_one_more(e);
	return false;
}

void known_refill_begin(struct known *k)
{
	k->refill++;
}

bool known_refill(struct known *k, uint64_t id, int64_t event_ns)
{
	struct entry *e = get(k, id, event_ns);

	if (e == NULL)
		return false;
	if (e->refill != k->refill) {
		e->refill = k->refill;
		e->matched = 0;
	}
	if (e->matched < e->have) {
		e->matched++;
		return true;
	}
	have_one_more(e);
	e->matched = e->have;
	e->refilled++;
	return false;
}

void known_keep(struct known *k, bool (*keep)(void *arg, int64_t event_ns), void *arg)
{
	size_t slots = SLOTS_MIN, n = 0;

	for (size_t i = 0; i <= k->mask; i++)
		n += k->slots[i].id != 0 && keep(arg, k->slots[i].event_ns);
	while (slots * 3 < n * 4 + 4)
		slots *= 2;
	if (rebuild(k, slots, keep, arg) == 0)
		k->is_overfull = false;
}
