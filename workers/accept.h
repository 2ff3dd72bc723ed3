/*
 * accept - batch verdicts over the final bars of one series: is this data set good
 * enough, and should the symbol be left out of a study (semantics A.2.6, A.2.7).
 *
 * A report names every rule that was broken; it deletes nothing.
 *
 *	acceptance  at least 90 % valid bars, the first and the last bar valid, no run
 *of invalid bars longer than invalid_run_max exclusion   more than 5 % missing, more
 *than 3 missing in a row, the first or the last bar missing gaps        silences longer
 *than the symbol's max_gap_minutes, counted
 */
#pragma once
#include "base/buf.h"
#include "workers/params.h"
#include <stddef.h>

enum { /* accept_report.refused, OR-ed: why the data set is not accepted */
       ACCEPT_EMPTY = 1,
       ACCEPT_FEW_VALID = 2,
       ACCEPT_FIRST_INVALID = 4,
       ACCEPT_LAST_INVALID = 8,
       ACCEPT_LONG_INVALID_RUN = 16,
};

enum { /* accept_report.excluded, OR-ed: why the symbol should be left out */
       EXCLUDE_EMPTY = 1,
       EXCLUDE_MANY_MISSING = 2,
       EXCLUDE_LONG_MISSING_RUN = 4,
       EXCLUDE_FIRST_MISSING = 8,
       EXCLUDE_LAST_MISSING = 16,
};

struct accept_rules {
	double valid_ratio_min;   /* 0.90 */
	double missing_ratio_max; /* 0.05 */
	uint64_t missing_run_max; /* 3 */
	uint64_t invalid_run_max; /* 10: "no long run" in bars */
};

struct accept_report {
	uint64_t bars;
	uint64_t valid;
	uint64_t missing;
	uint64_t outliers;
	uint64_t missing_run; /* longest */
	uint64_t invalid_run; /* longest */
	uint64_t gaps;        /* silences longer than max_gap_minutes */
	int64_t gap_ns;       /* the longest silence, whether counted or not */
	int64_t gap_start_ns;
	unsigned refused;
	unsigned excluded;
};

void accept_rules_default(struct accept_rules *r);
/**
 * @bars: of one series in order of time.  Several revisions of a bar may follow each
 * other; the last one counts.  A hole between two bars (the grid had ended) is a gap.
 */
void accept_judge(const struct accept_rules *r, const struct symbol_params *sp,
		  const struct event_bar *bars, size_t n, struct accept_report *out);
/** One line of text: the numbers, then each broken rule by name. */
void accept_print(const struct accept_report *report, struct buf *out);
