/*
 * slot - one bar while it may still change: what its ticks add up to, and what was
 * last published of it.
 *
 * Open and close belong to the smallest and the greatest tick key, high and low and all
 * sums are free of order, so any permutation of the same ticks ends in the same slot.
 * Volume and notional are exact: a trade's price times size fills up to 126 bits, so
 * the notional is kept as two sums, of the upper halves and of the lower 64 bits.
 */
#pragma once
#include "workers/clean.h"
#include "workers/grid.h"
#include "workers/history.h"
#include "workers/spread.h"

struct slot_edge {
	struct tick_key key;
	int64_t price_e9;
};

/** What was last said of a bar besides what its own ticks say. */
struct slot_said {
	struct clean_result clean;
	uint8_t state;
};

/* What every tick touches comes first: four cache lines. */
struct slot {
	struct span span;
	bool emitted;
	bool dirty;   /* its ticks changed since it was last published */
	bool partial; /* the first bar after the series began */
	bool hole;    /* nothing is computed across its start */
	bool halted;
	bool crossed;
	uint16_t late_ticks;
	uint16_t source_id; /* of the newest tick */
	uint32_t n_last;    /* ticks that may set open and close */
	uint32_t n_range;   /* ticks that may set high and low */
	uint32_t revision;
	int64_t high_e9;
	int64_t low_e9;
	struct slot_edge open;
	struct slot_edge close;
	uint64_t n_counted; /* ticks that count in volume and trade_count */
	uint64_t n_ticks;   /* ticks of the series, whatever they may do */
	uint64_t first_pos;
	uint64_t last_pos;
	int64_t newest_ns;
	__int128 volume;
	__int128 notional_upper; /* in units of 2^64 */
	unsigned __int128 notional_lower;
	struct slot_said said;
	struct spread spread;
};

static inline bool slot_missing(const struct slot *s)
{
	return s->n_last == 0 && s->n_range == 0;
}

/** Apply the trade, or a quote series' price, @p. */
void slot_add(struct slot *s, const struct past *p);
/** Add what @from adds up to: the same as its ticks one by one. */
void slot_merge(struct slot *s, const struct slot *from);
/** Take out what slot_add() of the same @p added to the sums; prices stay. */
void slot_subtract(struct slot *s, const struct past *p);
/** Taking @p out may change open, high, low or close. */
bool slot_leans_on(const struct slot *s, const struct past *p);
/** Open, high, low and close anew from the trades of @h. */
void slot_rebuild(struct slot *s, const struct history *h);
/** NaN without volume. */
double slot_vwap(const struct slot *s);
