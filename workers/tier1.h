/*
 * tier1 - the feature vectors of one series (symbol, timeframe, price type).
 *
 * Every bar of the grid goes in, in the order in which bars are emitted: valid or
 * not, first emissions and revisions alike.  A vector comes out for every valid bar,
 * and again for every bar whose vector a revision has changed - the revised bar's and
 * those of the bars after it, oldest first.  The last vector of a bar is what it
 * would be had all bars arrived once, as they are now: live and batch agree to the
 * last bit.  A revision that changes no number used here (volume, say, or the final
 * flag) brings nothing; one that makes a bar invalid withdraws its vector by itself,
 * the bar's own event being the notice.
 *
 * One thread at a time; no I/O, no clock.
 */
#pragma once
#include "base/state.h"
#include "proto/event.h"
#include "workers/out.h"
#include "workers/params.h"

struct tier1;

/** -EINVAL for parameters out of range, -ENOMEM. */
int tier1_new(const struct params *p, uint32_t symbol_id, const char *symbol,
	      uint32_t timeframe_s, uint8_t price_type, struct tier1 **out);
void tier1_free(struct tier1 *t);

/**
 * Take @bar; vectors leave through @out->tier1 before the call returns.
 *
 * @io_seq is the symbol's TIER1 sequence, shared by its series: +1 per vector.
 */
void tier1_bar(struct tier1 *t, const struct event_bar *bar, uint64_t *io_seq,
	       const struct out *out);

/**
 * Revisions with changed numbers that came too late to be worked in: their bar is
 * older than the revision window, or was never seen.  Their vectors stay as they were.
 */
uint64_t tier1_stale(const struct tier1 *t);
/** Save or load a series of the same parameters. */
void tier1_state(struct state *st, struct tier1 *t);
/** Valid bars so far. */
uint64_t tier1_seen(const struct tier1 *t);
