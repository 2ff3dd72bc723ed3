/*
 * past_handover - whole events on their way from log and store into the archive,
 * before retention takes them.
 *
 *	past_status -> where the archive ends
 *	page, as catch-up gives it -> put_past -> it ends further; and so on
 *
 * There is no cursor of its own: the archive says how far it is, so that a crash
 * anywhere hands over again what was not finished.  A page holds whole positions, and
 * only what would survive the power: the archive never knows more than the log.
 *
 * Where the archive ends the ticks must be countable (tick_index.h), also after a
 * restart: the counts are saved with the log every save_ns, and only what lies in
 * front of them may be retired (tickstore_hold_set()).  An archive that has been
 * failing for patience_ns holds nothing back any more: a hole in it is better than a
 * full disk.
 *
 * All on the store thread; one question at a time.
 */
#pragma once
#include "daemon/archive_ask.h"
#include "daemon/serve_catchup.h"

/** Zero in a time or a number takes the default in brackets. */
struct past_handover_env {
	struct archive_asker asker;
	struct tickstore *store;  /* borrowed */
	struct tick_index *ticks; /* borrowed */
	uint32_t symbols_max;
	uint64_t epoch;
	/** The page of @req, as catchup_answer() has it, of nothing behind @until. */
	int (*page)(void *arg, const struct catchup_request *req, uint64_t until,
		    struct buf *out);
	/**
	 * See to it that past_handover_work() is called, behind everything that was
	 * promised to the store before.  False: not now.
	 */
	bool (*post)(void *arg);
	void *arg;
	uint64_t few;        /* positions that are not worth a put [8,192] ... */
	int64_t wait_ns;     /* ... before they waited so long [10 s] */
	int64_t save_ns;     /* [5 s] */
	int64_t retry_ns;    /* [1 s] */
	int64_t patience_ns; /* [1 day] */
};

struct past_handover;

struct past_handover_status {
	struct past_bounds bounds;
	uint64_t hold_pos; /* UINT64_MAX: nothing is held back */
	uint64_t handed;   /* events, since the start */
	uint64_t failures;
	bool is_behind; /* there is more than was handed over */
	bool is_failing;
	char why[200]; /* "", or what failed last */
};

/** Holds everything back from now on.  0 or -ENOMEM. */
ON_STORE int past_handover_new(const struct past_handover_env *env,
			       struct past_handover **out);
/** No answer may be on its way.  NULL is fine. */
void past_handover_free(struct past_handover *h);
/** Some times a second; @now_ns monotonic. */
ON_STORE void past_handover_step(struct past_handover *h, int64_t now_ns);
/** What was posted. */
ON_STORE void past_handover_work(struct past_handover *h, int64_t now_ns);
/** Do not wait for more: hand over what there is. */
ON_STORE void past_handover_hurry(struct past_handover *h);
ON_STORE void past_handover_status(const struct past_handover *h,
				   struct past_handover_status *out);
