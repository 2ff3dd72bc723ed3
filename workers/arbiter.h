/*
 * arbiter - which of a symbol's sources makes its bars: `tickers.X.sources`, the
 * preferred one first.
 *
 * Every source's ticks are logged and published; those of one, the chosen, are used.
 *
 *	chosen ── silent, poor or killed ──> the first of the list that is not
 *	   ^                                       |
 *	   └── a preferred one has been alive for source_return, and is fit ──┘
 *
 * killed   the kill switch holds the source
 * silent   no event of the source, of any symbol, for bars.source_timeout
 * poor     of its last ARBITER_RECENT ticks of this symbol half or more were bad: a
 *          crossed quote, or a price further than source_divergence from the median of
 *          the others' last prices (with one other: the one whose price moved away,
 *          unless the other follows).
 *          It is good again when at most an eighth are bad.
 *
 * If none is fit the chosen one stays.  Divergence is |price - chosen's price| /
 * chosen's price, of last prices not older than ARBITER_FRESH_NS; it is told once above
 * source_divergence and once below half of it.
 *
 * A function of the calls alone (semantics A.6): time is log time.
 */
#pragma once
#include "base/state.h"
#include "bus/symtab.h"
#include "proto/record.h"
#include "workers/params.h"
#include "workers/source_life.h"
#include <stdbool.h>

#define ARBITER_RECENT   32u
#define ARBITER_FRESH_NS (INT64_C(10) * 1000000000)
#define ARBITER_TEXT_MAX 80

struct arbiter;

/** What arbiter_tick() and arbiter_time() found worth telling. */
struct arbiter_news {
	bool has_chosen;   /* another source from here on, or the first */
	bool has_diverged; /* above the limit ... */
	bool has_agreed;   /* ... and back again */
	uint16_t chosen_id;
	uint64_t millionths;                /* of the divergence */
	char chosen_text[ARBITER_TEXT_MAX]; /* a sentence each */
	char diverged_text[ARBITER_TEXT_MAX];
};

/** @sp has n_sources >= 1; all borrowed.  NULL: no memory. */
struct arbiter *arbiter_new(const struct symbol_params *sp,
			    const struct symtab *sources,
			    const struct source_life *life);
void arbiter_free(struct arbiter *a);
/** A tick; @log_ns: log time before it.  Is it to be used? */
bool arbiter_tick(struct arbiter *a, const struct record *r, int64_t log_ns,
		  struct arbiter_news *out);
/** Log time has come to @now_ns. */
void arbiter_time(struct arbiter *a, int64_t now_ns, struct arbiter_news *out);
/** Save or load; for the same parameters. */
void arbiter_state(struct state *st, struct arbiter *a);
