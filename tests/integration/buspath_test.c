/*
 * The bus on the data path: a stopped one leaves the log working and loses nothing, a
 * flood waits in the log, and workers on threads derive what stepped ones derive.
 * Every run but the first reads the same log again, so that whole events compare.
 */
#include "bus/bus.h"
#include "bus/stats.h"
#include "feeds/sim.h"
#include "tests/integration/pipeline.h"
#include "tests/integration/tempdir.h"
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SYMBOLS 11
#define RECORDS 12000

/** By kind and symbol; matrices: all in row 0. */
struct result {
	uint64_t n[EVENT_KINDS][SYMBOLS];
	uint64_t hash[EVENT_KINDS][SYMBOLS];
};

static size_t symbol_of(enum event_kind kind, const void *event)
{
	switch (kind) {
	case EVENT_TICK:
		return ((const struct event_tick *)event)->symbol_id;
	case EVENT_BAR:
		return ((const struct event_bar *)event)->symbol_id;
	case EVENT_TIER1:
		return ((const struct event_tier1 *)event)->symbol_id;
	case EVENT_STATUS:
		return ((const struct event_status *)event)->symbol_id;
	default:
		return 0;
	}
}

static void on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct result *r = arg;
	size_t s = symbol_of(kind, event);
	const uint8_t *byte = event;
	uint64_t h = r->hash[kind][s];

	for (size_t i = 0; i < len; i++)
		h = (h ^ byte[i]) * UINT64_C(1099511628211);
	r->hash[kind][s] = h;
	r->n[kind][s]++;
}

static void params_for_test(struct params *p)
{
	params_default(p);
	p->defaults.timeframes_s[0] = 1;
	p->defaults.timeframes_s[1] = 60;
	p->defaults.n_timeframes = 2;
	p->n_universes = 1;
	p->universes[0] = (struct universe_params){.timeframe_s = 1,
						   .window = 30,
						   .min_obs = 5,
						   .method = CORR_PEARSON,
						   .price_type = PRICE_LAST,
						   .grace_ns = 2000000000,
						   .all = true,
						   .n_max = SYMBOLS};
	p->universes[0].name[0] = 'u';
}

static void feed(struct pipeline *p, unsigned n)
{
	struct sim_params sp;
	struct sim *sim;
	struct feed_tick f;

	sim_params_default(&sp);
	sp.seed = 5;
	sp.n_symbols = SYMBOLS;
	sp.clock_ns = 1000000000;
	sp.trades_mhz = 900;
	assert_int_equal(sim_new(&sp, &sim), 0);
	for (unsigned i = 0; i < n; i++) {
		struct ingest_tick t;

		sim_next(sim, &f);
		ingest_tick_init(&t);
		t.event_ns = f.rec.event_ns;
		t.type = f.rec.type;
		if (t.type == RECORD_TICK) {
			t.price_e9 = f.rec.price_e9;
			t.size_e8 = f.rec.size_e8;
			t.bid_e9 = f.rec.bid_e9;
			t.ask_e9 = f.rec.ask_e9;
			t.source_seq = f.rec.source_seq;
			memcpy(t.symbol, f.symbol, SYMBOL_MAX);
		}
		pipeline_tick(p, &t);
	}
	pipeline_flush(p);
	sim_free(sim);
}

static struct pipeline *pipeline_for(const struct params *params, const char *dir,
				     struct result *r, uint32_t n_workers, bool threads,
				     uint32_t inflight, uint32_t slots)
{
	const struct pipeline_env env = {.params = params,
					 .n_workers = n_workers,
					 .dir = dir,
					 .ring_slots = slots,
					 .inflight = inflight,
					 .threads = threads,
					 .too_old_ns = INT64_C(86400000000000),
					 .future_ns = INT64_C(10000000000),
					 .sink = on_event,
					 .arg = r};

	memset(r, 0, sizeof(*r));
	return pipeline_new(&env);
}

struct fixture {
	struct params params;
	char dir[TEMPDIR_MAX];
	struct result first, again;
};

static int make_log(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct pipeline *p;

	params_for_test(&f->params);
	tempdir_new(f->dir);
	p = pipeline_for(&f->params, f->dir, &f->first, 1, false, 0, 0);
	feed(p, RECORDS);
	pipeline_run(p);
	pipeline_free(p);
	*state = f;
	return 0;
}

static int remove_log(void **state)
{
	struct fixture *f = *state;

	tempdir_remove(f->dir);
	params_deinit(&f->params);
	free(f);
	return 0;
}

static uint64_t count(const struct result *r)
{
	uint64_t n = 0;

	for (int k = 0; k < EVENT_KINDS; k++)
		for (int s = 0; s < SYMBOLS; s++)
			n += r->n[k][s];
	return n;
}

static void every_kind_was_derived(void **state)
{
	struct fixture *f = *state;

	assert_true(f->first.n[EVENT_TICK][SYMBOLS - 1] > 100);
	assert_true(f->first.n[EVENT_BAR][SYMBOLS - 1] > 100);
	assert_true(f->first.n[EVENT_TIER1][SYMBOLS - 1] > 10);
	assert_true(f->first.n[EVENT_TIER2][0] > 10);
}

static void the_log_works_with_the_bus_stopped(void **state)
{
	struct fixture *f = *state;
	struct pipeline *p =
		pipeline_for(&f->params, f->dir, &f->again, 2, false, 0, 0);
	uint64_t dropped = stats_get(STAT_BUS_DROPPED);
	uint64_t handled = stats_get(STAT_BUS_DISPATCHED);
	char dir[TEMPDIR_MAX];
	struct store_status status;
	struct result other;
	struct pipeline *live;

	role_assert_store(); /* this thread plays every role */
	/* A log that grows while its bus stands still ... */
	tempdir_new(dir);
	live = pipeline_for(&f->params, dir, &other, 2, false, 0, 0);
	bus_stop(pipeline_bus(live));
	feed(live, RECORDS);
	pipeline_run(live);
	assert_int_equal(pipeline_accepted(live) + pipeline_rejected(live), RECORDS);
	assert_true(pipeline_accepted(live) > RECORDS / 2);
	tickstore_status(pipeline_store(live), &status);
	assert_int_equal(status.last_pos, pipeline_accepted(live));
	assert_int_equal(count(&other), 0);
	assert_int_equal(stats_get(STAT_BUS_DISPATCHED), handled);
	/* ... gives everything when it moves again. */
	bus_start(pipeline_bus(live));
	pipeline_run(live);
	assert_memory_equal(other.n, f->first.n, sizeof(other.n));
	pipeline_free(live);
	tempdir_remove(dir);

	/* The same with a log that is there already: the same bytes. */
	bus_stop(pipeline_bus(p));
	pipeline_run(p);
	assert_int_equal(count(&f->again), 0);
	bus_start(pipeline_bus(p));
	pipeline_run(p);
	assert_memory_equal(&f->again, &f->first, sizeof(f->first));
	assert_int_equal(stats_get(STAT_BUS_DROPPED), dropped);
	pipeline_free(p);
}

static void a_flood_waits_in_the_log_and_is_counted(void **state)
{
	struct fixture *f = *state;
	uint64_t stalls = stats_get(STAT_DISPATCH_STALLS);
	struct pipeline *p =
		pipeline_for(&f->params, f->dir, &f->again, 2, false, 2, 64);
	struct bus_symbol_counts c;
	uint64_t refused = 0;

	pipeline_run(p);
	for (uint32_t s = 0; s < SYMBOLS; s++) {
		bus_symbol_counts(pipeline_bus(p), s, &c);
		assert_int_equal(c.published, f->first.n[EVENT_TICK][s]);
		assert_int_equal(c.dispatched, c.published);
		assert_int_equal(c.dropped, 0);
		assert_int_equal(c.depth, 0);
		assert_in_range(c.depth_high_water, 1, 2);
		refused += c.refused;
	}
	assert_true(refused > 0);
	assert_true(stats_get(STAT_DISPATCH_STALLS) - stalls >= refused);
	assert_memory_equal(&f->again, &f->first, sizeof(f->first));
	pipeline_free(p);
}

static void workers_on_threads_derive_the_same(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint32_t workers, inflight, slots;
	} shapes[] = {{1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {3, 5, 64}};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct pipeline *p =
			pipeline_for(&f->params, f->dir, &f->again, shapes[i].workers,
				     true, shapes[i].inflight, shapes[i].slots);

		pipeline_run(p);
		assert_memory_equal(&f->again, &f->first, sizeof(f->first));
		pipeline_free(p);
	}
}

static void the_newest_items_of_a_symbol_are_in_its_buffer(void **state)
{
	struct fixture *f = *state;
	struct pipeline *p =
		pipeline_for(&f->params, f->dir, &f->again, 2, false, 0, 0);
	struct symbuf_event e[8];
	struct item it;

	pipeline_run(p);
	assert_int_equal(bus_symbol_recent(pipeline_bus(p), 3, 8, e), 8);
	for (uint64_t i = 0; i < 8; i++) {
		memcpy(&it, e[i].data, sizeof(it));
		assert_int_equal(e[i].len, sizeof(it));
		assert_int_equal(it.rec.symbol_id, 3);
		assert_int_equal(it.seq, f->first.n[EVENT_TICK][3] - 7 + i);
	}
	pipeline_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_was_derived),
		cmocka_unit_test(the_log_works_with_the_bus_stopped),
		cmocka_unit_test(a_flood_waits_in_the_log_and_is_counted),
		cmocka_unit_test(workers_on_threads_derive_the_same),
		cmocka_unit_test(the_newest_items_of_a_symbol_are_in_its_buffer),
	};

	return cmocka_run_group_tests(tests, make_log, remove_log);
}
