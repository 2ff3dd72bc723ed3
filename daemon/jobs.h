/*
 * jobs - fetch what was asked for: W symbols at once, each on its own way.
 *
 *	item of a job ─> slot: what is missing? ─> ask the first vendor, range by range
 *	                   ^                          | page: bars, coverage
 *	                   |                          | done: the range is complete
 *	                   └── next item <── end <────┴ failed: the next vendor, or:
 *failed
 *
 * What is complete at any vendor of the list is not asked again, so a job that is run
 * again makes no request, and one that was killed goes on where the last page ended.
 * A range is complete up to the time before which nothing changes any more
 * (ingest.settle); what came later is stored and asked for again next time.
 *
 * No I/O but the store's: who asks and when pages come is the environment's business,
 * so a test plays all of it.  HISTORY thread; inside a transaction of the store.
 */
#pragma once
#include "base/role.h"
#include "daemon/config.h"
#include "feeds/fetcher.h"
#include "store/histjobs.h"

#define JOBS_SLOTS_MAX 256

struct jobs;

/** What a vendor said to one question of a slot, on its way to the store. */
struct jobs_news {
	uint32_t slot;
	uint32_t generation; /* of the slot; an older one is old news */
	enum fetch_state state;
	struct buf bars;     /* struct hist_bar, ascending */
	struct buf articles; /* struct hist_article */
	struct buf actions;  /* struct hist_action */
	bool is_last;        /* no page follows */
	char currency[8];    /* of the prices, as the vendor says; "": it does not */
	uint32_t requests;   /* of this question so far */
	struct vendor_problem problem;
};

struct jobs_env {
	struct histstore *store;     /* borrowed */
	const struct config *config; /* borrowed; vendors, ingest */
	uint32_t slots;              /* W, 1 .. JOBS_SLOTS_MAX */
	/** The adapter of a vendor; NULL: there is no such vendor. */
	const struct vendor_ops *(*ops)(void *arg, const char *vendor);
	/** Ask; the answers come as news of that slot and generation.  0 or a negated
	    errno with a sentence. */
	int (*ask)(void *arg, const char *vendor, const struct vendor_ask *ask,
		   uint32_t slot, uint32_t generation, uint64_t *out_id);
	void (*cancel)(void *arg, uint64_t id);
	void *arg;
};

ON_HISTORY int jobs_new(const struct jobs_env *env, struct jobs **out);
ON_HISTORY void jobs_free(struct jobs *j);

/**
 * Begin items while there are slots, at most @budget; @now_ns is the wall.  How many
 * were begun, or < 0 of the store.
 */
ON_HISTORY int jobs_step(struct jobs *j, int64_t now_ns, unsigned budget);
/** 0, or < 0 of the store: roll back, then jobs_abort(). */
ON_HISTORY int jobs_take(struct jobs *j, const struct jobs_news *n, int64_t now_ns);
/** The transaction was lost: everything under way begins again from what is stored. */
ON_HISTORY void jobs_abort(struct jobs *j);
/** 0, or 1: there is no such job, 2: it has ended. */
ON_HISTORY int jobs_cancel(struct jobs *j, uint64_t id, int64_t now_ns);

/** What is not in the store yet of the job's items under way. */
struct jobs_active {
	uint32_t n;
	uint64_t rows;
	uint64_t requests;
};
ON_HISTORY void jobs_active(const struct jobs *j, uint64_t id, struct jobs_active *out);
/** Symbols under way, of all jobs. */
ON_HISTORY uint32_t jobs_busy(const struct jobs *j);
