/*
 * analysis_room - features and reports as jobs: who computes them, one after the other,
 * and what becomes of the results.
 *
 *	admin: a job is stored ── wake ──> thread: take it ──> process (analysis_child)
 *	                                      ^   progress, some times a second |
 *	HISTORY: rows of the job <────────────┴── result: synced, renamed <─────┘
 *
 * As many threads as jobs at a time; each begins the oldest that nobody has.  What is
 * stored decides: a job that was cut off by the end of the daemon begins again with the
 * next start; one whose process dies begins again too, and without the symbol that it
 * dies of (analysis_blame.h).  A result is written beside and gets its name when it is
 *whole and on the disk, before the job is called done.
 *
 * Results lie in one folder, by names made of the job's number alone, as long as the
 * job is remembered (ingest.jobs).
 */
#pragma once
#include "base/role.h"
#include "daemon/config.h"
#include "daemon/history_thread.h"
#include "store/histanalysis.h"

#define ANALYSIS_PATH_MAX 4300

struct analysis_room;

/** @config and @history are borrowed.  Makes the folder; < 0: it cannot be used. */
ON_LOOP int analysis_room_new(const struct config *config,
			      struct history_thread *history,
			      struct analysis_room **out);
/** When the daemon can be asked. */
ON_LOOP int analysis_room_start(struct analysis_room *r);
/** Ends what runs; it begins again with the next start.  Before HISTORY ends. */
ON_LOOP void analysis_room_stop(struct analysis_room *r);
ON_LOOP void analysis_room_free(struct analysis_room *r); /* NULL is fine */

/** A job was stored. */
ANY_THREAD void analysis_room_wake(struct analysis_room *r);
/** It is stored as cancelled: end its process, if there is one. */
ANY_THREAD void analysis_room_cancel(struct analysis_room *r, uint64_t id);
/** Jobs that somebody has. */
ANY_THREAD uint32_t analysis_room_running(struct analysis_room *r);
/** Where the result of a job lies when it is done. */
ANY_THREAD void analysis_room_path(const struct analysis_room *r, uint64_t id,
				   const char *format, char out[ANALYSIS_PATH_MAX]);
