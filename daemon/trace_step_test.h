/* trace_step_test - the step that tests of traces look at. */
#pragma once
#include "base/clock.h"
#include "bus/trace.h"

#define S NS_PER_S

/* Accepted at wall 100 s, on the bus at 101.5 s = monotonic 51.5 s. */
static const struct trace_step whole = {
	.first_pos = 7,
	.last_pos = 10,
	.last_tick = 9,
	.recv_ns = 100 * S,
	.wall_ns = 101 * S + S / 2,
	.n_workers = 2,
	.at_ns = {[TRACE_COMMIT] = 51 * S,
		  [TRACE_DISPATCH] = 51 * S + S / 2,
		  [TRACE_TICK] = 52 * S,
		  [TRACE_WORKER] = 53 * S,
		  [TRACE_WORKER + 1] = 54 * S,
		  [TRACE_TIER2] = 56 * S,
		  [TRACE_PUBLISH] = 60 * S},
};
