/* clock - the two clocks: wall (UTC, may step) and mono (never steps back). */
#pragma once
#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

/** Nanoseconds since 1970 UTC.  Never used on the derived path. */
int64_t clock_wall_ns(void);
/** Nanoseconds of CLOCK_MONOTONIC, for time-outs and latencies. */
int64_t clock_mono_ns(void);
