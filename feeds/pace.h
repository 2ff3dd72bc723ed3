/*
 * pace - how long to wait before the next event, when a recording is played at
 * a speed.  Pure: the caller brings the clock.
 *
 * A recorded silence longer than gap_max_ns counts as that long, so that nights
 * and weekends need not be waited for.  Time that goes backwards waits for
 * nothing.  Falling behind is caught up, not forgiven: the schedule is fixed.
 */
#pragma once
#include <stdint.h>

#define PACE_NORMAL 1000 /* speed 1.0 */

struct pace {
	uint64_t speed_milli; /* 1000: as it happened; 0: as fast as possible */
	int64_t gap_max_ns;   /* 0: no bound */
	int64_t start_ns;     /* of the caller's clock, at the first event */
	int64_t last_ns;      /* newest event time seen */
	int64_t played_ns;    /* recorded time to play before the newest event */
	int began;
};

void pace_init(struct pace *p, uint64_t speed_milli, int64_t gap_max_ns);
/** Nanoseconds to wait at @now_ns until the event of @event_ns is due; 0: now. */
int64_t pace_wait_ns(struct pace *p, int64_t event_ns, int64_t now_ns);
