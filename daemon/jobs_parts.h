/* jobs_parts - what the files of jobs share. */
#pragma once
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/jobs.h"
#include "daemon/jobs_plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** An item under way. */
struct slot {
	bool is_used;
	bool is_asking;
	bool wants_actions; /* first: an adjusted series needs them */
	uint32_t generation;
	uint64_t ask_id;
	struct hist_job job;
	struct hist_item item;
	size_t source;                      /* which of the job's is asked */
	const struct config_vendor *vendor; /* ... */
	struct hist_series series;
	struct buf missing; /* struct hist_range */
	size_t range;       /* which of these is asked */
	struct hist_range piece;
	int64_t asked_ns;  /* wall; decides what is settled */
	uint32_t requests; /* of the question at hand */
	struct buf why;    /* what each vendor said */
};

/** A job of which items are begun. */
struct open_job {
	uint64_t id;
	uint32_t after; /* the last item that was begun */
	uint32_t slots; /* items under way */
	bool is_begun;  /* ... all of them */
	bool is_ended;  /* nothing is left to do */
};

struct jobs {
	struct jobs_env env;
	struct slot slots[JOBS_SLOTS_MAX];
	struct buf open;   /* struct open_job, by id */
	uint64_t last_job; /* the newest that was opened */
};

/* ---- jobs_slot.c ---- */

/** The slot has its job and item: find what is missing and ask, or end. */
ON_HISTORY int jobs_slot_begin(struct jobs *j, struct slot *s, int64_t now_ns);
/** The vendor at hand could not: the next one, or the item has failed. */
ON_HISTORY int jobs_slot_next_vendor(struct jobs *j, struct slot *s, const char *why,
				     int64_t now_ns);
/** @r is complete, as far as nothing in it can change any more. */
ON_HISTORY int jobs_slot_cover(struct jobs *j, const struct slot *s,
			       const struct hist_range *r, int64_t now_ns);
/** The piece at hand is complete: ask the next, or end. */
ON_HISTORY int jobs_slot_go_on(struct jobs *j, struct slot *s, int64_t now_ns);
/** Without a trace in the store. */
ON_HISTORY void jobs_slot_free(struct jobs *j, struct slot *s);
ON_HISTORY struct open_job *jobs_open(struct jobs *j, uint64_t id);
