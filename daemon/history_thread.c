/* history_thread - see history_thread.h; what it does to fetch is history_fetch.c. */
#include "daemon/history_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/history_parts.h"
#include "store/histjobs.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LETTERS_MAX  4096 /* questions, pages and ends of questions: never so many */
#define TURN_LETTERS 64
#define TURN_ITEMS   256
#define IDLE_NS      (500 * NS_PER_MS)
#define RETRY_NS     (10 * NS_PER_S) /* after a write that failed */
#define CARE_NS      (60 * NS_PER_S)

static void wake(void *arg)
{
	struct history_thread *t = arg;

	atomic_fetch_add(&t->posted, 1);
	parker_wake(&t->parker);
}

uint32_t history_workers(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = cores < 1 ? 4 : (uint32_t)cores * 4;

	if (config->ingest.workers != 0)
		return config->ingest.workers;
	return n > 16 ? 16 : n;
}

/* Another address is another vendor, whatever its name. */
ON_HISTORY static int note_vendors(struct histstore *store, const struct config *config)
{
	char reached[CONFIG_URL_MAX + 32], was[CONFIG_URL_MAX + 32];
	int rc = histstore_begin(store);

	for (size_t i = 0; rc == 0 && i < config->n_vendors; i++) {
		const struct config_vendor *v = &config->vendors[i];

		(void)snprintf(reached, sizeof(reached), "%s (%u)", v->base_url,
			       v->adapter);
		rc = histstore_vendor(store, v->name, reached, was, sizeof(was));
		if (rc == 0 && was[0] != '\0')
			log_warn("history",
				 "vendor %s is at %s now, it was at %s: what was "
				 "fetched is fetched again; `tickbusctl cache "
				 "invalidate --source %s` forgets it at once",
				 v->name, v->base_url, was, v->name);
	}
	if (rc == 0)
		return histstore_commit(store);
	histstore_rollback(store);
	return rc;
}

int history_thread_new(const struct config *config, struct history_thread **out)
{
	struct history_thread *t = calloc(1, sizeof(*t));
	struct jobs_env env = {.config = config,
			       .slots = history_workers(config),
			       .ops = history_fetch_ops,
			       .ask = history_fetch_ask,
			       .cancel = history_fetch_cancel,
			       .arg = t};
	int rc;

	role_assert_history(); /* its thread has not begun */
	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the history");
	t->config = config;
	parker_init(&t->parker);
	rc = mailbox_new(LETTERS_MAX, sizeof(struct history_letter), wake, t, &t->box);
	if (rc == 0)
		rc = histstore_open(config->store.dir, &t->store);
	env.store = t->store;
	if (rc == 0)
		rc = note_vendors(t->store, config);
	if (rc == 0)
		rc = jobs_new(&env, &t->jobs);
	if (rc < 0) {
		history_thread_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void history_thread_feed(struct history_thread *t, struct feed_thread *feed)
{
	t->feed = feed;
}

void history_thread_free(struct history_thread *t)
{
	struct history_letter l;

	if (t == NULL)
		return;
	role_assert_history(); /* its thread is gone */
	while (t->box != NULL && mailbox_take(t->box, &l) == 0)
		if (l.done != NULL)
			l.done(l.arg, -ECANCELED);
	jobs_free(t->jobs);
	if (histstore_close(t->store) < 0)
		log_warn("history", "%s; the next start will recover", err_text());
	mailbox_free(t->box);
	free(t);
}

int history_ask(struct history_thread *t, history_fn fn, history_done_fn done,
		void *arg)
{
	const struct history_letter l = {fn, done, arg};
	int rc = mailbox_post(t->box, &l);

	if (rc == MAILBOX_FULL)
		stats_add(STAT_MAILBOX_FULL, 1);
	return rc;
}

/* ---- a turn ---- */

struct turn {
	struct history_letter taken[TURN_LETTERS];
	int rc[TURN_LETTERS];
	size_t n;
};

ON_HISTORY static void failed(struct history_thread *t)
{
	log_err("history", "%s; what was under way begins again in %lld s", err_text(),
		(long long)(RETRY_NS / NS_PER_S));
	stats_add(STAT_HISTORY_FAILURES, 1);
	histstore_rollback(t->store);
	jobs_abort(t->jobs);
	t->resume_ns = clock_mono_ns() + RETRY_NS;
}

/* Letters run in one transaction; one that fails undoes all of them. */
ON_HISTORY static int run_letters(struct history_thread *t, struct turn *turn)
{
	struct history_letter l;

	while (turn->n < TURN_LETTERS && mailbox_take(t->box, &l) == 0) {
		int rc = l.fn(t, l.arg);

		t->n_taken++;
		turn->taken[turn->n] = l;
		turn->rc[turn->n++] = rc;
		if (rc < 0)
			return rc;
	}
	return 0;
}

ON_HISTORY static void answer(const struct turn *turn, int rc)
{
	for (size_t i = 0; i < turn->n; i++)
		if (turn->taken[i].done != NULL)
			turn->taken[i].done(turn->taken[i].arg,
					    rc < 0 ? rc : turn->rc[i]);
}

/* Chunks that were found damaged, and what the limit on the size asks for. */
ON_HISTORY static int care(struct history_thread *t)
{
	struct hist_health health;
	int64_t now = clock_mono_ns();
	int rc;

	if (now < t->care_ns)
		return 0;
	t->care_ns = now + CARE_NS;
	rc = histstore_health(t->store, &health);
	if (rc < 0)
		return rc;
	if (health.damaged > t->damaged) {
		log_err("history", "%s", health.damage);
		stats_add(STAT_HISTORY_DAMAGED, health.damaged - t->damaged);
		t->damaged = health.damaged;
	}
	if (t->config->ingest.bytes_max == 0 ||
	    health.chunk_bytes <= t->config->ingest.bytes_max || jobs_busy(t->jobs) > 0)
		return 0;
	return history_evict(t, health.chunk_bytes - t->config->ingest.bytes_max);
}

/* How much was done. */
ON_HISTORY static size_t step(struct history_thread *t)
{
	struct turn turn = {.n = 0};
	int begun = 0;
	int rc = histstore_begin(t->store);

	if (rc == 0)
		rc = run_letters(t, &turn);
	if (rc == 0 && t->feed != NULL && !atomic_load(&t->is_quiet) &&
	    clock_mono_ns() >= t->resume_ns) {
		begun = jobs_step(t->jobs, clock_wall_ns(), TURN_ITEMS);
		rc = begun < 0 ? begun : 0;
	}
	if (rc == 0)
		rc = care(t);
	if (rc == 0)
		rc = histstore_commit(t->store);
	if (rc == 0 && t->after != NULL)
		t->after(t, t->after_arg);
	t->after = NULL;
	if (rc < 0)
		failed(t);
	else if (turn.n > 0 || begun > 0)
		stats_add(STAT_HISTORY_COMMITS, 1);
	answer(&turn, rc);
	atomic_fetch_add_explicit(&t->moved, 1, memory_order_relaxed);
	return turn.n + (begun > 0 ? (size_t)begun : 0);
}

static void *body(void *arg)
{
	struct history_thread *t = arg;
	bool stopping, is_dry;

	role_self = &role_history;
	role_assert_history();
	do {
		stopping = atomic_load(&t->stop);
		is_dry = step(t) == 0;
		if (!is_dry)
			continue;
		parker_prepare(&t->parker);
		if (atomic_load(&t->stop) || atomic_load(&t->posted) != t->n_taken)
			parker_cancel(&t->parker);
		else
			parker_wait(&t->parker, IDLE_NS);
	} while (!stopping || !is_dry);
	return NULL;
}

int history_thread_start(struct history_thread *t)
{
	int rc = pthread_create(&t->thread, NULL, body, t);

	if (rc != 0)
		return err_set(-rc, "cannot start the history thread: %s",
			       strerror(rc));
	t->running_thread = true;
	(void)pthread_setname_np(t->thread, "history");
	return 0;
}

void history_thread_quiesce(struct history_thread *t)
{
	if (t != NULL)
		atomic_store(&t->is_quiet, true);
}

void history_thread_stop(struct history_thread *t)
{
	if (t == NULL || !t->running_thread)
		return;
	atomic_store(&t->stop, true);
	parker_wake(&t->parker);
	(void)pthread_join(t->thread, NULL);
	t->running_thread = false;
}

void history_after(struct history_thread *t,
		   void (*fn)(struct history_thread *t, void *arg), void *arg)
{
	t->after = fn;
	t->after_arg = arg;
}

struct histstore *history_store(struct history_thread *t)
{
	return t->store;
}

struct jobs *history_jobs(struct history_thread *t)
{
	return t->jobs;
}

const struct config *history_config(struct history_thread *t)
{
	return t->config;
}

uint64_t history_jobs_version(const struct history_thread *t)
{
	return histjobs_version(t->store);
}

uint64_t history_moved(const struct history_thread *t)
{
	return atomic_load_explicit(&t->moved, memory_order_relaxed);
}
