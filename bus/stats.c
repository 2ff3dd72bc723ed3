/*
 * stats - lanes of counters.
 *
 * The counters are the process's, so this file holds them: the one table of
 * state outside main.c, role.c and log.c, for the same reason as theirs.
 *
 * A thread takes the next lane at its first addition and keeps it; more threads
 * than lanes share, which costs speed and nothing else because every addition is
 * atomic.  A gauge lives in lane 0 alone: the last setter wins.
 */
#include "bus/stats.h"
#include <assert.h>
#include <stdatomic.h>

#define LANES 16

struct lane {
	_Alignas(128) _Atomic uint64_t cell[STAT_N];
};

static struct lane lanes[LANES];
static atomic_uint lanes_taken;
static _Thread_local unsigned my_lane; /* 1 + the lane; 0: none yet */

#define COUNTER STAT_COUNTER
#define GAUGE   STAT_GAUGE
static const struct stat_info infos[STAT_N] = {
#define X(id, name_, labels_, type_, help_)                                            \
	[STAT_##id] = {.name = (name_),                                                \
		       .labels = (labels_),                                            \
		       .help = (help_),                                                \
		       .type = (type_)},
#include "bus/stats.def"
#undef X
#define X(id, label)                                                                   \
	[STAT_REJECT_##id] = {.name = "ticks_rejected_total",                          \
			      .labels = "reason=\"" label "\"",                        \
			      .help = "Ticks refused, by reason",                      \
			      .type = STAT_COUNTER},
	REJECT_REASONS(X)
#undef X
};

_Static_assert(STAT_PUBLISHED_HEARTBEAT - STAT_PUBLISHED_TICK == EVENT_HEARTBEAT,
	       "the family of published events follows enum event_kind");
_Static_assert(EVENT_HEARTBEAT + 1 == EVENT_KINDS, "a kind has no line in stats.def");

const struct stat_info *stats_info(enum stat_id id)
{
	assert((unsigned)id < STAT_N);
	return &infos[id];
}

static struct lane *lane(void)
{
	if (my_lane == 0)
		my_lane = 1 + atomic_fetch_add_explicit(&lanes_taken, 1,
							memory_order_relaxed) %
				      LANES;
	return &lanes[my_lane - 1];
}

void stats_add(enum stat_id id, uint64_t n)
{
	assert((unsigned)id < STAT_N);
	assert(infos[id].type == STAT_COUNTER);
	atomic_fetch_add_explicit(&lane()->cell[id], n, memory_order_relaxed);
}

void stats_set(enum stat_id id, uint64_t value)
{
	assert((unsigned)id < STAT_N);
	assert(infos[id].type == STAT_GAUGE);
	atomic_store_explicit(&lanes[0].cell[id], value, memory_order_relaxed);
}

uint64_t stats_get(enum stat_id id)
{
	uint64_t sum = 0;

	assert((unsigned)id < STAT_N);
	for (unsigned i = 0; i < LANES; i++)
		sum += atomic_load_explicit(&lanes[i].cell[id], memory_order_relaxed);
	return sum;
}
