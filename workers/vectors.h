/*
 * vectors - the vector of one valid bar, out of the valid bars before it.
 *
 * Valid bars only go in, oldest first; each push computes the whole vector of that
 * bar.  The newest `undo` bars can be taken back and pushed anew with other numbers:
 * what follows is then, bit for bit, what it would have been had they always been so,
 * because a vector reads nothing but the rows kept:
 *
 *      given back to memory |  keep: longest window before a bar  |  undo  |
 *      ---------------------+-------------------------------------+--------+
 *                                                                          ^ seen
 *
 * A row holds the bar, what is summed over later (returns, true range, ...), the ML
 * values for their norms, and the state of the recursive indicators after it.  Rows
 * lie one after another, so that every window is a plain array; when the memory is
 * full, the rows still needed move to its front.
 */
#pragma once
#include "base/state.h"
#include "proto/event.h"
#include "workers/params.h"

struct vectors;

/** What tier 1 takes from a bar.  NaN: NULL. */
struct vectors_bar {
	double close;
	double high;
	double low;
	double log_return;
	double spread;
};

/** No padding: two vectors are the same when their bytes are. */
struct vector {
	double value[TIER1_N];
	double norm[TIER1_ML_N];
	uint64_t warm; /* bit i: the window of value[i] is full and holds no NULL */
	uint64_t seen; /* valid bars so far, this one included */
};

/** Rows for @undo bars to take back; -ENOMEM, or -EINVAL for a bad norm window. */
int vectors_new(const struct tier1_params *p, uint32_t timeframe_s, uint32_t undo,
		struct vectors **out);
void vectors_free(struct vectors *f);
/** Take back all but the first @seen bars: at most `undo` of them. */
void vectors_cut(struct vectors *f, uint64_t seen);
/** Bars pushed and not taken back. */
uint64_t vectors_seen(const struct vectors *f);
void vectors_push(struct vectors *f, const struct vectors_bar *bar, struct vector *out);
/** Warm bits that a vector of this timeframe needs to be of use to a model. */
uint64_t vectors_ml_mask(const struct vectors *f);
/**
 * Save or load the rows that later vectors read, but for the newest @undoable: after
 * loading, push those again.
 */
void vectors_state(struct state *st, struct vectors *f, uint32_t undoable);
