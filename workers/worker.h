/*
 * worker - puts a shard on a thread: items from its shard ring, events to its
 * outbox, cut items to its cut ring.
 *
 * Back-pressure, never loss: while the outbox or the cut ring is full the worker
 * waits (worker_env.wait), its shard ring fills, and the dispatcher leaves the
 * rest in the log.  Outbox messages have the kind of their event; WORKER_MARK
 * carries the position up to which everything has been sent.
 */
#pragma once
#include "base/histogram.h"
#include "base/parker.h"
#include "base/role.h"
#include "bus/outbox.h"
#include "bus/ring.h"
#include "workers/shard.h"
#include <stdbool.h>

#define WORKER_MARK 100u /* outbox message kind; the message is a uint64 position */

struct worker;

struct worker_env {
	struct shard_env shard;
	struct ring *in;       /* borrowed; struct item */
	struct outbox *out;    /* borrowed */
	struct ring *cut;      /* borrowed; struct cut_item */
	struct parker *parker; /* borrowed; where this worker sleeps */
	/** Called after messages were published; ANY_THREAD (rings the loop's bell). */
	void (*bell)(void *arg);
	/** Called after cut items were published (wakes tier 2). */
	void (*cut_bell)(void *arg);
	/** Called while there is no room; NULL: sleep a little and try again. */
	void (*wait)(void *arg);
	void *arg;
	int64_t spin_ns; /* look this long before sleeping */
};

int worker_new(const struct worker_env *env, struct worker **out);
void worker_free(struct worker *w);
/** Apply up to @budget items; returns how many. */
ON_WORKER size_t worker_step(struct worker *w, size_t budget);
/** Run worker_step() on a thread of its own until worker_stop(). */
int worker_start(struct worker *w);
/** Finish what is in the ring, then join. */
void worker_stop(struct worker *w);
/** Rises while the thread is alive, with or without work (watchdog). */
ANY_THREAD uint64_t worker_moved(const struct worker *w);
/** Commit to bar emission, monotonic ns; one writer. */
ANY_THREAD const struct histogram *worker_latency(const struct worker *w);
/** A copy of the shard's counters as of the last step. */
ANY_THREAD void worker_counts(const struct worker *w, struct shard_counts *out);
