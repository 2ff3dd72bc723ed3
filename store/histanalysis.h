/*
 * histanalysis - what stands beside a job (histjobs.h) that computes: the words it was
 * asked with, what is held by whoever asked, and what became of it; in history.db, so
 * that a job that was cut off begins again.
 *
 * Its items are the symbols that it computes, in their order.
 *
 * HISTORY thread; writes happen between histstore_begin() and _commit().
 */
#pragma once
#include "store/histjobs.h"

#define HISTANALYSIS_FORMAT_MAX 7 /* "json" */

struct hist_analysis {
	uint64_t job;
	char format[HISTANALYSIS_FORMAT_MAX +
		    1];                /* of its result, and how the file ends */
	uint64_t bytes;                /* of the result; 0: there is none */
	uint32_t tries;                /* how often it was begun */
	char why[HISTJOBS_REASON_MAX]; /* the whole of it failed; "": it did not */
};

/** Beside a job that histjobs_add() has just made; texts are opaque. */
ON_HISTORY int histanalysis_add(struct histstore *h, const struct hist_analysis *a,
				const struct buf *words, const struct buf *holdings);
/** 0, or 1: it is no such job. */
ON_HISTORY int histanalysis_get(struct histstore *h, uint64_t job,
				struct hist_analysis *out);
/** Add its texts to @words and @holdings (NULL: not wanted): 0, or 1. */
ON_HISTORY int histanalysis_order(struct histstore *h, uint64_t job, struct buf *words,
				  struct buf *holdings);
/** Store what changes: bytes, tries, why. */
ON_HISTORY int histanalysis_set(struct histstore *h, const struct hist_analysis *a);
/** The first running job behind @after that computes: 0, or 1: none. */
ON_HISTORY int histanalysis_next(struct histstore *h, uint64_t after, uint64_t *out_id);
/** Every item is pending again. */
ON_HISTORY int histanalysis_reset(struct histstore *h, uint64_t job);
/** Without a result nothing was done: items that have not failed have, of @why. */
ON_HISTORY int histanalysis_fail_items(struct histstore *h, uint64_t job,
				       const char *why);
