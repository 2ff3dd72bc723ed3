/*
 * trace_book - what is told of finished steps (bus/trace.h): a histogram per span with
 * exemplars, the slowest steps of the last hour, a line in the log for the very slow.
 *
 *	accepted -> commit -> dispatch -> worker -> tier 2 -> publish
 *	                          \-> tick
 *
 * A span is the time from the stage before it.  The first ends with the record that the
 * step began with, so it and the total are those of its oldest record; of several
 * workers the last one counts.  A histogram counts every record of the step.
 *
 * Loop thread.
 */
#pragma once
#include "base/histogram.h"
#include "base/role.h"
#include "bus/trace.h"
#include "daemon/metrics_text.h"
#include <stddef.h>

#define TRACE_SLOWEST 32u

enum trace_span {
	SPAN_COMMIT,
	SPAN_DISPATCH,
	SPAN_WORKER,
	SPAN_TIER2,
	SPAN_PUBLISH,
	SPAN_TICK,
	SPAN_TOTAL, /* accepted to publish */
	TRACE_SPANS
};

struct trace_span_times {
	struct histogram times;
	struct metrics_exemplar newest[METRICS_BUCKETS]; /* of each bucket */
};

struct trace_book;

/** @t is borrowed; NULL: nothing is ever told.  0 or -ENOMEM. */
int trace_book_new(struct trace *t, struct trace_book **out);
void trace_book_free(struct trace_book *b);
/** @fn sees each step that has finished; @is_slow: it is one that is logged. */
typedef void (*trace_seen_fn)(void *arg, const struct trace_step *s, bool is_slow);
ON_LOOP void trace_book_watch(struct trace_book *b, trace_seen_fn fn, void *arg);
/** Look at what has finished; what took @slow_ns or longer is logged, 0: nothing. */
ON_LOOP void trace_book_step(struct trace_book *b, int64_t slow_ns);

ON_LOOP const struct trace_span_times *trace_book_times(const struct trace_book *b,
							enum trace_span span);
/** The step of @pos, if it is kept or was slow; false: neither. */
ON_LOOP bool trace_book_find(const struct trace_book *b, uint64_t pos,
			     struct trace_step *out);
/** The slowest ones, slowest first; returns how many, at most TRACE_SLOWEST. */
ON_LOOP size_t trace_book_slowest(const struct trace_book *b, struct trace_step *out);
/** The newest finished ones, newest first, at most @max. */
ON_LOOP size_t trace_book_newest(const struct trace_book *b, size_t max,
				 struct trace_step *out);

/** "commit", "dispatch", ...: the stage that it ends with; "total". */
const char *trace_span_name(enum trace_span span);
/** In ns; < 0: it has not ended, is not known, or there is none (no ticks). */
int64_t trace_span_ns(const struct trace_step *s, enum trace_span span);
/** Wall clock of a stage by its monotonic time. */
int64_t trace_wall_ns(const struct trace_step *s, int64_t at_ns);
