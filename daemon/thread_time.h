/*
 * thread_time - how long the process's threads have been on a processor, by name: a
 * thread's share of a second is how busy it was.  Threads of one name are one.
 */
#pragma once
#include "base/jsonw.h"
#include <stddef.h>
#include <stdint.h>

#define THREAD_NAMES_MAX 96u

struct thread_time {
	char name[16]; /* "loop", "store", "worker-0", "tier2", ... */
	int64_t cpu_ns;
};

/** One thread asks: names are remembered for a minute.  Those of now, in order of name;
 * returns how many, at most THREAD_NAMES_MAX. */
size_t thread_times(struct thread_time out[THREAD_NAMES_MAX]);
/** The member "threads": {"store": seconds, ...}. */
void thread_times_json(struct jsonw *w);
