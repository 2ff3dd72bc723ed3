/*
 * stats - every counter of the process, from one table (bus/stats.def).
 *
 * Adding is cheap and never waits: each thread adds to a lane of its own (a
 * relaxed atomic add on a line that no other thread uses), and a reader sums
 * the lanes.  A sum may be a moment old and never loses an addition, also not
 * when threads come and go.
 */
#pragma once
#include "base/role.h"
#include "proto/event.h"
#include <stdint.h>

enum stat_id {
#define X(id, name, labels, type, help) STAT_##id,
#include "bus/stats.def"
#undef X
#define X(id, label) STAT_REJECT_##id,
	REJECT_REASONS(X)
#undef X
		STAT_N
};

enum stat_type { STAT_COUNTER, STAT_GAUGE };

struct stat_info {
	const char *name;   /* "ticks_accepted_total"; the exporter adds "tickbus_" */
	const char *labels; /* "kind=\"tick\"", or "" */
	const char *help;
	enum stat_type type;
};

/** What @id is called; the order is the table's, families lie together. */
ANY_THREAD const struct stat_info *stats_info(enum stat_id id);

/** Add to a counter. */
ANY_THREAD void stats_add(enum stat_id id, uint64_t n);
/** Set a gauge. */
ANY_THREAD void stats_set(enum stat_id id, uint64_t value);
/** A counter's sum or a gauge's value. */
ANY_THREAD uint64_t stats_get(enum stat_id id);

static inline void stats_add_reject(enum reject_reason reason, uint64_t n)
{
	stats_add((enum stat_id)((unsigned)STAT_REJECT_NONE + (unsigned)reason), n);
}

static inline void stats_add_published(enum event_kind kind, uint64_t n)
{
	stats_add((enum stat_id)((unsigned)STAT_PUBLISHED_TICK + (unsigned)kind), n);
}
