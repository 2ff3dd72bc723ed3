/* worker - see worker.h. */
#include "workers/worker.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET     1024
#define SAVE_LANES 8         /* of a snapshot, at a time */
#define SAVE_NS    NS_PER_MS /* ... and so long, between two helpings of items */
#define PAUSE_NS   (5 * NS_PER_MS)
#define IDLE_NS    (100 * NS_PER_MS) /* a sleeper still shows that it lives */
#define ROOM_NS    (200 * NS_PER_US)
#define MEMORY_NS  (50 * NS_PER_MS)
#define TALLY_NS   (250 * NS_PER_MS)
#define N_COUNTERS (sizeof(struct shard_counts) / sizeof(uint64_t))

/* Where a kept cut item belongs. */
struct cut_place {
	uint64_t pos;
	uint32_t symbol_id;
	uint32_t arrival; /* index in kept[] */
};

struct worker {
	struct worker_env env;
	struct shard *shard;     /* owned */
	struct parker room;      /* a place to wait for room in */
	const struct item *now;  /* the item being applied, for its commit time */
	struct cut_item *kept;   /* owned; since the last barrier */
	struct cut_place *place; /* owned; of each */
	size_t n_kept, kept_max;
	bool is_sorted; /* kept[] is in the order of its places */
	bool at_barrier;
	bool sent, cut_sent;
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
	_Atomic int64_t stall_ns; /* stand still so long; 0: not */
	_Atomic uint64_t moved;
	_Atomic uint64_t counters[N_COUNTERS];
	uint64_t tallies[sizeof(struct bars_counts) / sizeof(uint64_t)];
	int64_t tally_ns; /* when to tally again */
	bool has_untold;  /* work was done since the tallies were shown */
	struct histogram latency;
};

static void wait_for_room(struct worker *w)
{
	stats_add(STAT_BACKPRESSURE, 1);
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

static void send_cut(struct worker *w, const struct cut_item *c)
{
	struct cut_item *slot;

	while ((slot = ring_claim(w->env.cut)) == NULL) {
		flush(w);
		wait_for_room(w);
	}
	*slot = *c;
	w->cut_sent = true;
}

/* -ENOMEM: nothing has changed. */
static int grow_kept(struct worker *w)
{
	size_t max = w->kept_max > 0 ? 2 * w->kept_max : 256;
	struct cut_item *kept = realloc(w->kept, max * sizeof(*kept));
	struct cut_place *place;

	if (kept == NULL)
		return -ENOMEM;
	w->kept = kept;
	place = realloc(w->place, max * sizeof(*place));
	if (place == NULL)
		return -ENOMEM;
	w->place = place;
	w->kept_max = max;
	return 0;
}

/* Without memory the worker waits for some, the rest waits in the log. */
static void make_room(struct worker *w)
{
	while (w->n_kept == w->kept_max && grow_kept(w) < 0) {
		log_err("worker",
			"worker=%u out of memory for %zu cut items; trying again",
			w->env.shard.index, w->kept_max);
		flush(w);
		atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
		parker_prepare(&w->room);
		parker_wait(&w->room, MEMORY_NS);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct cut_place *x = a, *y = b;

	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	if (x->symbol_id != y->symbol_id)
		return x->symbol_id < y->symbol_id ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

/* A barrier orders its own items; those of ticks wait for the next barrier. */
static void on_cut(void *arg, const struct cut_item *c)
{
	struct worker *w = arg;
	struct cut_place place = {c->pos, c->symbol_id, (uint32_t)w->n_kept};

	if (w->at_barrier) {
		send_cut(w, c);
		return;
	}
	make_room(w);
	if (w->n_kept > 0 && by_place(&place, &w->place[w->n_kept - 1]) < 0)
		w->is_sorted = false;
	w->place[w->n_kept] = place;
	w->kept[w->n_kept++] = *c;
}

static void send_kept(struct worker *w)
{
	if (!w->is_sorted)
		qsort(w->place, w->n_kept, sizeof(*w->place), by_place);
	for (size_t i = 0; i < w->n_kept; i++)
		send_cut(w, &w->kept[w->place[i].arrival]);
	w->n_kept = 0;
	w->is_sorted = true;
}

static void on_mark(void *arg, uint64_t pos)
{
	const struct worker_env *env = &((struct worker *)arg)->env;

	trace_reached(env->trace, TRACE_WORKER + env->shard.index, pos,
		      clock_mono_ns());
	send(arg, WORKER_MARK, &pos, sizeof(pos));
}

static int on_snapshot(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	struct worker *w = arg;

	return w->env.snapshot(w->env.arg, pos, part, is_last);
}

/*
 * The shard sets faulted symbols aside by itself and can resume them (a record in the
 * log says so, and a replay must agree): for the bus nothing fails.
 */
static int on_item(void *arg, const struct symbuf_view *e)
{
	struct worker *w = arg;

	w->now = e->data;
	w->at_barrier = e->symbol_id == BUS_EVERY_SYMBOL;
	if (w->at_barrier)
		send_kept(w);
	shard_step(w->shard, w->now, 1);
	w->now = NULL;
	return 0;
}

int worker_new(const struct worker_env *env, struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct shard_sink sink = {.arg = w,
				  .bar = on_bar,
				  .tier1 = on_tier1,
				  .status = on_status,
				  .cut = on_cut,
				  .mark = on_mark,
				  .snapshot =
					  env->snapshot == NULL ? NULL : on_snapshot};
	int rc;

	if (w == NULL)
		return err_set(-ENOMEM, "out of memory for a worker");
	w->env = *env;
	w->is_sorted = true;
	parker_init(&w->room);
	rc = shard_new(&env->shard, &sink, &w->shard);
	if (rc < 0) {
		free(w);
		return rc;
	}
	bus_handler_set(env->bus, env->shard.index, on_item, w);
	*out = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	shard_free(w->shard);
	free(w->kept);
	free(w->place);
	free(w);
}

#define COUNT(field) (offsetof(struct shard_counts, field) / sizeof(uint64_t))
#define TALLY(field) (offsetof(struct bars_counts, field) / sizeof(uint64_t))
#define N_TALLIES    (sizeof(struct bars_counts) / sizeof(uint64_t))

/* Which of the shard's counters stand in the process-wide table, and as what. */
static const struct {
	size_t field;
	enum stat_id stat;
} counts_told[] =
	{
		{COUNT(bars[BAR_TRADED]), STAT_BARS_TRADED},
		{COUNT(bars[BAR_QUIET]), STAT_BARS_QUIET},
		{COUNT(bars[BAR_BLIND]), STAT_BARS_BLIND},
		{COUNT(outliers), STAT_BARS_OUTLIER},
		{COUNT(revisions), STAT_REVISIONS},
		{COUNT(vectors), STAT_VECTORS},
		{COUNT(vectors_cold), STAT_VECTORS_COLD},
		{COUNT(paused_ticks), STAT_PAUSED_TICKS},
		{COUNT(faulted_ticks), STAT_FAULTED_TICKS},
		{COUNT(faults), STAT_FAULTS},
},
  tallies_told[] = {
	  {TALLY(late_dropped), STAT_TICKS_TOO_LATE},
	  {TALLY(amends_lost), STAT_CANCELS_LOST},
	  {TALLY(out_of_session), STAT_TICKS_OUT_OF_SESSION},
	  {TALLY(gaps), STAT_GRIDS_ENDED},
	  {TALLY(other_source), STAT_TICKS_OTHER_SOURCE},
	  {TALLY(source_changes), STAT_SOURCE_CHANGES},
};

static void show_counts(struct worker *w)
{
	uint64_t c[N_COUNTERS];

	memcpy(c, shard_counts(w->shard), sizeof(c));
	for (size_t i = 0; i < sizeof(counts_told) / sizeof(counts_told[0]); i++) {
		size_t f = counts_told[i].field;
		uint64_t was =
			atomic_load_explicit(&w->counters[f], memory_order_relaxed);

		if (c[f] > was)
			stats_add(counts_told[i].stat, c[f] - was);
	}
	for (size_t i = 0; i < N_COUNTERS; i++)
		atomic_store_explicit(&w->counters[i], c[i], memory_order_relaxed);
}

/* The symbols' own counters, now and then: it walks all symbols. */
static void show_tallies(struct worker *w)
{
	struct bars_counts sum;
	uint64_t c[N_TALLIES];
	int64_t now = clock_mono_ns();

	if (now < w->tally_ns)
		return;
	w->tally_ns = now + TALLY_NS;
	w->has_untold = false;
	shard_tally(w->shard, &sum);
	memcpy(c, &sum, sizeof(c));
	for (size_t i = 0; i < sizeof(tallies_told) / sizeof(tallies_told[0]); i++) {
		size_t f = tallies_told[i].field;

		if (c[f] > w->tallies[f])
			stats_add(tallies_told[i].stat, c[f] - w->tallies[f]);
	}
	memcpy(w->tallies, c, sizeof(c));
}

/*
 * A helping of a snapshot's lanes: a millisecond's worth, or to the end, or until
 * nobody takes them.
 */
static size_t save(struct worker *w)
{
	int64_t begin_ns = clock_mono_ns(), took_ns;
	uint64_t saved;
	bool is_more;

	do {
		saved = shard_counts(w->shard)->saved;
		is_more = shard_save_step(w->shard, SAVE_LANES);
		took_ns = clock_mono_ns() - begin_ns;
	} while (is_more && took_ns < SAVE_NS && saved < shard_counts(w->shard)->saved);
	stats_add(STAT_SNAPSHOT_PAUSES, took_ns > PAUSE_NS);
	return is_more;
}

size_t worker_step(struct worker *w, size_t budget)
{
	size_t done = bus_shard_step(w->env.bus, w->env.shard.index, budget);

	flush(w);
	if (shard_is_saving(w->shard))
		done += save(w);
	if (done > 0) {
		show_counts(w);
		w->has_untold = true;
	}
	if (w->has_untold)
		show_tallies(w); /* also when nothing follows */
	atomic_fetch_add_explicit(&w->moved, 1, memory_order_relaxed);
	return done;
}

/* Nobody wakes who waits here. */
static void stall(struct worker *w)
{
	parker_prepare(&w->room);
	parker_wait(&w->room, atomic_exchange(&w->stall_ns, 0));
}

static void *body(void *arg)
{
	struct worker *w = arg;

	role_self = &role_worker;
	role_assert_worker();
	while (true) {
		/* Read before the step: what came before the stop is still done. */
		bool stopping = atomic_load(&w->stop);

		if (atomic_load_explicit(&w->stall_ns, memory_order_relaxed) > 0)
			stall(w);
		if (worker_step(w, BUDGET) > 0)
			continue;
		if (stopping)
			return NULL;
		bus_shard_wait(w->env.bus, w->env.shard.index, w->env.spin_ns, IDLE_NS);
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
	bus_shard_wake(w->env.bus, w->env.shard.index);
	(void)pthread_join(w->thread, NULL);
	w->running_thread = false;
}

struct shard *worker_shard(struct worker *w)
{
	return w->shard;
}

void worker_stall(struct worker *w, int64_t ns)
{
	atomic_store(&w->stall_ns, ns);
	bus_shard_wake(w->env.bus, w->env.shard.index);
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
