/*
 * histjobs - what was asked to be fetched, and how far each symbol of it has come;
 * in history.db, so that a job outlives the command line and the process.
 *
 * A job is a list of items, one per symbol.  An item that was begun and not finished
 * when the process ended is pending again: coverage says what of it is there.
 *
 * HISTORY thread; writes happen between histstore_begin() and _commit().
 */
#pragma once
#include "store/histstore.h"

#define HISTJOBS_SOURCES_MAX 8
#define HISTJOBS_INDEX_MAX   63
#define HISTJOBS_REASON_MAX  400

/** Those from JOB_FEATURES on compute (histanalysis.h), the others fetch. */
enum histjobs_what { JOB_BARS = 0, JOB_NEWS, JOB_ACTIONS, JOB_FEATURES, JOB_REPORT };
enum histjobs_state { JOB_RUNNING = 0, JOB_DONE, JOB_CANCELLED, JOB_FAILED };
enum histjobs_item { ITEM_PENDING = 0, ITEM_DONE, ITEM_FAILED, ITEM_CANCELLED };

struct hist_job {
	uint64_t id;
	enum histjobs_state state;
	int64_t created_ns;
	int64_t finished_ns; /* 0: not yet */
	enum histjobs_what what;
	char sources[HISTJOBS_SOURCES_MAX][HIST_SOURCE_MAX + 1]; /* in order of
								    preference */
	size_t n_sources;
	char index[HISTJOBS_INDEX_MAX + 1]; /* "": none */
	struct hist_range range;
	uint32_t step_s;
	uint8_t adjust; /* enum hist_adjust */
	uint32_t items;
};

struct hist_item {
	uint32_t n; /* from 1, in the order of the list */
	char symbol[SYMBOL_MAX + 1];
	enum histjobs_item state;
	char source[HIST_SOURCE_MAX + 1]; /* who answered; "": nobody was asked */
	uint64_t rows;                    /* received */
	uint32_t requests;
	char reason[HISTJOBS_REASON_MAX]; /* why it failed */
};

struct hist_totals {
	uint32_t pending;
	uint32_t done;
	uint32_t failed;
	uint32_t cancelled;
	uint64_t rows;
	uint64_t requests;
};

/** Differs from what it was when a job or an item has changed, maybe not committed yet.
 */
ANY_THREAD uint64_t histjobs_version(const struct histstore *h);
/** Store the job with its items; sets @j->id, ->state and ->items. */
ON_HISTORY int histjobs_add(struct histstore *h, struct hist_job *j,
			    const char *const *symbols, size_t n);
/** 0, or 1: there is no such job. */
ON_HISTORY int histjobs_get(struct histstore *h, uint64_t id, struct hist_job *out);
/** Add the newest @max jobs to @out (struct hist_job), newest first. */
ON_HISTORY int histjobs_list(struct histstore *h, size_t max, struct buf *out);
/** The first running job behind @after that fetches: 0, or 1: none. */
ON_HISTORY int histjobs_next(struct histstore *h, uint64_t after, uint64_t *out_id);
ON_HISTORY int histjobs_finish(struct histstore *h, uint64_t id,
			       enum histjobs_state state, int64_t now_ns);
/** Cancel the items that are pending. */
ON_HISTORY int histjobs_cancel_items(struct histstore *h, uint64_t id);
ON_HISTORY int histjobs_totals(struct histstore *h, uint64_t id,
			       struct hist_totals *out);
/** The first pending item behind @after: 0, or 1: none. */
ON_HISTORY int histjobs_item_next(struct histstore *h, uint64_t id, uint32_t after,
				  struct hist_item *out);
ON_HISTORY int histjobs_item_set(struct histstore *h, uint64_t id,
				 const struct hist_item *item);
/** Add items (struct hist_item) behind @after with a state of at least @state. */
ON_HISTORY int histjobs_items(struct histstore *h, uint64_t id, uint32_t after,
			      enum histjobs_item state, size_t max, struct buf *out);
/** Forget finished jobs but for the newest @keep of all. */
ON_HISTORY int histjobs_prune(struct histstore *h, uint64_t keep);
