/*
 * bus_impl - what bus.c (publisher, subscribers, counters) and bus_shard.c (the
 * workers) share: nobody else includes it.
 *
 * Who writes what:
 *
 *	pub[symbol], pub_kind[kind]                   the publisher
 *	shard[i], its lanes, their symbols' buffers    the shard's worker
 *	tally                                         subscribers
 *
 * Counters are single-writer atomics (a plain add, stored relaxed) or shared ones
 * that are touched rarely.
 */
#pragma once
#include "base/parker.h"
#include "bus/bus.h"
#include "bus/ring.h"
#include <stdatomic.h>

#define BUS_NO_LANE UINT32_MAX

/*
 * Symbol id belongs to shard id % shards, where it is lane id / shards: a worker's
 * lanes lie together, away from the other workers' cache lines.
 */

/** An event in a shard ring; event_bytes of payload follow. */
struct bus_carried {
	uint32_t lane; /* BUS_NO_LANE: a barrier */
	uint16_t len;
	uint8_t kind;
	uint8_t reserved;
	uint64_t payload[];
};

struct bus_pub {
	_Atomic uint64_t published;
	uint64_t served_seen;
	_Atomic uint64_t refused;
	_Atomic uint64_t dropped;
};

struct bus_pub_kind {
	_Atomic uint64_t published, dropped, flooded, full, blocked;
};

/** What a worker knows of a symbol beside its buffer. */
struct bus_lane {
	uint32_t link;     /* next waiting lane */
	uint32_t chunk;    /* the chunk that `used` belongs to */
	uint16_t used;     /* events handled in it */
	bool is_waiting;   /* in the shard's list */
	atomic_bool fault; /* set by the worker, cleared by anybody */
	_Atomic uint64_t dropped;
};

struct bus_shard {
	/* Read by the publisher too: nothing here changes with every event. */
	_Alignas(128) struct ring *ring; /* owned */
	struct bus_lane *lanes;          /* owned */
	bus_handler_fn handler;
	void *arg;
	struct parker parker;
	atomic_bool is_roused; /* somebody wants the worker to look up */
	/* The worker's own. */
	_Alignas(128) _Atomic uint64_t turn; /* odd while in a step */
	uint64_t n_dispatched;               /* in this step */
	uint64_t n_faulted;
	uint32_t chunk;
	uint32_t first, last; /* waiting lanes, BUS_NO_LANE: none */
	uint64_t n_barriers;  /* handled */
	uint32_t n_subs;
	_Atomic uint64_t dispatched[EVENT_KINDS];
	_Atomic uint64_t faulted[EVENT_KINDS];
	struct sub *subs[BUS_SUBS_MAX]; /* as of this step */
};

struct bus {
	struct bus_params params;
	atomic_bool is_running;
	struct symbuf *buf; /* owned */
	struct bus_shard *shards;
	struct sub_tally tally;
	_Alignas(128) struct bus_pub *pub;
	struct bus_pub_kind pub_kind[EVENT_KINDS];
	uint64_t n_published; /* since the last flush */
	uint64_t n_barriers;  /* the same */
	_Atomic uint64_t pub_turn;
	_Alignas(128) _Atomic(struct sub *) subs[BUS_SUBS_MAX];
	_Atomic uint32_t n_subs;
	_Atomic uint32_t n_blocking;
};

/** Add to a counter that this thread alone writes. */
static inline void bus_bump(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline uint64_t bus_peek(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline struct bus_lane *bus_lane_of(const struct bus *b, uint32_t symbol)
{
	return &b->shards[symbol % b->params.shards].lanes[symbol / b->params.shards];
}
