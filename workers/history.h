/*
 * history - the recent ticks of one symbol, in log order, bounded: what a cancelled
 * trade or a late quote is looked up in.
 *
 * The ring begins small and doubles up to its bound, so that ten thousand quiet symbols
 * cost little.  When memory is short it stays as it is: then it merely reaches back
 * less far, which history_reaches() tells.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where a tick stands among the ticks of its symbol. */
struct tick_key {
	int64_t event_ns;
	uint64_t source_seq;
	uint64_t pos;
};

static inline bool tick_key_before(const struct tick_key *a, const struct tick_key *b)
{
	if (a->event_ns != b->event_ns)
		return a->event_ns < b->event_ns;
	if (a->source_seq != b->source_seq)
		return a->source_seq < b->source_seq;
	return a->pos < b->pos;
}

struct past {
	struct tick_key key;
	int64_t price_e9; /* a quote: bid */
	int64_t size_e8;  /* a quote: ask, e9; VALUE_NULL: none */
	uint16_t source_id;
	uint8_t flags; /* TICK_NO_x of a trade */
	bool withdrawn;
	bool unused; /* outside of the session: it made nothing */
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct past) == 48, "sizes the history of every symbol");

struct history {
	struct past *slot; /* owned */
	uint64_t n;        /* ever added */
	uint32_t cap;      /* power of two, or 0 */
	uint32_t max;
};

/** @max is rounded up to a power of two, at least 16. */
void history_init(struct history *h, uint32_t max);
void history_deinit(struct history *h);
/** NULL without any memory at all. */
struct past *history_add(struct history *h, const struct past *p);

static inline uint32_t history_held(const struct history *h)
{
	return h->n < h->cap ? (uint32_t)h->n : h->cap;
}

/** @i from 0, the oldest held. */
static inline struct past *history_at(const struct history *h, uint32_t i)
{
	return &h->slot[(h->n - history_held(h) + i) & (h->cap - 1)];
}

/** The newest one of this source's sequence, or NULL. */
struct past *history_find(const struct history *h, uint16_t source_id,
			  uint64_t source_seq);
/** Every tick added at or after log position @pos is still held. */
bool history_reaches(const struct history *h, uint64_t pos);
