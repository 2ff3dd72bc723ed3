/* rerun_parts - what rerun.c and rerun_life.c know in common; nobody else includes it.
 */
#pragma once
#include "daemon/inband.h"
#include "daemon/rerun.h"
#include "workers/newsroom.h"
#include "workers/shard.h"
#include "workers/tier2.h"
#include <pthread.h>

#define BATCH_RECORDS 2048u /* handed over together: a shard's items fit the cache */
#define BATCH_ITEMS   (2 * BATCH_RECORDS + 1) /* a source item each, and the mark */
#define BATCH_CLOSES  65536u /* lanes that clock records may close in one batch */
#define SLOTS         8u     /* batches under way */

#define SHARD_KINDS 3u /* bar, tier1, status: rerun_kinds[] */

/* A shard's part of a batch: what goes in, and what came out. */
struct portion {
	struct item *items; /* owned; BATCH_ITEMS */
	size_t n;
	struct buf events[SHARD_KINDS]; /* owned; structs, one behind the other */
	struct buf cuts;                /* owned; struct cut_item */
};

struct batch {
	struct portion of[RERUN_WORKERS_MAX];
	struct buf news; /* owned; struct event_news, from the caller's thread */
	uint32_t n_records;
	uint64_t closes; /* lanes that its clock records may close */
	uint64_t last_pos;
};

/* A shard with the thread that runs it. */
struct runner {
	struct rerun *rerun;
	struct shard *shard; /* owned */
	struct portion *now; /* where its events go */
	uint32_t index;
	uint64_t done; /* batches; under the lock */
	pthread_t thread;
	bool has_thread;
};

struct rerun {
	struct rerun_env env;
	rerun_event_fn event;
	void *arg;
	struct inband inband;
	struct runner runners[RERUN_WORKERS_MAX];
	struct tier2 *tier2;   /* owned */
	struct newsroom *news; /* owned */
	struct buf article;    /* owned; the text of one */
	struct buf matrix;     /* owned; the one being delivered */
	rerun_part_fn part;    /* during rerun_save() */
	void *part_arg;
	struct batch slots[SLOTS];
	uint64_t n_delivered; /* batches */
	int rc;               /* the first thing that went wrong */
	pthread_mutex_t lock; /* guards what follows and runner.done */
	pthread_cond_t work, done;
	uint64_t n_given; /* batches handed over; written by the caller alone */
	bool stop;
};

extern const enum event_kind rerun_kinds[SHARD_KINDS];

/** Run @n's portions on a thread of its own until rerun.stop. */
int rerun_start(struct runner *n);
