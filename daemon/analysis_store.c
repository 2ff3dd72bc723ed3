/* analysis_store - what a slot asks HISTORY, and waits for. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/analysis_parts.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

#define RETRY_NS NS_PER_S

/* ---- there and back ---- */

static int there(struct history_thread *t, void *arg)
{
	struct analysis_slot *s = arg;

	role_assert_history();
	return s->ask(s, history_store(t));
}

static void answered(void *arg, int rc)
{
	struct analysis_slot *s = arg;
	struct analysis_room *r = s->room;

	if (rc < 0)
		(void)snprintf(s->text, sizeof(s->text), "%s", err_text());
	pthread_mutex_lock(&r->lock);
	s->rc = rc;
	s->is_answered = true;
	pthread_cond_broadcast(&r->bell);
	pthread_mutex_unlock(&r->lock);
}

static void deadline(struct timespec *out, int64_t ns)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += ns / NS_PER_S;
	out->tv_nsec += ns % NS_PER_S;
	if (out->tv_nsec >= NS_PER_S) {
		out->tv_sec++;
		out->tv_nsec -= NS_PER_S;
	}
}

bool analysis_pause(struct analysis_room *r, int64_t ns)
{
	struct timespec until;

	deadline(&until, ns);
	pthread_mutex_lock(&r->lock);
	while (!atomic_load(&r->stop) &&
	       pthread_cond_timedwait(&r->bell, &r->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&r->lock);
	return atomic_load(&r->stop);
}

/* HISTORY outlives us, so an answer comes. */
static int ask(struct analysis_slot *s,
	       int (*fn)(struct analysis_slot *s, struct histstore *h))
{
	struct analysis_room *r = s->room;

	s->ask = fn;
	s->is_answered = false;
	while (history_ask(r->history, there, answered, s) != 0)
		if (analysis_pause(r, 10 * NS_PER_MS))
			return err_set(-ECANCELED, "the daemon stops");
	pthread_mutex_lock(&r->lock);
	while (!s->is_answered)
		pthread_cond_wait(&r->bell, &r->lock);
	pthread_mutex_unlock(&r->lock);
	return s->rc < 0 ? err_set(s->rc, "%s", s->text) : s->rc;
}

/* ---- taking a job ---- */

static bool is_somebodys(const struct analysis_room *r, uint64_t id)
{
	for (uint32_t i = 0; i < r->n_slots; i++)
		if (atomic_load(&r->slots[i].id) == id)
			return true;
	return false;
}

/* The slot's own number may change only here: HISTORY is one thread, so no two take
 * the same. */
ON_HISTORY static int take(struct analysis_slot *s, struct histstore *h)
{
	uint64_t id = 0;
	int rc;

	s->words.len = s->symbols.len = s->holdings.len = 0;
	do {
		rc = histanalysis_next(h, id, &id);
	} while (rc == 0 && is_somebodys(s->room, id));
	if (rc == 0)
		rc = histjobs_get(h, id, &s->job);
	if (rc == 0)
		rc = histanalysis_get(h, id, &s->stands);
	if (rc == 0)
		rc = histanalysis_order(h, id, &s->words, &s->holdings);
	if (rc != 0)
		return rc;
	s->stands.tries++;
	rc = histanalysis_reset(h, id);
	if (rc == 0)
		rc = histanalysis_set(h, &s->stands);
	if (rc == 0)
		atomic_store(&s->id, id);
	return rc;
}

ON_HISTORY static int read_symbols(struct analysis_slot *s, struct histstore *h)
{
	struct buf items = {0};
	const struct hist_item *item;
	int rc = histjobs_items(h, s->job.id, 0, ITEM_PENDING, s->job.items, &items);

	item = (const struct hist_item *)(void *)items.data;
	for (uint32_t i = 0; rc == 0 && i < items.len / sizeof(*item); i++)
		buf_printf(&s->symbols, "%s%s", i > 0 ? "," : "", item[i].symbol);
	buf_free(&items);
	return rc;
}

ON_HISTORY static int take_whole(struct analysis_slot *s, struct histstore *h)
{
	int rc = take(s, h);

	return rc == 0 ? read_symbols(s, h) : rc;
}

int analysis_store_take(struct analysis_slot *s)
{
	int rc = ask(s, take_whole);

	if (rc < 0)
		atomic_store(&s->id, 0); /* what was written is undone */
	return rc;
}

/* ---- progress and the end ---- */

ON_HISTORY static int put_rows(struct analysis_slot *s, struct histstore *h)
{
	const struct analysis_row *row =
		(const struct analysis_row *)(void *)s->rows.data;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->rows.len / sizeof(*row); i++) {
		struct hist_item item = {.n = row[i].n,
					 .state = row[i].has_failed ? ITEM_FAILED
								    : ITEM_DONE};

		(void)snprintf(item.reason, sizeof(item.reason), "%s", row[i].reason);
		rc = histjobs_item_set(h, s->job.id, &item);
	}
	return rc;
}

/* 1: somebody has ended it; its rows stay as they are. */
ON_HISTORY static int is_still_on(struct analysis_slot *s, struct histstore *h)
{
	struct hist_job now;
	int rc = histjobs_get(h, s->job.id, &now);

	if (rc != 0)
		return rc;
	return now.state == JOB_RUNNING ? 0 : 1;
}

ON_HISTORY static int store_rows(struct analysis_slot *s, struct histstore *h)
{
	int rc = is_still_on(s, h);

	return rc == 0 ? put_rows(s, h) : rc;
}

int analysis_store_rows(struct analysis_slot *s)
{
	int rc;

	s->stored_ns = clock_mono_ns();
	if (s->rows.len == 0)
		return 0;
	rc = ask(s, store_rows);
	if (rc >= 0)
		s->rows.len = 0;
	return rc;
}

ON_HISTORY static int finish(struct analysis_slot *s, struct histstore *h)
{
	int rc = is_still_on(s, h);

	if (rc == 0)
		rc = put_rows(s, h);
	if (rc == 0 && s->job.state == JOB_FAILED)
		rc = histanalysis_fail_items(h, s->job.id, s->stands.why);
	if (rc == 0)
		rc = histanalysis_set(h, &s->stands);
	if (rc == 0)
		rc = histjobs_finish(h, s->job.id, s->job.state, clock_wall_ns());
	if (rc == 0)
		rc = histjobs_prune(h, s->room->config->ingest.jobs_max);
	return rc;
}

/* Results of jobs that are forgotten go with them. */
static bool is_known(void *arg, uint64_t id)
{
	struct hist_job job;

	role_assert_history();
	return histjobs_get(arg, id, &job) != 1;
}

ON_HISTORY static int sweep(struct analysis_slot *s, struct histstore *h)
{
	analysis_files_sweep(s->room, is_known, h);
	return 0;
}

int analysis_store_finish(struct analysis_slot *s, enum histjobs_state state)
{
	int rc;

	s->job.state = state;
	while ((rc = ask(s, finish)) < 0) {
		log_warn("analysis", "the end of job %llu is not stored yet: %s",
			 (unsigned long long)s->job.id, err_text());
		if (analysis_pause(s->room, RETRY_NS))
			return -ECANCELED;
	}
	s->rows.len = 0;
	(void)ask(s, sweep);
	return rc;
}
