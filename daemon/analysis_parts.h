/* analysis_parts - what the files of analysis_room share. */
#pragma once
#include "daemon/analysis_blame.h"
#include "daemon/analysis_child.h"
#include "daemon/analysis_room.h"
#include <pthread.h>

#define ANALYSIS_JOBS_MAX 16
#define ANALYSIS_NAME_MAX 48

/** What a process said of a row, on its way to the store. */
struct analysis_row {
	uint32_t n;
	bool has_failed;
	char reason[HISTJOBS_REASON_MAX];
};

/** A thread and the job that it has. */
struct analysis_slot {
	struct analysis_room *room; /* borrowed */
	pthread_t thread;
	bool has_thread;
	_Atomic uint64_t id;  /* of the job; 0: none */
	atomic_bool is_ended; /* the job was cancelled */
	/* the thread's own; HISTORY's while it is asked */
	struct hist_job job;
	struct hist_analysis stands;
	struct buf words;    /* owned; as they were asked for, each with its line end */
	struct buf symbols;  /* owned; "AAPL,MSFT" */
	struct buf holdings; /* owned */
	struct buf order;    /* owned; of all this, on the wire */
	struct buf rows;     /* owned; struct analysis_row, not stored yet */
	struct analysis_blame blame;
	int64_t stored_ns; /* when progress was */
	/* the question that is asked */
	int (*ask)(struct analysis_slot *s, struct histstore *h);
	int rc;
	bool is_answered; /* behind the room's lock */
	char text[ERR_TEXT_MAX];
};

struct analysis_room {
	const struct config *config;    /* borrowed */
	struct history_thread *history; /* borrowed */
	char dir[CONFIG_TEXT_MAX * 2];
	int dir_fd; /* owned */
	char admin[CONFIG_TEXT_MAX];
	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t bell; /* a job, an answer, the end */
	uint64_t wakes;      /* behind the lock */
	uint32_t n_slots;
	struct analysis_slot slots[ANALYSIS_JOBS_MAX];
};

/* ---- analysis_files.c: the folder of results ---- */

int analysis_files_open(struct analysis_room *r);
/** A file without a name that counts, for the job to be written to: a descriptor. */
int analysis_files_begin(struct analysis_room *r, uint64_t id);
/** Close what _begin() gave. */
void analysis_files_end(int fd);
/** Nothing is left of it. */
void analysis_files_drop(struct analysis_room *r, uint64_t id);
/** On the disk and under its name, with its size. */
int analysis_files_keep(struct analysis_room *r, uint64_t id, const char *format,
			int fd, uint64_t *out_bytes);
void analysis_files_remove(struct analysis_room *r, uint64_t id, const char *format);
/** Remove results whose job @is_known says no to, and what was never finished. */
void analysis_files_sweep(struct analysis_room *r,
			  bool (*is_known)(void *arg, uint64_t id), void *arg);

/* ---- analysis_store.c: the slot's questions to HISTORY ---- */

/** Take the oldest job that nobody has: 0, or 1: there is none. */
int analysis_store_take(struct analysis_slot *s);
/** Store what rows were told of.  Kept when it fails, for the next time. */
int analysis_store_rows(struct analysis_slot *s);
/** 0, or 1: it was cancelled meanwhile.  Retried until it is stored or the room stops
    (-ECANCELED). */
int analysis_store_finish(struct analysis_slot *s, enum histjobs_state state);
/** Wait so long, or until the room stops: true. */
bool analysis_pause(struct analysis_room *r, int64_t ns);
