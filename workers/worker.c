/* worker - see worker.h. */
#include "workers/worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET     1024
#define IDLE_NS    (100 * NS_PER_MS) /* a sleeper still shows that it lives */
#define ROOM_NS    (200 * NS_PER_US)
#define N_COUNTERS (sizeof(struct shard_counts) / sizeof(uint64_t))

struct worker {
	struct worker_env env;
	struct shard *shard;   /* owned */
	struct parker room;    /* a place to wait for room in */
	const struct item *now; /* the item being applied, for its commit time */
	bool sent, cut_sent;
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
	_Atomic uint64_t moved;
	_Atomic uint64_t counters[N_COUNTERS];
	struct histogram latency;
};

static void wait_for_room(struct worker *w)
{
	if (w->env.wait != NULL) {
		w->env.wait(w->env.arg);
		return;
	}
	atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
	parker_prepare(&w->room);
	parker_wait(&w->room, ROOM_NS);
}

static void flush(struct worker *w)
{
	if (w->sent) {
		outbox_publish(w->env.out);
		w->env.bell(w->env.arg);
		w->sent = false;
	}
	if (w->cut_sent) {
		ring_publish(w->env.cut);
		w->env.cut_bell(w->env.arg);
		w->cut_sent = false;
	}
}

static void *claim(struct worker *w, uint32_t kind, size_t len)
{
	void *p;

	while ((p = outbox_claim(w->env.out, kind, (uint32_t)len)) == NULL) {
		flush(w);
		wait_for_room(w);
	}
	w->sent = true;
	return p;
}

static void send(struct worker *w, uint32_t kind, const void *event, size_t len)
{
	memcpy(claim(w, kind, len), event, len);
	outbox_commit(w->env.out);
}

static void on_bar(void *arg, const struct event_bar *e)
{
	struct worker *w = arg;

	send(w, EVENT_BAR, e, sizeof(*e));
	if (w->now != NULL && w->now->commit_ns > 0)
		histogram_add(&w->latency, clock_mono_ns() - w->now->commit_ns);
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	send(arg, EVENT_TIER1, e, sizeof(*e));
}

static void on_status(void *arg, const struct event_status *e)
{
	send(arg, EVENT_STATUS, e, sizeof(*e));
}

static void on_cut(void *arg, const struct cut_item *c)
{
	struct worker *w = arg;
	struct cut_item *slot;

	while ((slot = ring_claim(w->env.cut)) == NULL) {
		flush(w);
		wait_for_room(w);
	}
	*slot = *c;
	w->cut_sent = true;
}

static void on_mark(void *arg, uint64_t pos)
{
	send(arg, WORKER_MARK, &pos, sizeof(pos));
}

int worker_new(const struct worker_env *env, struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct shard_sink sink = {.arg = w,
				  .bar = on_bar,
				  .tier1 = on_tier1,
				  .status = on_status,
				  .cut = on_cut,
				  .mark = on_mark};
	int rc;

	if (w == NULL)
		return err_set(-ENOMEM, "out of memory for a worker");
	w->env = *env;
	parker_init(&w->room);
	rc = shard_new(&env->shard, &sink, &w->shard);
	if (rc < 0) {
		free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	shard_free(w->shard);
	free(w);
}

static void show_counts(struct worker *w)
{
	uint64_t c[N_COUNTERS];

	memcpy(c, shard_counts(w->shard), sizeof(c));
	for (size_t i = 0; i < N_COUNTERS; i++)
		atomic_store_explicit(&w->counters[i], c[i], memory_order_relaxed);
}

size_t worker_step(struct worker *w, size_t budget)
{
	size_t done = 0;

	while (done < budget) {
		size_t n;
		const struct item *items = ring_peek(w->env.in, &n);

		if (n == 0)
			break;
		if (n > budget - done)
			n = budget - done;
		for (size_t i = 0; i < n; i++) {
			w->now = &items[i];
			shard_step(w->shard, &items[i], 1);
		}
		w->now = NULL;
		ring_release(w->env.in, n);
		done += n;
	}
	flush(w);
	if (done > 0)
		show_counts(w);
	atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
	return done;
}

/* Look for spin_ns, then sleep until the dispatcher wakes us. */
static void idle(struct worker *w)
{
	int64_t until = clock_mono_ns() + w->env.spin_ns;
	size_t n;

	do {
		(void)ring_peek(w->env.in, &n);
		if (n > 0)
			return;
		for (int i = 0; i < 16; i++)
			__builtin_ia32_pause();
	} while (clock_mono_ns() < until);

	parker_prepare(w->env.parker);
	(void)ring_peek(w->env.in, &n);
	if (n > 0 || atomic_load(&w->stop))
		parker_cancel(w->env.parker);
	else
		parker_wait(w->env.parker, IDLE_NS);
	atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
}

static void *body(void *arg)
{
	struct worker *w = arg;

	role_self = &role_worker;
	role_assert_worker();
	while (true) {
		/* Read before the step: what came before the stop is still done. */
		bool stopping = atomic_load(&w->stop);

		if (worker_step(w, BUDGET) > 0)
			continue;
		if (stopping)
			return NULL;
		idle(w);
	}
}

int worker_start(struct worker *w)
{
	char name[16];
	int rc = pthread_create(&w->thread, NULL, body, w);

	if (rc != 0)
		return err_set(-rc, "cannot start worker %u: %s", w->env.shard.index,
			       strerror(rc));
	w->running_thread = true;
	(void)snprintf(name, sizeof(name), "worker-%u", w->env.shard.index);
	(void)pthread_setname_np(w->thread, name);
	return 0;
}

void worker_stop(struct worker *w)
{
	if (w == NULL || !w->running_thread)
		return;
	atomic_store(&w->stop, true);
	parker_wake(w->env.parker);
	(void)pthread_join(w->thread, NULL);
	w->running_thread = false;
}

uint64_t worker_moved(const struct worker *w)
{
	return atomic_load_explicit(&w->moved, memory_order_relaxed);
}

const struct histogram *worker_latency(const struct worker *w)
{
	return &w->latency;
}

void worker_counts(const struct worker *w, struct shard_counts *out)
{
	uint64_t c[N_COUNTERS];

	for (size_t i = 0; i < N_COUNTERS; i++)
		c[i] = atomic_load_explicit(&w->counters[i], memory_order_relaxed);
	memcpy(out, c, sizeof(*out));
}
