/*
 * job_progress - JOB_PROGRESS, template 7: how far jobs of the daemon are.
 *
 *	header 8 | root 32 | group header 4 | job | job | ...
 *
 * A state, no history: the newest word about a job says all, so it is neither stored
 *nor caught up, has no sequence of its own, and who comes later asks (`job N`).  It
 *goes out on the socket of status events, at most four times a second per job.
 */
#pragma once
#include "proto/frame.h"

#define JOB_PROGRESS_MAX  64 /* jobs in a frame */
#define JOB_PROGRESS_TEXT 64

/** Values are the wire's; they only grow. */
enum job_what {
	JOB_IS_BARS = 0,
	JOB_IS_NEWS,
	JOB_IS_ACTIONS,
	JOB_IS_FEATURES,
	JOB_IS_REPORT
};
enum job_state { JOB_IS_RUNNING = 0, JOB_IS_DONE, JOB_IS_CANCELLED, JOB_IS_FAILED };

struct job_progress {
	uint64_t id;
	int64_t created_ns;
	int64_t finished_ns; /* VALUE_NULL: not yet */
	uint32_t total;      /* symbols */
	uint32_t done;       /* of them: */
	uint32_t failed;
	uint32_t cancelled;
	uint8_t what;  /* enum job_what */
	uint8_t state; /* enum job_state */
	uint8_t reserved[6];
	char text[JOB_PROGRESS_TEXT]; /* why it failed; UTF-8, NUL padded */
};
_Static_assert(sizeof(struct job_progress) == 112, "wire block");

#define JOB_PROGRESS_SIZE                                                              \
	(sizeof(struct sbe_head) + sizeof(struct frame_root) +                         \
	 sizeof(struct sbe_group) + JOB_PROGRESS_MAX * sizeof(struct job_progress))

/** "features"; "?" of what is unknown. */
const char *job_what_name(unsigned what);
/** "running". */
const char *job_state_name(unsigned state);

/** A frame of @n (1 .. JOB_PROGRESS_MAX) jobs; returns its length. */
size_t job_progress_write(uint8_t out[JOB_PROGRESS_SIZE], const struct frame_root *root,
			  const struct job_progress *jobs, size_t n);

/** What was received; valid as long as its bytes are. */
struct job_progress_view {
	struct frame_root root;
	uint32_t n;
	/* private */
	const uint8_t *at;
	size_t stride;
};

/** 0, FRAME_BAD, or FRAME_OTHER: it is another template. */
int job_progress_open(const void *data, size_t len, struct job_progress_view *out);
/** Copy job @i < n. */
void job_progress_get(const struct job_progress_view *v, size_t i,
		      struct job_progress *out);
/** "job.7|", into TOPIC_MAX bytes; its length. */
size_t job_progress_topic(char *out, uint64_t id);
/** One object, added to @out. */
struct buf;
void job_progress_json(const struct job_progress *j, const struct frame_root *root,
		       struct buf *out);
