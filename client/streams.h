/*
 * streams - how far each stream has come: (kind, symbol), for matrices (kind,
 * universe, timeframe).  A hash table that only grows, bounded by STREAMS_MAX.
 */
#pragma once
#include "proto/event.h"
#include <stdbool.h>

#define STREAMS_MAX (1u << 20)

struct stream {
	char symbol[SYMBOL_MAX];
	uint32_t timeframe_s; /* tier2, else 0 */
	uint8_t kind;
	bool is_used;
	bool is_known; /* an event was had, or it was said where its next one begins */
	uint64_t epoch;
	uint64_t last_seq; /* is_known: the next one is behind it */
	int64_t last_recv_ns;
	uint64_t chain;       /* of the event chain_seq */
	uint64_t chain_seq;   /* 0: none seen; ticks have no chain */
	uint32_t policy_slot; /* sub_policy.c's, from 1; 0: none yet */
};

struct streams {
	struct stream *slots; /* owned */
	size_t n;
	size_t cap; /* power of two */
};

/** Find or make.  NULL when STREAMS_MAX or memory is exhausted. */
struct stream *streams_get(struct streams *s, enum event_kind kind,
			   const char symbol[SYMBOL_MAX], uint32_t timeframe_s);
/** NULL when it is not there. */
const struct stream *streams_find(const struct streams *s, enum event_kind kind,
				  const char symbol[SYMBOL_MAX], uint32_t timeframe_s);
void streams_deinit(struct streams *s);
