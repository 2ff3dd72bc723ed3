/*
 * sim_calendar - when the simulated market is open, and how busy it is.
 *
 * Local sessions, Monday to Friday, in an IANA zone; or always, where "session"
 * is the UTC day.  Time only moves forward.
 */
#pragma once
#include "feeds/sim.h"

struct sim_calendar {
	bool has_sessions;
	const struct tz *tz; /* borrowed; NULL: UTC */
	int32_t start_s, end_s;
	int64_t open_ns, close_ns; /* the present session */
	int64_t prev_close_ns;     /* of the one before; INT64_MIN: none */
};

/** -EINVAL with a sentence. */
int sim_calendar_init(struct sim_calendar *c, const struct sim_params *p);
/** The second that holds @ns, or the opening of the next session. */
int64_t sim_calendar_open(struct sim_calendar *c, int64_t ns);
/** Activity at @ns of the present session: mean 1 over it, high at both ends. */
double sim_calendar_activity(const struct sim_calendar *c, int64_t ns);
