/* sim_calendar - sessions by local date; a day at a time, weekends passed over. */
#include "feeds/sim_calendar.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>

#define DAY_S      INT64_C(86400)
#define LAST_START INT64_C(7258118400) /* 2200-01-01, in seconds */

int sim_calendar_init(struct sim_calendar *c, const struct sim_params *p)
{
	if (p->start_ns < 0 || p->start_ns / NS_PER_S > LAST_START)
		return err_set(-EINVAL, "the simulator starts between 1970 and 2200");
	if (p->has_sessions &&
	    (p->session_start_s < 0 || p->session_end_s <= p->session_start_s ||
	     p->session_end_s > DAY_S))
		return err_set(-EINVAL,
			       "the simulator's session ends before it starts");
	*c = (struct sim_calendar){
		.has_sessions = p->has_sessions,
		.tz = p->tz,
		.start_s = p->session_start_s,
		.end_s = p->session_end_s,
		.prev_close_ns = INT64_MIN,
	};
	return 0;
}

static int64_t to_utc_ns(const struct sim_calendar *c, int64_t local_s)
{
	return (c->tz ? tz_to_utc_s(c->tz, local_s) : local_s) * NS_PER_S;
}

/* The session that holds @ns or, if none does, the next one. */
static void find_session(struct sim_calendar *c, int64_t ns)
{
	int64_t utc_s = ns / NS_PER_S;
	int64_t local_s = utc_s + (c->tz ? tz_offset_s(c->tz, utc_s) : 0);

	if (!c->has_sessions) {
		c->open_ns = utc_s / DAY_S * DAY_S * NS_PER_S;
		c->close_ns = c->open_ns + DAY_S * NS_PER_S;
		return;
	}
	for (int64_t day = local_s / DAY_S;; day++) {
		/* 1970-01-01 was a Thursday: 0 is Monday. */
		if ((day + 3) % 7 >= 5)
			continue;
		c->open_ns = to_utc_ns(c, day * DAY_S + c->start_s);
		c->close_ns = to_utc_ns(c, day * DAY_S + c->end_s);
		if (ns < c->close_ns)
			return;
	}
}

int64_t sim_calendar_open(struct sim_calendar *c, int64_t ns)
{
	if (ns >= c->close_ns) {
		if (c->close_ns > 0)
			c->prev_close_ns = c->close_ns;
		find_session(c, ns);
	}
	if (ns < c->open_ns)
		return c->open_ns;
	return ns / NS_PER_S * NS_PER_S;
}

double sim_calendar_activity(const struct sim_calendar *c, int64_t ns)
{
	double into = (double)(ns - c->open_ns) / (double)(c->close_ns - c->open_ns);
	double z = 2.0 * into - 1.0;
	double z4 = z * z * z * z; /* its mean over the session is 1/5 */

	return c->has_sessions ? 0.6 + 2.0 * z4 : 0.9 + 0.5 * z4;
}
