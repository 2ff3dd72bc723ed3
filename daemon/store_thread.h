/*
 * store_thread - the sequencer: the one thread that owns the log.
 *
 * Others hand it jobs through its mailbox; a job is a function that runs here,
 * in order of arrival.  One turn: run jobs until the group is full, the box is empty
 * or a turn's time is over, commit and answer, dispatch, housekeeping.  So what arrives
 * while a commit is on its way to the disk shares the next one.
 */
#pragma once
#include "base/role.h"
#include "bus/symtab.h"
#include "daemon/dispatch.h"
#include "daemon/intake.h"
#include "daemon/snapshot.h"
#include "store/tickstore.h"
#include <stdbool.h>

struct store_thread;

/** Runs on the store thread; owns @arg. */
typedef void (*store_job_fn)(struct store_thread *st, void *arg);

struct store_env {
	struct tickstore *store;   /* taken: closed by store_thread_free() */
	struct intake *intake;     /* taken */
	struct dispatch *dispatch; /* taken */
	struct snapshot *snapshot; /* taken */
	struct trace *trace;       /* borrowed; NULL: no traces */
	size_t mailbox_slots;
	int64_t spin_ns;
	/** Called once when the log failed; the loop then ends the process. */
	void (*failed)(void *arg);
	/** On the store thread, some times a second; NULL: nothing to do. */
	void (*care)(void *arg);
	/** Of a job that was posted too late to run; NULL: jobs own nothing. */
	void (*left)(store_job_fn fn, void *job_arg);
	void *arg;
};

int store_thread_new(const struct store_env *env, struct store_thread **out);
/** Stop first.  Closes the store: 0 or the error of the last checkpoint. */
int store_thread_free(struct store_thread *st);
int store_thread_start(struct store_thread *st);
/** Run what is in the box, commit, dispatch all, then join. */
void store_thread_stop(struct store_thread *st);

/** Hand over a job.  0 or MAILBOX_FULL (count it, answer busy). */
ANY_THREAD int store_post(struct store_thread *st, store_job_fn fn, void *arg);

/** One turn; returns the work done, < 0 when the log failed. */
ON_STORE int store_step(struct store_thread *st);
ON_STORE struct tickstore *store_log(struct store_thread *st);
ON_STORE struct intake *store_intake(struct store_thread *st);
ON_STORE struct dispatch *store_dispatch(struct store_thread *st);
ON_STORE struct snapshot *store_snapshot(struct store_thread *st);
/** Ticks were committed within the last tenth of a second. */
ON_STORE bool store_is_busy(const struct store_thread *st);
/** Refresh the copy that store_status_copy() gives out. */
ANY_THREAD void store_status_copy(struct store_thread *st, struct store_status *out);
/** A sentence, once failed. */
ANY_THREAD const char *store_failure(const struct store_thread *st);
/** 0, or what failed: -EBADMSG (the log is damaged), else a write or sync. */
ANY_THREAD int store_failure_code(const struct store_thread *st);
ANY_THREAD uint64_t store_moved(const struct store_thread *st);
ANY_THREAD uint64_t store_committed(const struct store_thread *st);
ANY_THREAD uint64_t store_dispatched(const struct store_thread *st);
