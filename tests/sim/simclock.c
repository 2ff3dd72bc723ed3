/* simclock - see simclock.h: defines what base/clock.c defines. */
#include "tests/sim/simclock.h"

static int64_t wall_ns = SIMCLOCK_START;

int64_t clock_wall_ns(void)
{
	return wall_ns;
}

int64_t clock_mono_ns(void)
{
	return wall_ns - SIMCLOCK_START + NS_PER_S;
}

void simclock_set(int64_t ns)
{
	wall_ns = ns;
}

void simclock_advance(int64_t ns)
{
	wall_ns += ns;
}
