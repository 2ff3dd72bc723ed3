/*
 * bus - publish and subscribe inside the process, by symbol.
 *
 *	 one publisher          one worker per shard              any thread
 *	bus_publish() ─ ring of ─> bus_shard_step(): append  <─── sub_read()
 *	bus_flush()     shard      to the symbol's buffer,
 *	                id % n     run the shard's handler
 *
 * Publishing copies the event into the ring of the symbol's shard and shows it
 * in batches; it never waits.  What it cannot take it refuses by name, and the
 * caller leaves the event in the log, which holds it anyway: so a flood, a slow
 * worker or a stopped bus costs nobody anything but time.
 *
 * Fairness: at most inflight_max events of a symbol are between the publisher
 * and the end of its handler, so a flood cannot fill the ring its neighbours
 * use; and a worker gives every symbol turn_max events before the next has its
 * turn.  A handler that fails sets its symbol aside and nobody else's.
 *
 * Barriers: bus_publish_all() gives one event to every shard.  A shard handles all
 * that was published before it, then the barrier, then what came after: so order
 * holds within a symbol and against barriers, and between two barriers there is
 * none among symbols.
 *
 * Everything is allocated by bus_new(); see bus_subscribe() for the exception.
 */
#pragma once
#include "bus/subscription.h"

struct bus;

/** Outcomes of bus_publish(): all but 0 were counted and the event not taken. */
enum {
	BUS_STOPPED = 1, /* the bus is not running (or there is none) */
	BUS_FLOODED,     /* the symbol has its limit in flight */
	BUS_FULL,        /* the shard's ring is full */
	BUS_BLOCKED,     /* a blocking subscriber must read first */
	BUS_UNKNOWN,     /* no such symbol */
};

#define BUS_EVERY_SYMBOL UINT32_MAX /* symbol_id of a barrier */

/**
 * < 0: set the symbol aside.  @e is valid during the call; a barrier has the
 * symbol_id BUS_EVERY_SYMBOL and its number in seq, and cannot fail.
 */
typedef int (*bus_handler_fn)(void *arg, const struct symbuf_view *e);

struct bus_params {
	uint32_t shards; /* 1 .. BUS_SHARDS_MAX */
	uint32_t symbols_max;
	size_t event_bytes;    /* largest event, <= SYMBUF_EVENT_MAX */
	size_t ring_slots;     /* per shard; 4,096 or more is fast */
	uint32_t history;      /* events kept per symbol */
	uint32_t inflight_max; /* per symbol; what history cannot hold waits in the ring
				*/
	uint32_t turn_max;     /* events of a symbol per turn */
};

#define BUS_SHARDS_MAX 64
#define BUS_SUBS_MAX   64

/** 0, -EINVAL (err_text says which parameter), -ENOMEM. */
int bus_new(const struct bus_params *params, struct bus **out);
/** Threads have left, subscribers have unsubscribed. */
void bus_free(struct bus *b);
/** Before the shard's first step. */
void bus_handler_set(struct bus *b, uint32_t shard, bus_handler_fn fn, void *arg);

/** Any thread.  A bus is born stopped. */
void bus_start(struct bus *b);
/** Refuse from now on; what was taken is still handled. */
void bus_stop(struct bus *b);
bool bus_is_running(const struct bus *b);

/* ---- the publisher: one thread ---- */

/**
 * Take a copy of an event of up to event_bytes.  0 or a BUS_x.  @b may be NULL:
 * BUS_STOPPED.  Taken events are shown to the worker 32 at a time or by a flush.
 */
int bus_publish(struct bus *b, enum event_kind kind, uint32_t symbol, const void *data,
		size_t len);
/**
 * Take a copy of a barrier for every shard, or for none: 0, BUS_STOPPED, BUS_FULL.
 * It is no event of a symbol: no buffer keeps it, no subscriber sees it.
 */
int bus_publish_all(struct bus *b, const void *data, size_t len);
/** Show everything taken: at the end of each batch of input. */
void bus_flush(struct bus *b);
/** How many more events every shard's ring has room for, whatever their symbols. */
size_t bus_room(const struct bus *b);

/* ---- a shard's worker: one thread per shard ---- */

/** Append and handle up to about @budget events and barriers; returns how many. */
size_t bus_shard_step(struct bus *b, uint32_t shard, size_t budget);
/**
 * Nothing to do: spin for @spin_ns, then sleep until there is or until
 * @timeout_ns has passed (< 0: no limit).
 */
void bus_shard_wait(struct bus *b, uint32_t shard, int64_t spin_ns, int64_t timeout_ns);
/** End such a sleep, or the next one if there is none now. */
ANY_THREAD void bus_shard_wake(struct bus *b, uint32_t shard);
/** Events in the shard's ring; a moment old. */
ANY_THREAD size_t bus_shard_depth(const struct bus *b, uint32_t shard);

/* ---- what a symbol's buffer holds: any thread ---- */

/**
 * Copy the newest events of a symbol, at most @n, oldest first, whatever their
 * kind; returns how many.  Events overwritten meanwhile are left out.
 */
ANY_THREAD size_t bus_symbol_recent(const struct bus *b, uint32_t symbol, size_t n,
				    struct symbuf_event *out);

/* ---- subscribers ---- */

/**
 * See all events of the filter from now on.  Allocates.  0, -EINVAL, -ENOMEM,
 * -ENOSPC (BUS_SUBS_MAX).  Any thread, also while the bus runs, but not from a
 * handler, nor from a thread that a handler may be waiting for: both calls wait for
 * the end of the steps that are under way.
 */
int bus_subscribe(struct bus *b, const struct filter *filter, enum sub_policy policy,
		  struct sub **out);
/**
 * Frees @s, which no thread reads any more.
 */
void bus_unsubscribe(struct bus *b, struct sub *s);

/* ---- counters: any thread, a moment old ---- */

struct bus_counts {
	uint64_t published;  /* taken */
	uint64_t dispatched; /* handled without error */
	uint64_t dropped;    /* met a stopped bus, an unknown or a faulted symbol */
	uint64_t flooded;
	uint64_t full;
	uint64_t blocked;
	uint64_t conflated; /* skipped by conflating subscribers */
	uint64_t lapped;    /* lost by slow subscribers */
};

struct bus_symbol_counts {
	uint64_t published;
	uint64_t dispatched;
	uint64_t dropped; /* as above */
	uint64_t refused; /* flooded, full, blocked */
	uint64_t conflated;
	uint64_t lapped;
	uint64_t depth; /* appended, not handled */
	uint64_t depth_high_water;
	bool faulted;
};

ANY_THREAD void bus_counts(const struct bus *b, enum event_kind kind,
			   struct bus_counts *out);
/** Zeros for an unknown symbol. */
ANY_THREAD void bus_symbol_counts(const struct bus *b, uint32_t symbol,
				  struct bus_symbol_counts *out);
/** Let a faulted symbol's next events be handled again. */
ANY_THREAD void bus_symbol_resume(struct bus *b, uint32_t symbol);
