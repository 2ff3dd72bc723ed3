/*
 * worker - puts a shard on a thread: items from its shard of the bus, events to its
 * outbox, cut items to its cut ring.
 *
 * The bus keeps order within a symbol and against barriers (clock, source, control
 * and mark items) and serves symbols in turns between them.  Tier 2 wants cut items
 * in log order: so those of ticks are kept until the next barrier and sent sorted by
 * (position, symbol, arrival).
 *
 * Back-pressure, never loss: while the outbox or the cut ring is full the worker
 * waits (worker_env.wait), its part of the bus fills, and the dispatcher leaves the
 * rest in the log.Outbox messages have the kind of their event; WORKER_MARK
 * carries the position up to which everything has been sent.
 */
#pragma once
#include "base/histogram.h"
#include "base/parker.h"
#include "base/role.h"
#include "bus/bus.h"
#include "bus/outbox.h"
#include "bus/ring.h"
#include "bus/trace.h"
#include "workers/shard.h"
#include <stdbool.h>

#define WORKER_MARK 100u /* outbox message kind; the message is a uint64 position */

struct worker;

struct worker_env {
	struct shard_env shard;
	struct bus *bus;    /* borrowed; of struct item, shard.index is this worker's */
	struct outbox *out; /* borrowed */
	struct ring *cut;   /* borrowed; struct cut_item */
	/** Called after messages were published; ANY_THREAD (rings the loop's bell). */
	void (*bell)(void *arg);
	/** Called after cut items were published (wakes tier 2). */
	void (*cut_bell)(void *arg);
	/** Called while there is no room; NULL: sleep a little and try again. */
	void (*wait)(void *arg);
	/** Takes the parts of a snapshot (shard.h); NULL: there are none. */
	int (*snapshot)(void *arg, uint64_t pos, struct buf *part, bool is_last);
	void *arg;
	int64_t spin_ns;     /* look this long before sleeping */
	struct trace *trace; /* borrowed; NULL: no traces */
};

/** Becomes the handler of its shard of the bus. */
int worker_new(const struct worker_env *env, struct worker **out);
void worker_free(struct worker *w);
/**
 * Apply about @budget items and save about a millisecond's worth of lanes if a snapshot
 * is being taken; returns how many of both.
 */
ON_WORKER size_t worker_step(struct worker *w, size_t budget);
/** For loading a snapshot and for the last one: while no thread runs it. */
struct shard *worker_shard(struct worker *w);
/** Run worker_step() on a thread of its own until worker_stop(). */
int worker_start(struct worker *w);
/** Finish what the bus has for it, then join. */
void worker_stop(struct worker *w);
/** Have the thread stand still for so long, soon. */
ANY_THREAD void worker_stall(struct worker *w, int64_t ns);
/** Rises while the thread is alive, with or without work (watchdog). */
ANY_THREAD uint64_t worker_moved(const struct worker *w);
/** Commit to bar emission, monotonic ns; one writer. */
ANY_THREAD const struct histogram *worker_latency(const struct worker *w);
/** A copy of the shard's counters as of the last step. */
ANY_THREAD void worker_counts(const struct worker *w, struct shard_counts *out);
