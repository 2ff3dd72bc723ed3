/*
 * bus_bench - what the in-process bus costs, beside what one would use instead.
 *
 *	bus_bench [ROUNDS [MILLIONS [VARIANT]]]
 *
 * Throughput: one publisher, two workers, every event handled once and its order
 * within the symbol checked; symbols drawn from Zipf s = 1.  Four ways in one
 * interleaved run, medians of ROUNDS (5):
 *
 *	bus      bus/bus.h: shard rings, per-symbol buffers, fairness, counters
 *	bare     a shard ring and a plain history per symbol: the floor
 *	mutex    a queue per worker, mutex and condition variable
 *	nng      inproc PUB/SUB, each worker filters its symbols out; a credit window
 *	         keeps it from dropping
 *
 * Latency: publish to handler at 20,000 events a second, spinning and parked.
 * Printed as "bench <tab> variant <tab> measure <tab> value", one fact per line.
 */
#include "bus_bench.h"
#include "base/clock.h"
#include "base/err.h"
#include "bus/bus.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 99

_Noreturn void bench_die(const char *what)
{
	fprintf(stderr, "bus_bench: %s: %s\n", what, err_text());
	exit(1);
}

static void out(const char *variant, const char *measure, double value)
{
	printf("bus\t%s\t%s\t%.4g\n", variant, measure, value);
	fflush(stdout);
}

/** Back off: more threads than processors must not starve each other. */
void bench_relax(unsigned *spins)
{
	if (++*spins < 8) {
		for (int i = 0; i < 16; i++)
			__builtin_ia32_pause();
		return;
	}
	*spins = 0;
	(void)sched_yield();
}

/** What every variant does with an event. */
void bench_handle(struct run *r, unsigned worker, const struct tick *t)
{
	struct state *s = &r->states[t->symbol];

	r->wrong[worker] += t->seq != ++s->count;
	s->last = t->price_e9;
	if (t->price_e9 > s->high)
		s->high = t->price_e9;
	if (t->price_e9 < s->low)
		s->low = t->price_e9;
	s->volume += t->size_e8;
	r->handled[worker * 16]++;
}

struct tick bench_next(const struct run *r, uint64_t *seqs, uint64_t i)
{
	uint32_t symbol = r->draw[i % DRAWS];

	return (struct tick){.seq = ++seqs[symbol],
			     .price_e9 = (int64_t)(i & 1023),
			     .size_e8 = 100,
			     .symbol = symbol,
			     .source_seq = i};
}

/** Start the workers, publish, wait for them; returns events per second / 1e6. */
double bench_timed(struct run *r, void *(*work)(void *), void *with, publish_fn publish)
{
	uint64_t *seqs = calloc(r->n_symbols, sizeof(*seqs));
	pthread_t thread[WORKERS];
	struct job job[WORKERS];
	int64_t begin;

	atomic_store(&r->done, false);
	atomic_store(&r->ready, 0);
	for (unsigned w = 0; w < WORKERS; w++) {
		job[w] = (struct job){r, w, with};
		if (pthread_create(&thread[w], NULL, work, &job[w]) != 0)
			bench_die("pthread_create");
	}
	while (atomic_load(&r->ready) < WORKERS)
		(void)sched_yield();
	begin = clock_mono_ns();
	publish(r, with, seqs);
	atomic_store(&r->done, true);
	for (unsigned w = 0; w < WORKERS; w++)
		(void)pthread_join(thread[w], NULL);
	free(seqs);
	return (double)r->n_events * 1e3 / (double)(clock_mono_ns() - begin);
}

/* ---- the bus ---- */

static int bus_handle(void *arg, const struct symbuf_view *e)
{
	struct job *j = arg;
	struct run *r = j->r;
	const struct tick *t = e->data;

	bench_handle(r, j->worker, t);
	if (r->latency_ns)
		r->latency_ns[r->n_latency++] = clock_mono_ns() - t->at_ns;
	return 0;
}

static void *bus_work(void *arg)
{
	struct job *j = arg;
	unsigned spins = 0;

	bus_handler_set(j->with, j->worker, bus_handle, j);
	atomic_fetch_add(&j->r->ready, 1);
	for (;;) {
		bool last = atomic_load(&j->r->done);

		if (bus_shard_step(j->with, j->worker, 4096) > 0)
			spins = 0;
		else if (last)
			return NULL;
		else
			bench_relax(&spins);
	}
}

static void bus_send(struct run *r, void *with, uint64_t *seqs)
{
	unsigned spins = 0;

	for (uint64_t i = 0; i < r->n_events; i++) {
		struct tick t = bench_next(r, seqs, i);

		while (bus_publish(with, EVENT_TICK, t.symbol, &t, sizeof(t)) != 0)
			bench_relax(&spins);
	}
	bus_flush(with);
}

static struct bus *make_bus(uint32_t n_symbols, uint32_t shards)
{
	const struct bus_params p = {.shards = shards,
				     .symbols_max = n_symbols,
				     .event_bytes = sizeof(struct tick),
				     .ring_slots = SLOTS,
				     .history = HISTORY,
				     .inflight_max = HISTORY,
				     .turn_max = 64};
	struct bus *b;

	if (bus_new(&p, &b) < 0)
		bench_die("bus_new");
	bus_start(b);
	return b;
}

/** Forget what the warm-up did: the memory is touched, the counts begin anew. */
void bench_reset(struct run *r)
{
	memset(r->states, 0, r->n_symbols * sizeof(*r->states));
	memset(r->wrong, 0, sizeof(r->wrong));
	memset(r->handled, 0, sizeof(r->handled));
}

static double run_bus(struct run *r)
{
	struct bus *b = make_bus(r->n_symbols, WORKERS);
	double rate;

	(void)bench_timed(r, bus_work, b, bus_send);
	bench_reset(r);
	rate = bench_timed(r, bus_work, b, bus_send);
	bus_free(b);
	return rate;
}

/* ---- the comparison ---- */

static const struct variant {
	const char *name;
	double (*run)(struct run *r);
	unsigned share;
} variants[] = {
	{"bus", run_bus, 1},
	{"bare", bench_bare, 1},
	{"mutex", bench_mutex, 1},
	{"nng", bench_nng, NNG_SHARE},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/** A Zipf sequence (s = 1); hot symbols are spread over the ids. */
static void draw_zipf(uint32_t *draw, uint32_t n)
{
	double *cdf = malloc(n * sizeof(*cdf));
	uint64_t x = 88172645463325252u;
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		cdf[i] = sum += 1.0 / (i + 1);
	for (uint32_t i = 0; i < DRAWS; i++) {
		uint32_t lo = 0, hi = n - 1;
		double u;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		u = (double)(x >> 11) * 0x1p-53 * sum;
		while (lo < hi) {
			uint32_t mid = (lo + hi) / 2;

			if (cdf[mid] < u)
				lo = mid + 1;
			else
				hi = mid;
		}
		draw[i] = (uint32_t)((uint64_t)lo * 7919 % n);
	}
	free(cdf);
}

static void check_run(const struct run *r, const struct variant *v)
{
	uint64_t handled = r->handled[0] + r->handled[16];

	if (r->wrong[0] + r->wrong[1] != 0 || handled != r->n_events / v->share) {
		fprintf(stderr,
			"bus_bench: %s: %llu of %llu events, %llu out of order\n",
			v->name, (unsigned long long)handled,
			(unsigned long long)(r->n_events / v->share),
			(unsigned long long)(r->wrong[0] + r->wrong[1]));
		exit(1);
	}
}

static void compare(struct run *r, unsigned rounds, const char *only)
{
	double rate[VARIANTS][ROUNDS_MAX];

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned v = 0; v < VARIANTS; v++) {
			if (only && strcmp(only, variants[v].name) != 0)
				continue;
			bench_reset(r);
			rate[v][round] = variants[v].run(r);
			check_run(r, &variants[v]);
		}
	}
	for (unsigned v = 0; v < VARIANTS; v++) {
		char name[64];

		if (only && strcmp(only, variants[v].name) != 0)
			continue;
		qsort(rate[v], rounds, sizeof(double), by_value);
		(void)snprintf(name, sizeof(name), "%s %u symbols", variants[v].name,
			       r->n_symbols);
		out(name, "Mev/s", rate[v][rounds / 2]);
		out(name, "Mev/s min", rate[v][0]);
		out(name, "Mev/s max", rate[v][rounds - 1]);
	}
}

/* ---- latency ---- */

struct pace {
	struct bus *bus;
	int64_t spin_ns;
};

static void *pace_work(void *arg)
{
	struct job *j = arg;
	struct pace *p = j->with;

	atomic_fetch_add(&j->r->ready, 1);
	while (!atomic_load(&j->r->done))
		if (bus_shard_step(p->bus, 0, 1024) == 0)
			bus_shard_wait(p->bus, 0, p->spin_ns, 10 * NS_PER_MS);
	return NULL;
}

static void latency(struct run *r, const char *name, int64_t spin_ns, uint64_t n)
{
	struct pace p = {.bus = make_bus(r->n_symbols, 1), .spin_ns = spin_ns};
	uint64_t *seqs = calloc(r->n_symbols, sizeof(*seqs));
	struct job job = {r, 0, &p};
	int64_t due = 0;
	pthread_t thread;

	memset(r->states, 0, r->n_symbols * sizeof(*r->states));
	r->latency_ns = calloc(n, sizeof(*r->latency_ns));
	r->n_latency = 0;
	atomic_store(&r->done, false);
	atomic_store(&r->ready, 0);
	bus_handler_set(p.bus, 0, bus_handle, &job);
	if (pthread_create(&thread, NULL, pace_work, &job) != 0)
		bench_die("pthread_create");
	while (atomic_load(&r->ready) == 0)
		(void)sched_yield();
	due = clock_mono_ns();
	for (uint64_t i = 0; i < n; i++, due += 50 * NS_PER_US) {
		struct tick t = bench_next(r, seqs, i);

		while (clock_mono_ns() < due)
			__builtin_ia32_pause();
		t.at_ns = clock_mono_ns();
		(void)bus_publish(p.bus, EVENT_TICK, t.symbol, &t, sizeof(t));
		bus_flush(p.bus);
	}
	atomic_store(&r->done, true);
	bus_shard_wake(p.bus, 0);
	(void)pthread_join(thread, NULL);
	qsort(r->latency_ns, r->n_latency, sizeof(*r->latency_ns), by_ns);
	if (r->n_latency) {
		out(name, "p50_us", (double)r->latency_ns[r->n_latency / 2] / 1e3);
		out(name, "p99_us",
		    (double)r->latency_ns[r->n_latency * 99 / 100] / 1e3);
	}
	free(r->latency_ns);
	r->latency_ns = NULL;
	free(seqs);
	bus_free(p.bus);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
	uint64_t millions = argc > 2 ? strtoull(argv[2], NULL, 10) : 10;
	const char *only = argc > 3 ? argv[3] : NULL;
	uint32_t *draw = malloc(DRAWS * sizeof(*draw));
	struct run *r = calloc(1, sizeof(*r));
	const uint32_t sizes[] = {1000, 10000};

	if (rounds == 0 || rounds > ROUNDS_MAX || millions == 0) {
		fprintf(stderr, "usage: bus_bench [ROUNDS [MILLIONS [VARIANT]]]\n");
		return 100;
	}
	r->draw = draw;
	r->n_events = millions * 1000000;
	for (unsigned i = 0; i < 2; i++) {
		r->n_symbols = sizes[i];
		r->states = aligned_alloc(64, sizes[i] * sizeof(*r->states));
		draw_zipf(draw, sizes[i]);
		compare(r, rounds, only);
		if (i == 0 && !only) {
			latency(r, "bus spinning", NS_PER_S, 40000);
			latency(r, "bus parked", 0, 40000);
		}
		free(r->states);
	}
	free(r);
	free(draw);
	return 0;
}
