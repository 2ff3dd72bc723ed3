/*
 * archive_thread - hands over, in steps: what analysts read goes to the archive on a
 * thread that may wait, for the store, for the history and for the helper.
 *
 * The helper itself is somebody else's (daemon/archive_carrier.h).
 */
#pragma once
#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

struct archive_thread;

/** Outcomes of a step. */
enum {
	ARCHIVE_MORE = 1, /* there is more to do */
	ARCHIVE_SOON,     /* the same, but not at once: somebody else is not ready */
};

struct archive_env {
	int64_t every_ns; /* from one hand-over to the next */
	/**
	 * One step of the hand-over; @all: also of what is not closed yet.  0: done; <
	 * 0: failed (err_text()), from the cursor again later; or an outcome.
	 */
	int (*step)(void *arg, bool all);
	void *arg;
};

int archive_thread_new(const struct archive_env *env, struct archive_thread **out);
int archive_thread_start(struct archive_thread *t);
/** No step begins any more. */
void archive_thread_quiesce(struct archive_thread *t);
/** Quiesce, end the carrier (whose answers it may wait for), then this. */
void archive_thread_stop(struct archive_thread *t);
void archive_thread_free(struct archive_thread *t);

/** On ARCHIVE.  @rc < 0: err_text(). */
typedef void (*archive_flushed_fn)(void *arg, int rc);
/** Hand over everything that is committed by now.  0, or MAILBOX_FULL. */
ANY_THREAD int archive_flush(struct archive_thread *t, archive_flushed_fn fn,
			     void *arg);

struct archive_thread_status {
	uint64_t handovers; /* that ended well */
	uint64_t failures;
	int64_t done_ns; /* wall clock of the last that ended well; 0: none */
	char why[256];   /* the last failure, until one ends well */
};
ANY_THREAD void archive_thread_status(struct archive_thread *t,
				      struct archive_thread_status *out);
ANY_THREAD bool archive_thread_stopping(const struct archive_thread *t);
