/*
 * worknote - tells the daemon how far a job is that this process computes for it
 * (`work`), a line per row (docs/ARCHITECTURE.md, "Jobs that compute").
 *
 * NULL, in the process of a person: nobody is told.  Any thread.
 */
#pragma once
#include <pthread.h>
#include <stddef.h>

struct worknote {
	int fd; /* borrowed */
	pthread_mutex_t lock;
};

/** Row @i, from 0, is made; @reason "": all of it.  When nobody listens any more the
    process ends. */
void worknote_row(struct worknote *n, size_t i, const char *reason);
