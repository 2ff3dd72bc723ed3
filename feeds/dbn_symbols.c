/*
 * dbn_symbols - a sorted array of spans, and one open-addressing table for channels and
 * names.  A name's key lies above all those of channels.
 */
#include "feeds/dbn_symbols.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64
#define NAME_KEY  (UINT64_C(1) << 48)
/* How far back a lookup goes among overlapping spans of one number. */
#define OVERLAP_MAX 8

struct span {
	int64_t from_ns, to_ns;
	uint32_t instrument;
	uint32_t order; /* of its coming: qsort() is not stable */
	bool is_valid;
	char symbol[SYMBOL_MAX];
};

struct dbn_symbols {
	struct buf spans;          /* struct span */
	struct dbn_channel *slots; /* owned, n_slots: a power of two */
	uint32_t n_slots;
	uint32_t used;
	uint32_t limit;
	uint32_t generation;
	bool has_all;
	char all[SYMBOL_MAX];
};

int dbn_symbols_new(uint32_t limit, struct dbn_symbols **out)
{
	struct dbn_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(-ENOMEM, "no memory for the symbols of a DBN stream");
	s->slots = calloc(SLOTS_MIN, sizeof(*s->slots));
	if (!s->slots) {
		free(s);
		return err_set(-ENOMEM, "no memory for the symbols of a DBN stream");
	}
	s->n_slots = SLOTS_MIN;
	s->limit = limit;
	s->generation = 1;
	*out = s;
	return 0;
}

void dbn_symbols_free(struct dbn_symbols *s)
{
	if (!s)
		return;
	buf_free(&s->spans);
	free(s->slots);
	free(s);
}

/* Names that are not ours are kept as far as they go, for the sentence about them. */
static bool take_symbol(char out[SYMBOL_MAX], const char *text, size_t len)
{
	memset(out, 0, SYMBOL_MAX);
	memcpy(out, text, len < SYMBOL_MAX ? len : SYMBOL_MAX);
	return symbol_valid(text, len);
}

void dbn_symbols_add(struct dbn_symbols *s, uint32_t instrument, int64_t from_ns,
		     int64_t to_ns, const char *text, size_t len)
{
	struct span span = {.from_ns = from_ns,
			    .to_ns = to_ns,
			    .instrument = instrument,
			    .order = (uint32_t)(s->spans.len / sizeof(span))};

	span.is_valid = take_symbol(span.symbol, text, len);
	buf_add(&s->spans, &span, sizeof(span));
}

/* The first of equal beginnings comes last: it is what a search from behind meets. */
static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->instrument != y->instrument)
		return x->instrument < y->instrument ? -1 : 1;
	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return x->order > y->order ? -1 : x->order < y->order;
}

void dbn_symbols_sort(struct dbn_symbols *s)
{
	size_t n = s->spans.len / sizeof(struct span);

	if (n > 1)
		qsort(s->spans.data, n, sizeof(struct span), by_start);
}

void dbn_symbols_all(struct dbn_symbols *s, const char *text)
{
	s->has_all = take_symbol(s->all, text, strlen(text));
}

/* Where @key is, or the free slot where it belongs. */
static struct dbn_channel *slot_of(struct dbn_channel *slots, uint32_t n, uint64_t key)
{
	uint32_t i = (uint32_t)hash_mix(key) & (n - 1);

	while (slots[i].generation != 0 && slots[i].key != key)
		i = (i + 1) & (n - 1);
	return &slots[i];
}

static int grow(struct dbn_symbols *s)
{
	uint32_t n = s->n_slots * 2;
	struct dbn_channel *bigger = calloc(n, sizeof(*bigger));

	if (!bigger)
		return err_set(-ENOMEM, "no memory for %u instruments", n / 2);
	for (uint32_t i = 0; i < s->n_slots; i++)
		if (s->slots[i].generation != 0)
			*slot_of(bigger, n, s->slots[i].key) = s->slots[i];
	free(s->slots);
	s->slots = bigger;
	s->n_slots = n;
	return 0;
}

/* The slot of @key, taken if it was free; the caller sets its generation. */
static int slot_take(struct dbn_symbols *s, uint64_t key, struct dbn_channel **out)
{
	struct dbn_channel *c = slot_of(s->slots, s->n_slots, key);

	if (c->generation == 0) {
		if (s->used >= s->limit)
			return err_set(-E2BIG,
				       "the stream has more than %u instruments",
				       s->limit);
		if (s->used >= s->n_slots / 2) {
			int rc = grow(s);

			if (rc < 0)
				return rc;
			c = slot_of(s->slots, s->n_slots, key);
		}
		*c = (struct dbn_channel){.key = key, .generation = 1};
		s->used++;
	}
	*out = c;
	return 0;
}

int dbn_symbols_set(struct dbn_symbols *s, uint32_t instrument, const char *text,
		    size_t len)
{
	struct dbn_channel *c;
	int rc = slot_take(s, NAME_KEY | instrument, &c);

	if (rc < 0)
		return rc;
	c->is_valid = take_symbol(c->symbol, text, len);
	/* Channels look again; after 4 billion renamings 0 must not come up. */
	s->generation = s->generation == UINT32_MAX ? 1 : s->generation + 1;
	return 0;
}

/* The span of @instrument at @ns, into @out as far as no other one takes over. */
static const struct span *span_at(const struct dbn_symbols *s, uint32_t instrument,
				  int64_t ns, struct dbn_channel *out)
{
	const struct span *spans = (const void *)s->spans.data;
	size_t n = s->spans.len / sizeof(*spans), low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spans[mid].instrument < instrument ||
		    (spans[mid].instrument == instrument && spans[mid].from_ns <= ns))
			low = mid + 1;
		else
			high = mid;
	}
	out->from_ns = INT64_MIN;
	out->to_ns = INT64_MAX;
	if (low < n && spans[low].instrument == instrument)
		out->to_ns = spans[low].from_ns;
	for (size_t i = low, steps = 0; i > 0 && steps < OVERLAP_MAX; i--, steps++) {
		const struct span *span = &spans[i - 1];

		if (span->instrument != instrument)
			return NULL;
		if (ns >= span->to_ns) { /* over already: it ends the one below */
			if (span->to_ns > out->from_ns)
				out->from_ns = span->to_ns;
			continue;
		}
		if (span->from_ns > out->from_ns)
			out->from_ns = span->from_ns;
		if (span->to_ns < out->to_ns)
			out->to_ns = span->to_ns;
		return span;
	}
	return NULL;
}

/* What a channel's number is called at @ns, into @out but for its key and ordinals. */
static bool resolve(struct dbn_symbols *s, uint32_t instrument, int64_t ns,
		    struct dbn_channel *out)
{
	const struct dbn_channel *name =
		slot_of(s->slots, s->n_slots, NAME_KEY | instrument);
	const struct span *span;

	out->from_ns = INT64_MIN;
	out->to_ns = INT64_MAX;
	out->is_valid = true;
	if (s->has_all) {
		memcpy(out->symbol, s->all, SYMBOL_MAX);
		return true;
	}
	if (name->generation != 0) {
		out->is_valid = name->is_valid;
		memcpy(out->symbol, name->symbol, SYMBOL_MAX);
		return true;
	}
	span = span_at(s, instrument, ns, out);
	if (!span)
		return false;
	out->is_valid = span->is_valid;
	memcpy(out->symbol, span->symbol, SYMBOL_MAX);
	return true;
}

int dbn_symbols_find(struct dbn_symbols *s, uint16_t publisher, uint32_t instrument,
		     int64_t ns, struct dbn_channel **out)
{
	uint64_t key = (uint64_t)publisher << 32 | instrument;
	struct dbn_channel *c = slot_of(s->slots, s->n_slots, key), found;
	int rc;

	if (c->generation == s->generation && ns >= c->from_ns && ns < c->to_ns) {
		*out = c;
		return 0;
	}
	if (!resolve(s, instrument, ns, &found))
		return DBN_SYMBOLS_NONE;
	rc = slot_take(s, key, &c);
	if (rc < 0)
		return rc;
	c->from_ns = found.from_ns;
	c->to_ns = found.to_ns;
	c->is_valid = found.is_valid;
	memcpy(c->symbol, found.symbol, SYMBOL_MAX);
	c->generation = s->generation;
	*out = c;
	return 0;
}
