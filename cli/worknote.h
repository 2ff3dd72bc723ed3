/*
 * worknote - tells the daemon how far a job is that this process computes for it
 * (`work`), a line each time (daemon/analysis_line.h; docs/JOBS.md, "The process"), and
 * knows which rows are set aside: the process died at them, before.
 *
 * NULL, in the process of a person: nobody is told, and nothing is set aside.  Any
 * thread; rows count from 0.
 */
#pragma once
#include <pthread.h>
#include <stddef.h>

#define WORKNOTE_ASIDE_MAX 64

struct worknote {
	int fd; /* borrowed */
	pthread_mutex_t lock;
	size_t n_aside;
	struct {
		size_t row;
		const char *reason; /* borrowed */
	} aside[WORKNOTE_ASIDE_MAX];
};

/* Each: when nobody listens any more the process ends. */

/** From here on we are at row @i; should we die, it may be of it. */
void worknote_begin(struct worknote *n, size_t i);
/** No longer, and we come back to it. */
void worknote_leave(struct worknote *n, size_t i);
/** It is made; @reason "": all of it. */
void worknote_row(struct worknote *n, size_t i, const char *reason);

/** Why row @i is not to be looked at; NULL: it is. */
const char *worknote_aside(const struct worknote *n, size_t i);
