/*
 * analysis_blame - which rows a process was at when it died, and which of them the next
 * one does without.
 *
 * A process says where it is (analysis_line.h), so its death leaves suspects: the rows
 * that it had begun and neither left nor made.  Threads make several; from the second
 * death on there is one thread, so one suspect.  Whoever is the only suspect of a death
 * and was one of a death before is set aside: the next process gets it with a reason in
 * place of its values.  So a row is condemned by two deaths, never by one, and a
 * `kill -9` from outside has to come when the same row is computed, again.
 *
 *	death ──> again ── death ──> again, one thread ── death ──> the row is set aside
 *	            ^                                                         │
 *	            └───────────── with all threads, without it ──────────────┘
 *
 * Bounded: rows that are set aside, deaths from one such row to the next.  Nothing of
 * it outlives the daemon; a job that begins again begins with nobody suspected.
 */
#pragma once
#include "daemon/analysis_line.h"

#define ANALYSIS_ASIDE_MAX  16
#define ANALYSIS_DEATHS_MAX 3 /* in a row, when nothing tells of what */
#define ANALYSIS_HUNT_MAX   6 /* in a row, while there are suspects */

struct analysis_aside {
	uint32_t row; /* from 1 */
	char reason[HISTJOBS_REASON_MAX];
};

/** Zeros: a job without rows. */
struct analysis_blame {
	uint32_t rows, told; /* of them by the process that runs */
	struct buf at;       /* owned; struct analysis_at, by row */
	unsigned deaths;     /* of all processes of the job */
	unsigned in_a_row;   /* ... since a row was set aside */
	bool is_alone;       /* the next process is to have one thread */
	size_t n_aside;
	struct analysis_aside aside[ANALYSIS_ASIDE_MAX]; /* as they were found */
};

/** What is to come after a death. */
enum analysis_next {
	ANALYSIS_AGAIN = 0,
	ANALYSIS_WITHOUT, /* the newest of `aside` */
	ANALYSIS_OVER,    /* it would die again */
};

/** Another job, of @rows rows: nobody is suspected. */
void analysis_blame_job(struct analysis_blame *b, uint32_t rows);
/** Another process for it: it has told of nothing. */
void analysis_blame_process(struct analysis_blame *b);
/** 0, or -EINVAL: there is no such row, or it makes no sense of it. */
int analysis_blame_line(struct analysis_blame *b, const struct analysis_line *line);
/** The process has died, of what @why says. */
enum analysis_next analysis_blame_death(struct analysis_blame *b, const char *why);
void analysis_blame_free(struct analysis_blame *b);
