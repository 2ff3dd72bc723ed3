/*
 * backup_job - a backup (store/backup.h) made by a running daemon, on a thread of its
 * own; one at a time.
 *
 * It goes into STATE/backup, for the daemon writes nowhere else; `tickbusctl backup`
 * takes it from there.  The databases are copied on the threads that own them, a piece
 * of a few pages at a time between their own turns; hashes and syncs are this thread's.
 */
#pragma once
#include "base/role.h"
#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct backup_job;

struct backup_state {
	uint64_t id; /* from 1 */
	bool is_done;
	int rc; /* when done: 0, or text says why not */
	char text[512];
	char dir[4096]; /* where it lies */
	uint64_t pages; /* copied */
	uint64_t pages_all;
	uint64_t position; /* when done */
	uint64_t epoch;
};

/** Begin; what an earlier one left is removed.  0; -EBUSY: one is running; -ENOSPC:
 * there is no room for a second copy of the state; ... */
ON_LOOP int backup_job_start(struct daemon *d);
/** False: there was none since the start. */
ON_LOOP bool backup_job_state(struct daemon *d, struct backup_state *out);
/** Cancel the one that runs, if any, remove its files and forget it. */
ON_LOOP void backup_job_end(struct daemon *d);
