/*
 * job_progress_board - tells subscribers how far jobs are (proto/job_progress.h).
 *
 *	quarter of a second: has a job changed, and does anybody listen?
 *	  -> HISTORY: those that run, are new, or ran when last told -> loop: what is
 *	     new in them, as a frame and as lines of JSON on the sockets of status
 *
 * So a job is told of at most four times a second, whatever it does, and what is told
 * is committed.  Nobody listens: nothing is looked at.
 */
#pragma once
#include "base/role.h"
#include "proto/job_progress.h"
#include <stdbool.h>

struct daemon;
struct job_progress_board;

/** Before HISTORY has begun: what has ended by then is no news. */
ON_LOOP int job_progress_board_new(struct daemon *d, struct job_progress_board **out);
/** After HISTORY has ended.  NULL is fine. */
ON_LOOP void job_progress_board_free(struct job_progress_board *b);
/** Every 250 ms. */
ON_LOOP void job_progress_board_step(struct job_progress_board *b);

/** The jobs that run, as they were last looked at. */
struct job_progress_running {
	uint64_t changes; /* +1 when any of them has got further, began or ended */
	uint64_t set;     /* +1 when one began or ended: who lists jobs asks again */
	const struct job_progress *jobs; /* newest first; until the next step */
	size_t n;
};

/** False: nobody has looked yet. */
ON_LOOP bool job_progress_board_running(const struct job_progress_board *b,
					struct job_progress_running *out);
