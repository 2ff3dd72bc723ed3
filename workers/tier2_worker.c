/* tier2_worker - see tier2_worker.h. */
#include "workers/tier2_worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "workers/worker.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET     256
#define IDLE_NS    (100 * NS_PER_MS) /* a sleeper still shows that it lives */
#define ROOM_NS    (200 * NS_PER_US)
#define MEMORY_NS  (50 * NS_PER_MS)
#define N_COUNTERS (sizeof(struct tier2_counts) / sizeof(uint64_t))

struct tier2_worker {
	struct tier2_worker_env env;
	struct tier2 *tier2; /* owned */
	struct parker room;  /* a place to wait for room in */
	uint64_t marked;     /* the last position sent as a mark */
	bool sent;
	struct tier2_counts told; /* as of the last add_stats() */
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
	_Atomic uint64_t moved;
	_Atomic uint64_t counters[N_COUNTERS];
	struct histogram latency;
};

static void show_life(struct tier2_worker *w)
{
	atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
}

static void flush(struct tier2_worker *w)
{
	if (!w->sent)
		return;
	outbox_publish(w->env.out);
	w->env.bell(w->env.arg);
	w->sent = false;
}

static void *claim(struct tier2_worker *w, uint32_t kind, size_t len)
{
	void *p;

	while ((p = outbox_claim(w->env.out, kind, len)) == NULL) {
		flush(w);
		show_life(w);
		stats_add(STAT_BACKPRESSURE, 1);
		if (w->env.wait != NULL) {
			w->env.wait(w->env.arg);
			continue;
		}
		parker_prepare(&w->room);
		parker_wait(&w->room, ROOM_NS);
	}
	w->sent = true;
	return p;
}

/* Replayed matrices are sent as well: the publisher knows what it has. */
static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      bool replay)
{
	struct tier2_worker *w = arg;
	size_t names = e->n_members * sizeof(*members);
	size_t cells =
		(size_t)e->n_included * (e->n_included + 1) / 2 * sizeof(*triangle);
	uint8_t *to = claim(w, EVENT_TIER2, sizeof(*e) + names + cells);

	(void)replay;
	memcpy(to, e, sizeof(*e));
	memcpy(to + sizeof(*e), members, names);
	memcpy(to + sizeof(*e) + names, triangle, cells);
	outbox_commit(w->env.out);
	stats_add(STAT_MEMBERS_EXCLUDED, e->n_members - e->n_included);
}

static int on_snapshot(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	struct tier2_worker *w = arg;

	return w->env.snapshot(w->env.arg, pos, part, is_last);
}

int tier2_worker_new(const struct tier2_worker_env *env, struct tier2_worker **out)
{
	size_t need = tier2_bytes_max(env->tier2.params);
	struct tier2_worker *w;
	int rc;

	if (need > outbox_len_max(env->out))
		return err_set(-EINVAL,
			       "a matrix of %zu bytes does not fit an outbox for %zu",
			       need, outbox_len_max(env->out));
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return err_set(-ENOMEM, "out of memory for tier 2");
	w->env = *env;
	parker_init(&w->room);
	rc = tier2_new(&env->tier2,
		       &(struct tier2_sink){
			       .arg = w,
			       .matrix = on_matrix,
			       .snapshot = env->snapshot == NULL ? NULL : on_snapshot},
		       &w->tier2);
	if (rc < 0) {
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void tier2_worker_free(struct tier2_worker *w)
{
	if (w == NULL)
		return;
	tier2_free(w->tier2);
	free(w);
}

/* Without memory the items stay in their rings, and the workers wait: nothing is lost.
 */
static size_t drain(struct tier2_worker *w)
{
	size_t taken = 0;

	for (uint32_t i = 0; i < w->env.tier2.n_workers; i++) {
		const struct cut_item *items;
		size_t n;

		while ((items = ring_peek(w->env.cuts[i], &n)) != NULL) {
			if (tier2_feed(w->tier2, i, items, n) < 0) {
				log_err("tier2", "%s; trying again", err_text());
				parker_prepare(&w->room);
				parker_wait(&w->room, MEMORY_NS);
				return taken;
			}
			ring_release(w->env.cuts[i], n);
			taken += n;
		}
	}
	return taken;
}

/* What happened since the last time goes into the process's table. */
static void add_stats(struct tier2_worker *w)
{
	const struct tier2_counts *now = tier2_counts(w->tier2), *was = &w->told;
	uint64_t provisional = now->provisional - was->provisional;

	stats_add(STAT_MATRICES_PROVISIONAL, provisional);
	stats_add(STAT_MATRICES_FINAL, now->versions - was->versions - provisional);
	stats_add(STAT_MATRICES_SUPERSEDED, now->superseding - was->superseding);
	stats_add(STAT_MATRICES_REPAIRED, now->repaired - was->repaired);
	stats_add(STAT_MATRICES_SKIPPED, now->too_small - was->too_small);
	w->told = *now;
}

static void show_counts(struct tier2_worker *w)
{
	uint64_t c[N_COUNTERS];

	add_stats(w);
	memcpy(c, tier2_counts(w->tier2), sizeof(c));
	for (size_t i = 0; i < N_COUNTERS; i++)
		atomic_store_explicit(&w->counters[i], c[i], memory_order_relaxed);
}

static void mark(struct tier2_worker *w)
{
	uint64_t done = tier2_done(w->tier2);

	if (done == w->marked)
		return;
	trace_reached(w->env.trace, TRACE_TIER2, done, clock_mono_ns());
	memcpy(claim(w, WORKER_MARK, sizeof(done)), &done, sizeof(done));
	outbox_commit(w->env.out);
	w->marked = done;
}

size_t tier2_worker_step(struct tier2_worker *w, size_t budget)
{
	const struct tier2_counts *counts = tier2_counts(w->tier2);
	uint64_t before = counts->versions;
	size_t taken = drain(w), done = 0;

	while (done < budget && counts->versions == before) {
		int64_t start = clock_mono_ns();

		if (tier2_step(w->tier2, 1) == 0)
			break;
		done++;
		if (counts->versions != before)
			histogram_add(&w->latency, clock_mono_ns() - start);
	}
	if (tier2_save_step(w->tier2))
		done++;
	/* The end of a burst, not every position of it, is worth a message. */
	if (done < budget && counts->versions == before)
		mark(w);
	flush(w);
	if (taken + done > 0)
		show_counts(w);
	show_life(w);
	return taken + done;
}

static bool has_input(const struct tier2_worker *w)
{
	size_t n;

	for (uint32_t i = 0; i < w->env.tier2.n_workers; i++)
		if (ring_peek(w->env.cuts[i], &n) != NULL)
			return true;
	return false;
}

/* Look for spin_ns, then sleep until a worker wakes us. */
static void idle(struct tier2_worker *w)
{
	int64_t until = clock_mono_ns() + w->env.spin_ns;

	do {
		if (has_input(w))
			return;
		for (int i = 0; i < 16; i++)
			__builtin_ia32_pause();
	} while (clock_mono_ns() < until);

	parker_prepare(w->env.parker);
	if (has_input(w) || atomic_load(&w->stop))
		parker_cancel(w->env.parker);
	else
		parker_wait(w->env.parker, IDLE_NS);
	show_life(w);
}

static void *body(void *arg)
{
	struct tier2_worker *w = arg;

	role_self = &role_tier2;
	role_assert_tier2();
	while (true) {
		/* Read before the step: what came before the stop is still done. */
		bool stopping = atomic_load(&w->stop);

		if (tier2_worker_step(w, BUDGET) > 0)
			continue;
		if (stopping)
			return NULL;
		idle(w);
	}
}

int tier2_worker_start(struct tier2_worker *w)
{
	int rc = pthread_create(&w->thread, NULL, body, w);

	if (rc != 0)
		return err_set(-rc, "cannot start tier 2: %s", strerror(rc));
	w->running_thread = true;
	(void)pthread_setname_np(w->thread, "tier2");
	return 0;
}

void tier2_worker_stop(struct tier2_worker *w)
{
	if (w == NULL || !w->running_thread)
		return;
	atomic_store(&w->stop, true);
	parker_wake(w->env.parker);
	(void)pthread_join(w->thread, NULL);
	w->running_thread = false;
}

struct tier2 *tier2_worker_tier2(struct tier2_worker *w)
{
	return w->tier2;
}

uint64_t tier2_worker_moved(const struct tier2_worker *w)
{
	return atomic_load_explicit(&w->moved, memory_order_relaxed);
}

const struct histogram *tier2_worker_latency(const struct tier2_worker *w)
{
	return &w->latency;
}

void tier2_worker_counts(const struct tier2_worker *w, struct tier2_counts *out)
{
	uint64_t c[N_COUNTERS];

	for (size_t i = 0; i < N_COUNTERS; i++)
		c[i] = atomic_load_explicit(&w->counters[i], memory_order_relaxed);
	memcpy(out, c, sizeof(*out));
}
