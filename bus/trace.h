/*
 * trace - when each step of the dispatcher came through each stage.
 *
 * The id of a trace is a log position.  Times are kept per step, not per position: what
 * the dispatcher carries between two marks goes through the stages as one, and the mark
 * tells when a stage is through.  So a tick costs nothing and a step a few stores; at a
 * low rate a step is one tick.
 *
 *	steps:   | kept for questions | finished | under way |  next
 *	          <---- half of the slots ------>
 *
 * Each stage has one writer and a cursor of its own.  The store thread waits for
 *nobody: while every slot is needed it opens no step, and the next one is longer.
 *
 * Times are monotonic and never on the path of what is derived (semantics A.6): nobody
 * there reads them.  Every function takes a NULL trace: there is none.
 */
#pragma once
#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

#define TRACE_WORKERS_MAX 64u

enum trace_stage {
	TRACE_COMMIT,   /* the log has the step's first record; no cursor */
	TRACE_DISPATCH, /* its last record is on the bus; no cursor */
	TRACE_TICK,     /* its last tick is in a frame */
	TRACE_TIER2,    /* tier 2 has seen it */
	TRACE_PUBLISH,  /* everything derived from it is in frames */
	TRACE_WORKER,   /* + w: worker w has applied it */
	TRACE_STAGES_MAX = TRACE_WORKER + TRACE_WORKERS_MAX
};

struct trace;

struct trace_step {
	uint64_t first_pos, last_pos;
	uint64_t last_tick; /* position; 0: there is no tick in it */
	int64_t recv_ns;    /* wall clock: when its first record was accepted */
	int64_t wall_ns;    /* wall clock at at_ns[TRACE_DISPATCH] */
	uint32_t n_workers;
	int64_t at_ns[TRACE_STAGES_MAX]; /* monotonic; 0: not yet, or not known */
};

/** Room for @n_steps >= 2; @n_workers <= TRACE_WORKERS_MAX.  0 or -ENOMEM. */
int trace_new(uint32_t n_steps, uint32_t n_workers, struct trace **out);
void trace_free(struct trace *t);

/** Everything up to @pos was in the log at @now_ns. */
ON_STORE void trace_committed(struct trace *t, uint64_t pos, int64_t now_ns);
/** @s: positions, last_tick, recv_ns.  Before the step's mark is on the bus. */
ON_STORE void trace_dispatched(struct trace *t, const struct trace_step *s);

/** @stage (one with a cursor; its one writer) is through with everything up to @pos. */
void trace_reached(struct trace *t, unsigned stage, uint64_t pos, int64_t now_ns);

/* ---- the reader: the loop ---- */

/** Steps are counted from 0; the oldest that is kept. */
ON_LOOP uint64_t trace_oldest(const struct trace *t);
/** Below this number every stage is through. */
ON_LOOP uint64_t trace_finished(const struct trace *t);
/** How many have begun. */
ON_LOOP uint64_t trace_count(const struct trace *t);
/** Step @i in [oldest, count). */
ON_LOOP void trace_get(const struct trace *t, uint64_t i, struct trace_step *out);
/** The step that carried @pos; false: it is not kept (any more). */
ON_LOOP bool trace_find(const struct trace *t, uint64_t pos, struct trace_step *out);
/** Steps below @i have been looked at: the oldest may go. */
ON_LOOP void trace_done(struct trace *t, uint64_t i);
