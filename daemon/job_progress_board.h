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

struct daemon;
struct job_progress_board;

/** Before HISTORY has begun: what has ended by then is no news. */
ON_LOOP int job_progress_board_new(struct daemon *d, struct job_progress_board **out);
/** After HISTORY has ended.  NULL is fine. */
ON_LOOP void job_progress_board_free(struct job_progress_board *b);
/** Every 250 ms. */
ON_LOOP void job_progress_board_step(struct job_progress_board *b);
