/* ind_live_parts - what ind_live.c and ind_live_state.c share; nobody else includes it.
 */
#pragma once
#include "workers/ind_live.h"

#define CHECKPOINT 16 /* bars between two of them */

/** A bar of the grid. */
struct live_slot {
	int64_t bar_end_ns;
	struct ind_bar bar; /* zero when not valid */
	uint64_t bar_seq;
	uint64_t seen; /* valid bars up to and including this one */
	uint32_t revision;
	bool valid;
	bool shown; /* its values are in `values` */
};

/** A block: values [first, first + n) of the series. */
struct live_block {
	uint32_t first, n;
	char names[INDICATOR_NAMES];
};

struct ind_live {
	struct ind *ind[INDICATORS_MAX]; /* owned */
	uint32_t n_ind;
	struct live_block blocks[INDICATORS_MAX];
	uint32_t n_blocks;
	uint32_t n_values;
	struct ind_spec spec[INDICATORS_MAX];
	uint64_t revisable;      /* bars that can be revised */
	uint64_t n_bars;         /* grid bars so far; the newest has index n_bars - 1 */
	uint64_t mask;           /* of the two rings below */
	struct live_slot *slots; /* owned; by index & mask */
	double *values;          /* owned; n_values each, by index & mask */
	size_t state_bytes;      /* of all indicators together */
	uint64_t kept;           /* checkpoints in the ring */
	uint8_t *checkpoints;    /* owned; before bar i * CHECKPOINT, by i % kept */
	struct event_indicators event; /* the parts that never change */
};

static inline struct live_slot *live_slot(const struct ind_live *l, uint64_t index)
{
	return &l->slots[index & l->mask];
}

static inline double *live_values(const struct ind_live *l, uint64_t index)
{
	return l->values + (index & l->mask) * l->n_values;
}

/** Where what they remember before bar @index, a multiple of CHECKPOINT, is kept. */
static inline uint8_t *live_checkpoint(const struct ind_live *l, uint64_t index)
{
	return l->checkpoints + index / CHECKPOINT % l->kept * l->state_bytes;
}

/** Let the indicators go on from the checkpoint before bar @index. */
void live_load(struct ind_live *l, uint64_t index);
/** Work bar @index in; true when its values are new or have changed. */
bool live_derive(struct ind_live *l, uint64_t index);
