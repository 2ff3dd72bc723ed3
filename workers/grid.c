/*
 * grid - see grid.h.  A session is looked for day by day around a moment; the search
 * is bounded by ten days, since every week has at least one session day.  The answer
 * is kept with the stretch of time for which it holds, so ticks pay two comparisons.
 */
#include "workers/grid.h"
#include "base/clock.h"

#define DAY_S   INT64_C(86400)
#define ALL_DAY 0x7fu

static int64_t floor_div(int64_t x, int64_t y)
{
	int64_t q = x / y;

	return q * y > x ? q - 1 : q;
}

void session_init(struct session *s, const struct symbol_params *sp)
{
	*s = (struct session){
		.tz = sp->tz,
		.start_s = sp->session_start_s,
		.end_s = sp->session_end_s,
		.days = sp->session_days & ALL_DAY,
		.on = sp->has_session && sp->session_end_s > sp->session_start_s,
	};
	if (s->days == 0)
		s->days = ALL_DAY;
}

static int64_t to_utc_ns(const struct session *s, int64_t local_s)
{
	return (s->tz == NULL ? local_s : tz_to_utc_s(s->tz, local_s)) * NS_PER_S;
}

/* 1970-01-01 was a Thursday: day 0 is weekday 3 counted from Monday. */
static bool is_session_day(const struct session *s, int64_t day)
{
	int64_t weekday = day + 3 - 7 * floor_div(day + 3, 7);

	return (s->days >> weekday & 1) != 0;
}

struct span session_from(struct session *s, int64_t t_ns)
{
	int64_t t_s = floor_div(t_ns, NS_PER_S);
	int64_t local_s = t_s + (s->tz == NULL ? 0 : tz_offset_s(s->tz, t_s));
	int64_t today = floor_div(local_s, DAY_S);
	struct span span = s->span;

	if (t_ns >= s->from_ns && t_ns < span.end_ns)
		return span;
	/* A session of two days ago may still run, by its length and a clock change. */
	for (int64_t day = today - 2; day < today + 16; day++) {
		if (!is_session_day(s, day))
			continue;
		span.start_ns = to_utc_ns(s, day * DAY_S + s->start_s);
		span.end_ns = to_utc_ns(s, day * DAY_S + s->end_s);
		if (span.end_ns > t_ns && span.end_ns > span.start_ns)
			break;
	}
	s->from_ns = t_ns;
	s->span = span;
	return span;
}

bool session_holds(struct session *s, int64_t t_ns)
{
	return !s->on || session_from(s, t_ns).start_ns <= t_ns;
}

void grid_init(struct grid *g, const struct symbol_params *sp, struct session *session,
	       uint32_t timeframe_s)
{
	*g = (struct grid){
		.session = session,
		.step_ns = (int64_t)timeframe_s * NS_PER_S,
		.whole = session->on && timeframe_s == DAY_S,
		.from_open = session->on && sp->origin == ORIGIN_SESSION_OPEN,
	};
}

static struct span step_from(int64_t origin_ns, int64_t t_ns, int64_t step_ns)
{
	int64_t start_ns = origin_ns + floor_div(t_ns - origin_ns, step_ns) * step_ns;

	return (struct span){start_ns, start_ns + step_ns};
}

struct span grid_at(struct grid *g, int64_t t_ns)
{
	struct span session, bar;

	if (!g->whole && !g->from_open)
		return step_from(0, t_ns, g->step_ns);
	session = session_from(g->session, t_ns);
	if (g->whole)
		return session;
	bar = step_from(session.start_ns, t_ns, g->step_ns);
	if (bar.end_ns > session.end_ns)
		bar.end_ns = session.end_ns;
	return bar;
}

struct span grid_next(struct grid *g, int64_t end_ns)
{
	struct span session;
	int64_t t_ns = end_ns;

	if (g->session->on) {
		session = session_from(g->session, end_ns);
		if (session.start_ns > t_ns)
			t_ns = session.start_ns;
	}
	return grid_at(g, t_ns);
}
