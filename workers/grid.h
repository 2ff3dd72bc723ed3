/*
 * grid - which bars are expected, and which of them a moment belongs to.
 *
 * Bars are closed left and open right; bar_start = origin + floor((t - origin) / step)
 * * step.  The origin is midnight UTC, or the open of the session.  Without a session
 * the grid has no holes.  With one:
 *
 *	origin midnight UTC   the bars that touch a session, whole
 *	origin session open   from the open in steps; the last one ends with the session
 *	1d, either origin     one bar per session, from its open to its close
 *
 * A session is a stretch of local wall time on certain weekdays in an IANA zone: a
 * change of the clocks moves its UTC times, and one that the change swallows whole
 * does not take place.  It may run past midnight, for at most 24 hours.
 */
#pragma once
#include "workers/params.h"
#include <stdbool.h>
#include <stdint.h>

struct span {
	int64_t start_ns;
	int64_t end_ns;
};

/** The sessions of one symbol; remembers the last answer, so one thread. */
struct session {
	const struct tz *tz; /* borrowed; NULL: UTC */
	int32_t start_s;
	int32_t end_s;
	uint8_t days;
	bool on;         /* false: always open */
	int64_t from_ns; /* `span` is the answer for [from_ns, span.end_ns) */
	struct span span;
};

struct grid {
	struct session *session; /* borrowed, shared by the symbol's grids */
	int64_t step_ns;
	bool whole;     /* one bar per session */
	bool from_open; /* steps count from the open */
};

void session_init(struct session *s, const struct symbol_params *sp);
/** The first session that ends after @t_ns; it has begun if its start <= @t_ns. */
struct span session_from(struct session *s, int64_t t_ns);
/** Ticks of @t_ns make bars. */
bool session_holds(struct session *s, int64_t t_ns);

void grid_init(struct grid *g, const struct symbol_params *sp, struct session *session,
	       uint32_t timeframe_s);
/** The bar of a moment inside a session. */
struct span grid_at(struct grid *g, int64_t t_ns);
/** The next expected bar after one that ends at @end_ns. */
struct span grid_next(struct grid *g, int64_t end_ns);
