/*
 * ind_live - the configured indicators of one series (symbol, timeframe, price type).
 *
 * Every bar of the grid goes in, as into tier1.h and with the same promise: a valid bar
 * brings its blocks (struct event_indicators), a revision those of every bar whose
 *values it has changed, oldest first, and the last values of a bar are those of a batch
 *over the bars as they are now, to the last bit (analysis/ind.h).
 *
 * What the indicators remember is kept every CHECKPOINT bars, back to beyond the oldest
 * bar that can still be revised.  A revision loads the checkpoint before its bar and
 *walks on from there:
 *
 *	checkpoints  |               |               |              |
 *	bars         b b b b b b b b b b b b b b b b b b b b b b b b b b
 *	                               ^ loaded      ^ revised         ^ newest
 *
 * One thread at a time; no I/O, no clock.
 */
#pragma once
#include "base/state.h"
#include "proto/event.h"
#include "workers/out.h"
#include "workers/params.h"

struct ind_live;

struct ind_live_series {
	const struct params *params; /* borrowed, immutable */
	const char *symbol;
	uint32_t symbol_id;
	uint32_t timeframe_s;
	uint8_t price_type;
};

/** *@out is NULL when nothing is configured for the series.  0, -ENOMEM. */
int ind_live_new(const struct ind_live_series *s, struct ind_live **out);
void ind_live_free(struct ind_live *l);
/** Take @bar; blocks leave through @out->tier1.  @io_seq: the symbol's TIER1 sequence.
 */
void ind_live_bar(struct ind_live *l, const struct event_bar *bar, uint64_t *io_seq,
		  const struct out *out);
/** Save or load a series of the same parameters. */
void ind_live_state(struct state *st, struct ind_live *l);
