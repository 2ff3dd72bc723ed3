/* pace - the schedule: start + played / speed, in 128 bits so that nothing wraps. */
#include "feeds/pace.h"

void pace_init(struct pace *p, uint64_t speed_milli, int64_t gap_max_ns)
{
	*p = (struct pace){.speed_milli = speed_milli, .gap_max_ns = gap_max_ns};
}

static int64_t clamp(__int128 v)
{
	if (v < 0)
		return 0;
	return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

int64_t pace_wait_ns(struct pace *p, int64_t event_ns, int64_t now_ns)
{
	__int128 step, due;

	if (p->speed_milli == 0)
		return 0;
	if (!p->began) {
		p->began = 1;
		p->start_ns = now_ns;
		p->last_ns = event_ns;
		return 0;
	}

	step = (__int128)event_ns - p->last_ns;
	if (step > 0) {
		p->last_ns = event_ns;
		if (p->gap_max_ns > 0 && step > p->gap_max_ns)
			step = p->gap_max_ns;
		p->played_ns = clamp((__int128)p->played_ns + step);
	}
	due = p->start_ns + (__int128)p->played_ns * PACE_NORMAL / p->speed_milli;
	return clamp(due - now_ns);
}
