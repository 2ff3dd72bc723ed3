/*
 * tier2_worker - puts tier 2 on a thread: cut items from every worker's cut ring,
 * matrices to its outbox.
 *
 * A message of kind EVENT_TIER2 is a struct event_tier2, its n_members struct
 * tier2_member and its triangle, one behind the other; WORKER_MARK (worker.h) carries
 * the position up to which every matrix has been sent.  Back-pressure, never loss:
 * while the outbox is full this thread waits; the cut rings are drained between
 * matrices.
 */
#pragma once
#include "base/histogram.h"
#include "base/parker.h"
#include "base/role.h"
#include "bus/outbox.h"
#include "bus/ring.h"
#include "bus/trace.h"
#include "workers/tier2.h"

struct tier2_worker;

struct tier2_worker_env {
	struct tier2_env tier2;
	struct ring **cuts;    /* borrowed; tier2.n_workers rings of struct cut_item */
	struct outbox *out;    /* borrowed; outbox_len_max() >= tier2_bytes_max() */
	struct parker *parker; /* borrowed; where this thread sleeps */
	/** Called after messages were published; ANY_THREAD (rings the loop's bell). */
	void (*bell)(void *arg);
	/** Called while there is no room; NULL: sleep a little and try again. */
	void (*wait)(void *arg);
	/** Takes the parts of a snapshot (tier2.h); NULL: there are none. */
	int (*snapshot)(void *arg, uint64_t pos, struct buf *part, bool is_last);
	void *arg;
	int64_t spin_ns;     /* look this long before sleeping */
	struct trace *trace; /* borrowed; NULL: no traces */
};

/** 0, -ENOMEM, or -EINVAL when the outbox cannot hold the largest matrix. */
int tier2_worker_new(const struct tier2_worker_env *env, struct tier2_worker **out);
void tier2_worker_free(struct tier2_worker *w);
/**
 * Drain the cut rings and apply up to @budget positions, at most to the next matrix;
 * returns how much was done, 0 when there is nothing to do now.
 */
ON_TIER2 size_t tier2_worker_step(struct tier2_worker *w, size_t budget);
/** For loading a snapshot and for the last one: while no thread runs it. */
struct tier2 *tier2_worker_tier2(struct tier2_worker *w);
/** Run tier2_worker_step() on a thread of its own until tier2_worker_stop(). */
int tier2_worker_start(struct tier2_worker *w);
/** Finish what is in the rings, then join.  Stop the workers first. */
void tier2_worker_stop(struct tier2_worker *w);
/** Rises while the thread is alive, with or without work (watchdog). */
ANY_THREAD uint64_t tier2_worker_moved(const struct tier2_worker *w);
/** Time to compute a version, monotonic ns; one writer. */
ANY_THREAD const struct histogram *tier2_worker_latency(const struct tier2_worker *w);
/** A copy of the counters as of the last step. */
ANY_THREAD void tier2_worker_counts(const struct tier2_worker *w,
				    struct tier2_counts *out);
