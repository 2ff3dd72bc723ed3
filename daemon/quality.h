/*
 * quality - how good the bars of a symbol are: what is missing in its sessions, and
 * what does not look like a price (the rules of workers/clean.h).
 *
 * Pure; any thread.  A session is that of the symbol's parameters, in its exchange's
 * zone; without one the day has 24 hours.  A session without any bar is a day off, or a
 * day missing: it is counted apart.  Bars lie by start_ns once each, so there are no
 * duplicates to count.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include "store/histstore.h"
#include "workers/params.h"
#include <stddef.h>
#include <stdint.h>

/** A silence inside a session. */
struct quality_gap {
	int64_t from_ns;
	int64_t to_ns;
};

struct quality_outlier {
	int64_t start_ns;
	int64_t close_e9;
	double log_return;
	uint8_t reason; /* enum outlier_reason of proto/event.h */
};

struct quality {
	uint64_t bars;
	uint64_t outside;   /* of sessions */
	uint64_t sessions;  /* with at least one bar */
	uint64_t empty;     /* sessions without one */
	uint64_t expected;  /* bars of the sessions that have some */
	uint64_t present;   /* of these */
	uint64_t invalid;   /* high below low, close outside, not positive */
	uint64_t gaps;      /* longer than max_gap_minutes */
	int64_t longest_ns; /* of these */
	uint64_t outliers;
	struct buf gap_list;     /* struct quality_gap, the first QUALITY_LIST_MAX */
	struct buf outlier_list; /* struct quality_outlier, likewise */
};

#define QUALITY_LIST_MAX 100

/** Judge @n bars of step @step_s, ascending, all that there are in @r. */
void quality_judge(const struct symbol_params *sp, uint32_t step_s,
		   const struct hist_range *r, const struct hist_bar *bars, size_t n,
		   struct quality *out);
void quality_free(struct quality *q);
