/* history_parts - what the files of history_thread share. */
#pragma once
#include "base/mailbox.h"
#include "base/parker.h"
#include "daemon/history_thread.h"
#include <pthread.h>
#include <stdatomic.h>

struct history_letter {
	history_fn fn;
	history_done_fn done; /* NULL: nobody waits */
	void *arg;
};

struct history_thread {
	const struct config *config; /* borrowed */
	struct feed_thread *feed;    /* borrowed; NULL: nothing is fetched */
	struct histstore *store;     /* owned */
	struct jobs *jobs;           /* owned */
	struct mailbox *box;         /* owned; struct history_letter */
	struct parker parker;
	_Atomic uint64_t posted; /* letters */
	uint64_t n_taken;
	int64_t resume_ns; /* jobs rest until then */
	int64_t care_ns;   /* when housekeeping is due */
	uint64_t damaged;  /* chunks that were told of */
	atomic_uint pages; /* handed over by FEED, not taken yet */
	_Atomic size_t page_bytes;
	pthread_t thread;
	bool running_thread;
	void (*after)(struct history_thread *t, void *arg); /* this turn; NULL */
	void *after_arg;
	atomic_bool stop;
	atomic_bool is_quiet;
	_Atomic uint64_t moved;
};

/* ---- history_fetch.c: struct jobs_env's functions, @arg is the thread ---- */

const struct vendor_ops *history_fetch_ops(void *arg, const char *vendor);
ON_HISTORY int history_fetch_ask(void *arg, const char *vendor,
				 const struct vendor_ask *ask, uint32_t slot,
				 uint32_t generation, uint64_t *out_id);
void history_fetch_cancel(void *arg, uint64_t id);

/* ---- history_cache.c ---- */

/** Drop whole series, the longest not fetched first, until @bytes are gone. */
ON_HISTORY int history_evict(struct history_thread *t, uint64_t bytes);
