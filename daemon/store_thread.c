/* store_thread - see store_thread.h. */
#include "daemon/store_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "bus/stats.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_PER_TURN   1024
#define JOBS_NS         (20 * NS_PER_MS) /* of one turn; the last may take longer */
#define DISPATCH_BUDGET 8192u
#define CARE_NS         (50 * NS_PER_MS) /* between two rounds of housekeeping */
#define SLEEP_NS        (20 * NS_PER_MS)
#define STALLED_NS      (100 * NS_PER_US) /* the rings are full: look again soon */
#define BUSY_NS         (100 * NS_PER_MS)
#define RETAIN_BUDGET   8u

struct job {
	store_job_fn fn;
	void *arg;
};

struct store_thread {
	struct store_env env;
	struct mailbox *box; /* owned */
	struct parker parker;
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
	int64_t commit_ns; /* of the newest commit; 0: none yet */
	int64_t care_ns;   /* when housekeeping is due */
	_Atomic uint64_t moved;
	pthread_mutex_t status_lock; /* guards status and failure only */
	struct store_status status;
	char failure[ERR_TEXT_MAX];
	int failure_rc; /* constant once has_failed is true */
	atomic_bool has_failed;
};

static void wake(void *arg)
{
	parker_wake(&((struct store_thread *)arg)->parker);
}

ON_STORE static void publish_status(struct store_thread *st)
{
	struct store_status now;

	tickstore_status(st->env.store, &now);
	stats_add(STAT_CHECKPOINTS, now.checkpoints - st->status.checkpoints);
	stats_add(STAT_QUARANTINED, now.quarantined - st->status.quarantined);
	stats_add(STAT_QUARANTINE_LOST,
		  now.quarantine_suppressed - st->status.quarantine_suppressed);
	stats_add(STAT_DERIVED_RETIRED,
		  now.derived_retired - st->status.derived_retired);
	stats_set(STAT_LOG_POSITION, now.last_pos);
	stats_set(STAT_LOG_EPOCH, now.epoch);
	stats_set(STAT_DISPATCH_POSITION, dispatch_pos(st->env.dispatch));
	(void)pthread_mutex_lock(&st->status_lock);
	st->status = now;
	(void)pthread_mutex_unlock(&st->status_lock);
}

int store_thread_new(const struct store_env *env, struct store_thread **out)
{
	struct store_thread *st = calloc(1, sizeof(*st));

	role_assert_store(); /* its thread has not begun */
	if (st == NULL)
		return err_set(-ENOMEM, "out of memory for the store thread");
	st->env = *env;
	parker_init(&st->parker);
	(void)pthread_mutex_init(&st->status_lock, NULL);
	if (mailbox_new(env->mailbox_slots, sizeof(struct job), wake, st, &st->box) <
	    0) {
		free(st);
		return err_set(-ENOMEM, "out of memory for the store's mailbox");
	}
	publish_status(st);
	*out = st;
	return 0;
}

int store_thread_free(struct store_thread *st)
{
	struct job j;
	int rc;

	if (st == NULL)
		return 0;
	role_assert_store(); /* its thread is gone */
	while (st->env.left != NULL && mailbox_take(st->box, &j) == 0)
		st->env.left(j.fn, j.arg);
	intake_free(st->env.intake);
	dispatch_free(st->env.dispatch);
	snapshot_free(st->env.snapshot);
	rc = tickstore_close(st->env.store);
	mailbox_free(st->box);
	(void)pthread_mutex_destroy(&st->status_lock);
	free(st);
	return rc;
}

int store_post(struct store_thread *st, store_job_fn fn, void *arg)
{
	const struct job j = {fn, arg};
	int rc = mailbox_post(st->box, &j);

	if (rc == MAILBOX_FULL)
		stats_add(STAT_MAILBOX_FULL, 1);
	return rc;
}

/*
 * Many small ones make a commit worth its sync; large ones, pages of catch-up above
 * all, must not keep what was taken already from being committed.
 */
ON_STORE static unsigned run_jobs(struct store_thread *st)
{
	int64_t until_ns = clock_mono_ns() + JOBS_NS;
	unsigned done = 0;
	struct job j;

	while (done < JOBS_PER_TURN && !intake_full(st->env.intake) &&
	       (done == 0 || clock_mono_ns() < until_ns) &&
	       mailbox_take(st->box, &j) == 0) {
		j.fn(st, j.arg);
		done++;
	}
	return done;
}

ON_STORE static int housekeeping(struct store_thread *st, bool idle)
{
	int64_t now = clock_mono_ns();
	uint32_t retired = 0;
	int rc;

	if (now < st->care_ns)
		return 0;
	st->care_ns = now + CARE_NS;
	if (st->env.care != NULL)
		st->env.care(st->env.arg);
	rc = tickstore_tick(st->env.store, clock_wall_ns(), idle);
	if (rc < 0 && rc != -ENOSPC)
		return rc;
	/* What no snapshot stands for can only be derived from the log: it stays. */
	if (tickstore_snapshot_floor(st->env.store) > 0) {
		rc = tickstore_retain(st->env.store, clock_wall_ns(),
				      tickstore_snapshot_floor(st->env.store),
				      RETAIN_BUDGET, &retired);
		stats_add(STAT_SEGMENTS_RETIRED, retired);
	}
	if (rc == 0 || rc == -ENOSPC)
		rc = tickstore_derived_expire(st->env.store, clock_wall_ns(),
					      RETAIN_BUDGET, &retired);
	publish_status(st);
	return rc < 0 && rc != -ENOSPC ? rc : 0;
}

int store_step(struct store_thread *st)
{
	unsigned jobs = run_jobs(st);
	int n, rc;

	atomic_fetch_add_explicit(&st->moved, 1, memory_order_relaxed);
	if (intake_pending(st->env.intake) > 0) {
		rc = intake_commit(st->env.intake);
		if (rc < 0)
			return rc;
		publish_status(st);
		st->commit_ns = clock_mono_ns();
		trace_committed(st->env.trace, intake_committed(st->env.intake),
				st->commit_ns);
	}
	n = dispatch_step(st->env.dispatch, DISPATCH_BUDGET);
	if (n < 0)
		return n;
	stats_add(STAT_DISPATCHED, (uint64_t)n);
	intake_clock(st->env.intake, dispatch_clock(st->env.dispatch));
	n += (int)snapshot_step(st->env.snapshot);
	rc = housekeeping(st, jobs == 0 && n == 0);
	return rc < 0 ? rc : (int)jobs + n;
}

ON_STORE static void fail(struct store_thread *st, int rc)
{
	st->failure_rc = rc;
	(void)pthread_mutex_lock(&st->status_lock);
	(void)snprintf(st->failure, sizeof(st->failure), "%s", err_text());
	(void)pthread_mutex_unlock(&st->status_lock);
	atomic_store(&st->has_failed, true);
	log_err("store", "%s; nothing more is acknowledged", st->failure);
	st->env.failed(st->env.arg);
}

ON_STORE static bool all_dispatched(const struct store_thread *st)
{
	struct store_status s;

	tickstore_status(st->env.store, &s);
	return dispatch_pos(st->env.dispatch) > s.last_pos;
}

/* Sleep until a job comes, or until what could not be dispatched may fit. */
ON_STORE static void idle(struct store_thread *st)
{
	bool behind = !all_dispatched(st);
	struct job j;

	parker_prepare(&st->parker);
	if (mailbox_take(st->box, &j) == 0) {
		parker_cancel(&st->parker);
		j.fn(st, j.arg);
		return;
	}
	parker_wait(&st->parker, behind ? STALLED_NS : SLEEP_NS);
}

static void *body(void *arg)
{
	struct store_thread *st = arg;

	role_self = &role_store;
	role_assert_store();
	while (true) {
		bool stopping = atomic_load(&st->stop);
		int n = store_step(st);

		if (n < 0) {
			fail(st, n);
			return NULL;
		}
		if (n > 0)
			continue;
		if (stopping && all_dispatched(st))
			return NULL;
		idle(st);
	}
}

int store_thread_start(struct store_thread *st)
{
	int rc = pthread_create(&st->thread, NULL, body, st);

	if (rc != 0)
		return err_set(-rc, "cannot start the store thread: %s", strerror(rc));
	st->running_thread = true;
	(void)pthread_setname_np(st->thread, "store");
	return 0;
}

void store_thread_stop(struct store_thread *st)
{
	if (st == NULL || !st->running_thread)
		return;
	atomic_store(&st->stop, true);
	parker_wake(&st->parker);
	(void)pthread_join(st->thread, NULL);
	st->running_thread = false;
}

struct tickstore *store_log(struct store_thread *st)
{
	return st->env.store;
}

struct intake *store_intake(struct store_thread *st)
{
	return st->env.intake;
}

struct dispatch *store_dispatch(struct store_thread *st)
{
	return st->env.dispatch;
}

struct snapshot *store_snapshot(struct store_thread *st)
{
	return st->env.snapshot;
}

bool store_is_busy(const struct store_thread *st)
{
	return st->commit_ns != 0 && clock_mono_ns() - st->commit_ns < BUSY_NS;
}

void store_status_copy(struct store_thread *st, struct store_status *out)
{
	(void)pthread_mutex_lock(&st->status_lock);
	*out = st->status;
	(void)pthread_mutex_unlock(&st->status_lock);
}

const char *store_failure(const struct store_thread *st)
{
	return atomic_load(&st->has_failed) ? st->failure : NULL;
}

int store_failure_code(const struct store_thread *st)
{
	return atomic_load(&st->has_failed) ? st->failure_rc : 0;
}

uint64_t store_moved(const struct store_thread *st)
{
	return atomic_load_explicit(&st->moved, memory_order_relaxed);
}

uint64_t store_committed(const struct store_thread *st)
{
	return intake_committed(st->env.intake);
}

uint64_t store_dispatched(const struct store_thread *st)
{
	return dispatch_pos(st->env.dispatch);
}
