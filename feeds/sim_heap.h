/* sim_heap - delayed ticks by arrival; bounded; ties in the order they came. */
#pragma once
#include "feeds/feed.h"
#include <stdbool.h>
#include <stddef.h>

#define SIM_HEAP_MAX 4096u

struct sim_heap {
	size_t n;
	uint64_t order; /* of the next push */
	struct sim_heap_item {
		uint64_t order;
		struct feed_tick tick;
	} item[SIM_HEAP_MAX];
};

/** false: full. */
bool sim_heap_push(struct sim_heap *h, const struct feed_tick *t);
/** Arrival of the earliest; INT64_MAX when empty. */
int64_t sim_heap_next_ns(const struct sim_heap *h);
/** Only when not empty. */
void sim_heap_pop(struct sim_heap *h, struct feed_tick *out);
