/*
 * Tests of tier2_worker.h: real threads, rings too small for what passes through, and
 * the same matrices as without threads.
 */
#include "base/hash.h"
#include "workers/tier2_worker.h"
#include "workers/worker.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE  (INT64_C(60) * 1000000000)
#define WORKERS 2u
#define SYMBOLS 6u
#define MINUTES 400u

static atomic_bool fed;

static void no_bell(void *arg)
{
	(void)arg;
}

static void open_params(struct params *p)
{
	struct universe_params *up = &p->universes[0];

	params_default(p);
	p->n_universes = 1;
	*up = (struct universe_params){.name = "threads",
				       .timeframe_s = 60,
				       .window = 30,
				       .min_obs = 10,
				       .price_type = PRICE_AUTO,
				       .grace_ns = MINUTE,
				       .n_symbols = SYMBOLS};
	up->symbols = calloc(SYMBOLS, sizeof(*up->symbols));
	for (uint32_t i = 0; i < SYMBOLS; i++)
		up->symbols[i][0] = 'A' + (char)i;
}

static struct symtab *open_symbols(const struct params *p)
{
	struct symtab *t;

	assert_int_equal(symtab_new(SYMBOLS, 0, &t), 0);
	for (uint32_t i = 0; i < SYMBOLS; i++) {
		uint32_t id;
		int is_new;

		assert_int_equal(
			symtab_add(t, p->universes[0].symbols[i], 1, &id, &is_new), 0);
	}
	return t;
}

/* The @k-th item of the log, a function of k alone. */
static struct cut_item item_of(uint64_t k)
{
	return (struct cut_item){.pos = k + 1,
				 .time_ns = (int64_t)(k / SYMBOLS + 1) * MINUTE,
				 .bar_seq = k / SYMBOLS + 1,
				 .log_return =
					 (double)(hash_mix(k) % 2001) * 1e-6 - 1e-3,
				 .symbol_id = (uint32_t)(k % SYMBOLS),
				 .timeframe_s = 60,
				 .type = CUT_BAR,
				 .flags = BAR_VALID};
}

struct feeder {
	struct ring *ring;
	struct parker *parker;
	uint32_t index;
};

static void send(struct feeder *f, struct cut_item c)
{
	struct cut_item *slot;

	while ((slot = ring_claim(f->ring)) == NULL) {
		ring_publish(f->ring);
		parker_wake(f->parker);
		sched_yield();
	}
	*slot = c;
}

static void *feed(void *arg)
{
	struct feeder *f = arg;

	for (uint64_t k = 0; k < SYMBOLS * MINUTES; k++) {
		if (item_of(k).symbol_id % WORKERS == f->index)
			send(f, item_of(k));
		if (k % 11 == f->index || k + 1 == SYMBOLS * MINUTES)
			send(f, (struct cut_item){.pos = k + 1, .type = CUT_PROGRESS});
		if (k % 32 == 0) {
			ring_publish(f->ring);
			parker_wake(f->parker);
		}
	}
	ring_publish(f->ring);
	parker_wake(f->parker);
	return NULL;
}

struct tally {
	uint64_t matrices, hash, marked;
};

static void count(struct tally *t, const struct event_tier2 *e,
		  const struct tier2_member *members, const double *triangle)
{
	t->matrices++;
	t->hash = hash_bytes(t->hash, e, sizeof(*e));
	t->hash = hash_bytes(t->hash, members, e->n_members * sizeof(*members));
	t->hash = hash_bytes(t->hash, triangle,
			     e->n_included * (e->n_included + 1) / 2 * sizeof(double));
}

static void *read_outbox(void *arg)
{
	struct outbox *o = ((void **)arg)[0];
	struct tally *t = ((void **)arg)[1];
	const void *msg;
	uint32_t kind;
	size_t len;

	while (true) {
		bool last = atomic_load(&fed);

		while ((msg = outbox_peek(o, &kind, &len)) != NULL) {
			const struct event_tier2 *e = msg;

			if (kind == WORKER_MARK) {
				uint64_t mark;

				memcpy(&mark, msg, sizeof(mark));
				assert(mark > t->marked);
				t->marked = mark;
			} else {
				const struct tier2_member *m = (const void *)(e + 1);

				/* A mark at its position comes after the matrix. */
				assert(e->head.pos > t->marked);
				count(t, e, m, (const double *)(m + e->n_members));
			}
			outbox_pop(o);
		}
		if (last)
			return NULL;
		sched_yield();
	}
}

static void tally_matrix(void *arg, const struct event_tier2 *e,
			 const struct tier2_member *members, const double *triangle,
			 bool replay)
{
	(void)replay;
	count(arg, e, members, triangle);
}

static struct tally without_threads(const struct params *p,
				    const struct symtab *symbols)
{
	const struct tier2_env env = {p, symbols, 1, SYMBOLS};
	struct tally t = {.hash = HASH_SEED};
	const struct tier2_sink sink = {.arg = &t, .matrix = tally_matrix};
	struct cut_item mark = {.pos = SYMBOLS * MINUTES, .type = CUT_PROGRESS};
	struct tier2 *t2;

	assert_int_equal(tier2_new(&env, &sink, &t2), 0);
	for (uint64_t k = 0; k < SYMBOLS * MINUTES; k++) {
		struct cut_item c = item_of(k);

		assert_int_equal(tier2_feed(t2, 0, &c, 1), 0);
	}
	assert_int_equal(tier2_feed(t2, 0, &mark, 1), 0);
	while (tier2_step(t2, 1000) > 0)
		;
	tier2_free(t2);
	return t;
}

static void threads_and_full_rings_change_nothing(void **state)
{
	struct params p;
	struct symtab *symbols;
	struct parker parker;
	struct ring *rings[WORKERS];
	struct feeder feeders[WORKERS];
	struct outbox *out;
	struct tier2_worker *w;
	struct tier2_counts counts;
	struct tally want, got = {.hash = HASH_SEED};
	pthread_t feeding[WORKERS], reading;

	(void)state;
	open_params(&p);
	symbols = open_symbols(&p);
	want = without_threads(&p, symbols);
	assert_int_equal(want.matrices, MINUTES - 9);

	parker_init(&parker);
	assert_int_equal(outbox_new(4096, &out), 0);
	for (uint32_t i = 0; i < WORKERS; i++) {
		assert_int_equal(ring_new(16, sizeof(struct cut_item), &rings[i]), 0);
		feeders[i] = (struct feeder){rings[i], &parker, i};
	}
	const struct tier2_worker_env env = {.tier2 = {&p, symbols, WORKERS, SYMBOLS},
					     .cuts = rings,
					     .out = out,
					     .parker = &parker,
					     .bell = no_bell};
	assert_int_equal(tier2_worker_new(&env, &w), 0);
	assert_int_equal(tier2_worker_start(w), 0);
	assert_int_equal(
		pthread_create(&reading, NULL, read_outbox, (void *[]){out, &got}), 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&feeding[i], NULL, feed, &feeders[i]),
				 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		(void)pthread_join(feeding[i], NULL);
	tier2_worker_stop(w);
	atomic_store(&fed, true);
	(void)pthread_join(reading, NULL);

	tier2_worker_counts(w, &counts);
	assert_int_equal(counts.versions, want.matrices);
	assert_int_equal(got.matrices, want.matrices);
	assert_true(got.hash == want.hash);
	assert_int_equal(got.marked, SYMBOLS * MINUTES);
	assert_true(tier2_worker_moved(w) > 0);
	assert_int_equal(atomic_load(&tier2_worker_latency(w)->count), want.matrices);

	tier2_worker_free(w);
	for (uint32_t i = 0; i < WORKERS; i++)
		ring_free(rings[i]);
	outbox_free(out);
	symtab_free(symbols);
	params_deinit(&p);
}

static void an_outbox_that_is_too_small_is_refused(void **state)
{
	struct params p;
	struct symtab *symbols;
	struct outbox *out;
	struct tier2_worker *w;

	(void)state;
	open_params(&p);
	p.universes[0].all = true;
	p.universes[0].n_max = 100;
	symbols = open_symbols(&p);
	assert_int_equal(outbox_new(4096, &out), 0);
	const struct tier2_worker_env env = {.tier2 = {&p, symbols, 1, SYMBOLS},
					     .out = out};
	assert_true(tier2_worker_new(&env, &w) < 0);
	outbox_free(out);
	symtab_free(symbols);
	params_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_and_full_rings_change_nothing),
		cmocka_unit_test(an_outbox_that_is_too_small_is_refused),
	};

	return cmocka_run_group_tests_name("tier2_worker", tests, NULL, NULL);
}
