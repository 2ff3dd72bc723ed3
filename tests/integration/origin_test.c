/*
 * The sixteen behaviours of origin document 1's test list, against this system, by
 * their names there.  Bus: creation, start and stop, publication, per-symbol
 * buffers, subscription.  Tick queue: without and with events.  Clean data: single,
 * parallel, isolation, emission.  Features: single, parallel, matrix, versioning.
 * Throughput: sequential against parallel (here: the same results; how fast is
 * measured by tests/bench, never asserted).
 */
#include "bus/bus.h"
#include "tests/integration/pipeline.h"
#include "tests/integration/tempdir.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND  INT64_C(1000000000)
#define MINUTE  (60 * SECOND)
#define START   (INT64_C(1700000000) / 3600 * 3600 * SECOND)
#define BARS    130
#define SYMBOLS 3

static const char *const names[SYMBOLS] = {"EURUSD", "GBPUSD", "USDJPY"};

/* ---- the bus ---- */

static int count_event(void *arg, const struct symbuf_view *e)
{
	uint64_t *n = arg;

	(void)e;
	(*n)++;
	return 0;
}

static struct bus *new_bus(uint64_t *handled)
{
	const struct bus_params params = {.shards = 1,
					  .symbols_max = 16,
					  .event_bytes = 16,
					  .ring_slots = 4096,
					  .history = 64,
					  .inflight_max = 64,
					  .turn_max = 8};
	struct bus *b;

	assert_int_equal(bus_new(&params, &b), 0);
	bus_handler_set(b, 0, count_event, handled);
	return b;
}

static void test_event_bus_creation(void **state)
{
	uint64_t handled = 0;
	struct bus *b = new_bus(&handled);

	(void)state;
	assert_false(bus_is_running(b));
	bus_free(b);
}

static void test_event_bus_start_stop(void **state)
{
	uint64_t handled = 0;
	struct bus *b = new_bus(&handled);

	(void)state;
	assert_int_equal(bus_publish(b, EVENT_TICK, 0, "x", 1), BUS_STOPPED);
	bus_start(b);
	assert_true(bus_is_running(b));
	assert_int_equal(bus_publish(b, EVENT_TICK, 0, "x", 1), 0);
	bus_stop(b);
	assert_int_equal(bus_publish(b, EVENT_TICK, 0, "x", 1), BUS_STOPPED);
	bus_flush(b);
	while (bus_shard_step(b, 0, 100) > 0)
		;
	assert_int_equal(handled, 1);
	bus_free(b);
}

static void test_event_publication(void **state)
{
	uint64_t handled = 0;
	struct bus *b = new_bus(&handled);
	struct bus_counts counts;

	(void)state;
	bus_start(b);
	for (int i = 0; i < 20; i++)
		assert_int_equal(bus_publish(b, EVENT_TICK, 0, &i, sizeof(i)), 0);
	bus_flush(b);
	while (bus_shard_step(b, 0, 100) > 0)
		;
	bus_counts(b, EVENT_TICK, &counts);
	assert_int_equal(counts.published, 20);
	assert_int_equal(counts.dispatched, 20);
	assert_int_equal(counts.dropped, 0);
	assert_int_equal(handled, 20);
	bus_free(b);
}

static void test_per_symbol_buffers(void **state)
{
	uint64_t handled = 0;
	struct bus *b = new_bus(&handled);
	struct bus_symbol_counts loud, calm;

	(void)state;
	bus_start(b);
	/* One symbol floods its own buffer; the other's publish is not refused. */
	for (int i = 0; i < 1000; i++)
		(void)bus_publish(b, EVENT_TICK, 1, &i, sizeof(i));
	assert_int_equal(bus_publish(b, EVENT_TICK, 2, "x", 1), 0);
	bus_flush(b);
	while (bus_shard_step(b, 0, 100) > 0)
		;
	bus_symbol_counts(b, 1, &loud);
	bus_symbol_counts(b, 2, &calm);
	assert_int_equal(loud.published, 64);
	assert_int_equal(loud.refused, 936);
	assert_int_equal(calm.published, 1);
	assert_int_equal(calm.refused, 0);
	bus_free(b);
}

static void test_event_subscription(void **state)
{
	uint64_t handled = 0, lost;
	struct bus *b = new_bus(&handled);
	struct symbuf_event e;
	struct filter f = {.kinds = FILTER_KIND(EVENT_TICK)};
	struct sub *s;

	(void)state;
	assert_int_equal(filter_add(&f, 3), 0);
	bus_start(b);
	assert_int_equal(bus_subscribe(b, &f, POLICY_LAG, &s), 0);
	assert_int_equal(bus_publish(b, EVENT_TICK, 3, "abc", 3), 0);
	assert_int_equal(bus_publish(b, EVENT_TICK, 4, "def", 3), 0);
	assert_int_equal(bus_publish(b, EVENT_BAR, 3, "ghi", 3), 0);
	bus_flush(b);
	while (bus_shard_step(b, 0, 100) > 0)
		;
	assert_int_equal(sub_read(s, &e, &lost), 0);
	assert_memory_equal(e.data, "abc", 3);
	assert_int_equal(sub_read(s, &e, &lost), SUB_EMPTY);
	bus_unsubscribe(b, s);
	filter_deinit(&f);
	bus_free(b);
}

/* ---- the pipeline ---- */

struct seen {
	uint64_t n[EVENT_KINDS];
	uint64_t bars[SYMBOLS];
	uint64_t valid[SYMBOLS];
	uint64_t vectors[SYMBOLS];
	uint64_t version;
	struct event_bar last_bar[SYMBOLS];
	struct event_tier1 last_vector[SYMBOLS];
	struct event_tier2 matrix;
	double triangle[SYMBOLS * (SYMBOLS + 1) / 2];
	bool versions_rise_by_one;
};

static void on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct seen *s = arg;

	(void)len;
	s->n[kind]++;
	if (kind == EVENT_BAR) {
		const struct event_bar *e = event;

		if (e->revision == 0) {
			s->bars[e->symbol_id]++;
			s->valid[e->symbol_id] += (e->flags & BAR_VALID) != 0;
		}
		s->last_bar[e->symbol_id] = *e;
	} else if (kind == EVENT_TIER1) {
		const struct event_tier1 *e = event;

		s->vectors[e->symbol_id]++;
		s->last_vector[e->symbol_id] = *e;
	} else if (kind == EVENT_TIER2) {
		const struct event_tier2 *e = event;
		const struct tier2_member *m = (const void *)(e + 1);

		s->versions_rise_by_one = e->head.seq == s->version + 1 &&
					  (s->version == 0 || s->versions_rise_by_one);
		s->version = e->head.seq;
		s->matrix = *e;
		if (e->n_included == SYMBOLS)
			memcpy(s->triangle, m + e->n_members, sizeof(s->triangle));
	}
}

static void params_for_test(struct params *p)
{
	params_default(p);
	p->defaults.price_types[0] = PRICE_LAST;
	p->defaults.n_price_types = 1;
	p->n_universes = 1;
	p->universes[0] = (struct universe_params){.name = "fx",
						   .timeframe_s = 60,
						   .window = 60,
						   .min_obs = 30,
						   .price_type = PRICE_LAST,
						   .grace_ns = 2 * SECOND,
						   .all = true,
						   .n_max = SYMBOLS};
}

/* Three correlated prices, four trades a minute each. */
static void feed(struct pipeline *p, unsigned mask)
{
	uint64_t rng = 12345;
	int64_t price[SYMBOLS] = {1386000000, 1687000000, 102000000000};
	int64_t unit[SYMBOLS] = {10000, 12000, 700000};

	for (int64_t i = 0; i < BARS * 4; i++) {
		int64_t common = (int64_t)(rng >> 33) % 21 - 10;

		for (unsigned s = 0; s < SYMBOLS; s++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			price[s] += unit[s] * (common + (int64_t)(rng >> 33) % 11 - 5);
			if (mask & 1u << s)
				pipeline_trade(p, names[s], START + i * 15 * SECOND + s,
					       price[s], 100000000);
		}
	}
	pipeline_clock(p, START + (BARS + 5) * MINUTE);
}

static struct seen run(uint32_t workers, unsigned mask, bool poison)
{
	struct seen s = {0};
	struct params params;
	char dir[TEMPDIR_MAX];
	struct pipeline_env env = {.params = &params,
				   .n_workers = workers,
				   .dir = dir,
				   .sink = on_event,
				   .arg = &s};
	struct pipeline *p;

	tempdir_new(dir);
	params_for_test(&params);
	p = pipeline_new(&env);
	for (unsigned i = 0; i < SYMBOLS; i++) /* ids in this order, whatever comes */
		pipeline_trade(p, names[i], START - MINUTE, 1000000000, 100000000);
	if (poison)
		for (int i = 0; i < 500; i++)
			pipeline_trade(p, names[1], START + i, i % 2 ? -1 : 0, -5);
	feed(p, mask);
	pipeline_run(p);
	if (poison)
		assert_int_equal(pipeline_rejected(p), 500);
	pipeline_free(p);
	params_deinit(&params);
	tempdir_remove(dir);
	return s;
}

static void test_tick_queue_without_events(void **state)
{
	char dir[TEMPDIR_MAX];
	struct params params;
	struct pipeline_env env = {.params = &params, .n_workers = 1, .dir = dir};
	struct store_status status;
	struct pipeline *p;

	(void)state;
	tempdir_new(dir);
	params_for_test(&params);
	p = pipeline_new(&env);
	for (int i = 0; i < 100; i++)
		pipeline_trade(p, "EURUSD", START + i, 1000000000, 1);
	pipeline_flush(p); /* committed; nothing is dispatched: the bus stands still */
	tickstore_status(pipeline_store(p), &status);
	assert_int_equal(status.last_pos, 100);
	assert_int_equal(pipeline_accepted(p), 100);
	pipeline_free(p);
	params_deinit(&params);
	tempdir_remove(dir);
}

static void test_tick_queue_with_events(void **state)
{
	struct seen s = run(1, 1, false);

	(void)state;
	assert_int_equal(s.n[EVENT_TICK], SYMBOLS + BARS * 4);
}

static void test_single_symbol_processing(void **state)
{
	struct seen s = run(1, 1, false);

	(void)state;
	assert_true(s.bars[0] >= BARS);
	assert_true(s.valid[0] >= BARS);
	assert_int_equal(s.last_bar[0].timeframe_s, 60);
	assert_int_equal(s.last_bar[0].schema_version, BAR_SCHEMA_VERSION);
	assert_string_equal(s.last_bar[0].source, "test");
}

static void test_parallel_symbol_processing(void **state)
{
	struct seen s = run(3, 7, false);

	(void)state;
	for (unsigned i = 0; i < SYMBOLS; i++)
		assert_true(s.valid[i] >= BARS);
}

static void test_symbol_isolation(void **state)
{
	struct seen clean = run(2, 7, false), poisoned = run(2, 7, true);

	(void)state;
	/* GBPUSD was sent rubbish; EURUSD and USDJPY are the same to the last bit. */
	for (unsigned i = 0; i < SYMBOLS; i += 2) {
		clean.last_bar[i].head.recv_ns = poisoned.last_bar[i].head.recv_ns = 0;
		clean.last_vector[i].head.recv_ns = 0;
		poisoned.last_vector[i].head.recv_ns = 0;
		assert_memory_equal(&clean.last_bar[i], &poisoned.last_bar[i],
				    sizeof(clean.last_bar[i]));
		assert_memory_equal(&clean.last_vector[i], &poisoned.last_vector[i],
				    sizeof(clean.last_vector[i]));
	}
}

static void test_event_emission(void **state)
{
	struct seen s = run(2, 3, false);

	(void)state;
	assert_true(s.bars[0] >= BARS && s.bars[1] >= BARS);
	assert_true(s.n[EVENT_BAR] >= s.bars[0] + s.bars[1]);
}

static void test_single_symbol_features(void **state)
{
	struct seen s = run(1, 1, false);
	const struct event_tier1 *v = &s.last_vector[0];

	(void)state;
	assert_true(s.vectors[0] >= BARS);
	assert_true(v->head.event_ns <= s.last_bar[0].head.event_ns);
	assert_true(isfinite(v->value[TIER1_VOL_24]) != 0);
	assert_true(isfinite(v->value[TIER1_RSI_14]) != 0);
	assert_true(isnan(v->value[TIER1_TREND_REGIME]) != 0); /* on 1d only */
	assert_true((v->flags & TIER1_ML_READY) != 0);
}

static void test_parallel_feature_computation(void **state)
{
	struct seen s = run(3, 7, false);

	(void)state;
	for (unsigned i = 0; i < SYMBOLS; i++)
		assert_true(s.vectors[i] >= BARS);
}

static void test_correlation_matrix_computation(void **state)
{
	struct seen s = run(2, 7, false);

	(void)state;
	assert_int_equal(s.matrix.n_included, SYMBOLS);
	assert_true(s.triangle[0] == 1 && s.triangle[2] == 1 && s.triangle[5] == 1);
	/* The common part moves all three: clearly positive, clearly below 1. */
	assert_true(s.triangle[1] > 0.3);
	assert_true(s.triangle[1] < 0.999);
	assert_true(s.triangle[3] > 0.3 && s.triangle[4] > 0.3);
}

static void test_correlation_matrix_versioning(void **state)
{
	struct seen s = run(2, 7, false);

	(void)state;
	assert_true(s.version > 50);
	assert_true(s.versions_rise_by_one);
}

static void test_sequential_vs_parallel(void **state)
{
	struct seen one = run(1, 7, false), four = run(4, 7, false);

	(void)state;
	assert_memory_equal(one.n, four.n, sizeof(four.n));
	assert_int_equal(one.version, four.version);
	assert_memory_equal(one.triangle, four.triangle, sizeof(one.triangle));
	for (unsigned i = 0; i < SYMBOLS; i++)
		assert_memory_equal(one.last_vector[i].value, four.last_vector[i].value,
				    sizeof(one.last_vector[i].value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_bus_creation),
		cmocka_unit_test(test_event_bus_start_stop),
		cmocka_unit_test(test_event_publication),
		cmocka_unit_test(test_per_symbol_buffers),
		cmocka_unit_test(test_event_subscription),
		cmocka_unit_test(test_tick_queue_without_events),
		cmocka_unit_test(test_tick_queue_with_events),
		cmocka_unit_test(test_single_symbol_processing),
		cmocka_unit_test(test_parallel_symbol_processing),
		cmocka_unit_test(test_symbol_isolation),
		cmocka_unit_test(test_event_emission),
		cmocka_unit_test(test_single_symbol_features),
		cmocka_unit_test(test_parallel_feature_computation),
		cmocka_unit_test(test_correlation_matrix_computation),
		cmocka_unit_test(test_correlation_matrix_versioning),
		cmocka_unit_test(test_sequential_vs_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
