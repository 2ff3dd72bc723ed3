/* Live values are those of a batch over the bars as they are in the end, bit for bit.
 */
#include "workers/bar_numbers.h"
#include "workers/ind_live.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define BARS      400
#define SEED      UINT64_C(7)
#define MINUTE_NS INT64_C(60000000000)
#define VALUES    (INDICATORS_MAX * IND_OUTPUTS_MAX)

static const char *const specs[] = {
	"sma(20)",
	"rsi(14)",
	"bbands(20,2)",
	"macd",
	"bbands(20,2,flavour=pandas)",
	"atr(14)",
	"adx(14)",
	"spread(5)",
	"vwap",
	"donchian(20)",
	"keltner(20,2,10)",
	"garman_klass(20,252)",
	"tsfresh_close(20)",
	"tsfresh_return(5)",
};
#define SPECS (sizeof(specs) / sizeof(specs[0]))

static uint64_t rng;

static double uniform(void)
{
	rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(rng >> 11) / 9007199254740992.0;
}

/* What came out, the newest of each bar. */
struct seen {
	double value[BARS][VALUES];
	uint32_t n[BARS]; /* values that came */
	uint64_t events, last_seq;
};

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	struct seen *s = arg;
	union {
		struct event_tier1 tier1;
		struct event_indicators block;
	} u = {.tier1 = *e};
	struct indicator_value v;
	uint64_t bar = (uint64_t)(e->head.event_ns / MINUTE_NS) - 1;
	uint32_t at = 0, part = event_tier1_part(e);

	assert_true(part >= 1);
	assert_int_equal(e->head.seq, ++s->last_seq);
	s->events++;
	if (part == 1)
		s->n[bar] = 0;
	for (uint32_t i = 0; event_indicator_next(&u.block, &at, &v); i++) {
		assert_int_equal(u.block.warm >> i & 1, !isnan(v.value));
		s->value[bar][s->n[bar]++] = v.value;
	}
}

static void configure(struct params *p)
{
	params_default(p);
	for (size_t i = 0; i < SPECS; i++) {
		struct indicator_params *q = &p->defaults.indicators[i];

		assert_int_equal(ind_parse(specs[i], &q->spec), 0);
	}
	p->defaults.n_indicators = SPECS;
}

static struct ind_live *make(const struct params *p)
{
	const struct ind_live_series s = {
		.params = p, .symbol = "AAPL", .timeframe_s = 60};
	struct ind_live *l;

	assert_int_equal(ind_live_new(&s, &l), 0);
	assert_non_null(l);
	return l;
}

static void make_bar(struct event_bar *b, uint32_t i)
{
	int64_t low = 90000000000 + (int64_t)(uniform() * 1e9);

	*b = (struct event_bar){.head = {.event_ns = ((int64_t)i + 1) * MINUTE_NS,
					 .pos = i + 1,
					 .seq = i + 1},
				.flags = uniform() < 0.9 ? BAR_VALID : BAR_IS_MISSING,
				.low_e9 = low,
				.open_e9 = low + (int64_t)(uniform() * 5e8),
				.close_e9 = low + (int64_t)(uniform() * 5e8),
				.high_e9 = low + 500000000,
				.volume_lo = (uint64_t)(uniform() * 1e12),
				.spread_estimate = uniform() < 0.5 ? NAN : 1e-4};
}

/* The batch over the bars as they are: into @out, for valid bars. */
static void batch(const struct params *p, const struct event_bar *bars,
		  struct seen *out)
{
	static double column[6][BARS], result[IND_OUTPUTS_MAX][BARS];
	static int64_t time_ns[BARS];
	const struct ind_columns in = {column[0], column[1], column[2], column[3],
				       column[4], column[5], time_ns};
	double *outs[IND_OUTPUTS_MAX];
	uint32_t back[BARS], n = 0;

	for (uint32_t i = 0; i < BARS; i++) {
		const struct event_bar *b = &bars[i];

		if (!(b->flags & BAR_VALID))
			continue;
		column[0][n] = bar_price(b->open_e9);
		column[1][n] = bar_price(b->high_e9);
		column[2][n] = bar_price(b->low_e9);
		column[3][n] = bar_price(b->close_e9);
		column[4][n] = bar_volume(b);
		column[5][n] = b->spread_estimate;
		time_ns[n] = b->head.event_ns;
		back[n++] = i;
	}
	for (size_t k = 0; k < IND_OUTPUTS_MAX; k++)
		outs[k] = result[k];
	for (size_t s = 0; s < SPECS; s++) {
		const struct ind_spec *spec = &p->defaults.indicators[s].spec;

		assert_int_equal(ind_batch(spec, &in, n, outs), 0);
		for (uint32_t k = 0; k < spec->def->n_outputs; k++)
			for (uint32_t i = 0; i < n; i++)
				out->value[back[i]][out->n[back[i]]++] = result[k][i];
	}
}

static void assert_same(const struct event_bar *bars, const struct seen *live,
			const struct seen *whole)
{
	for (uint32_t i = 0; i < BARS; i++) {
		if (!(bars[i].flags & BAR_VALID))
			continue;
		assert_int_equal(live->n[i], whole->n[i]);
		for (uint32_t k = 0; k < whole->n[i]; k++)
			if (memcmp(&live->value[i][k], &whole->value[i][k],
				   sizeof(double)) != 0 &&
			    !(isnan(live->value[i][k]) && isnan(whole->value[i][k])))
				fail_msg("bar %u, value %u: %.17g live, %.17g batch", i,
					 k, live->value[i][k], whole->value[i][k]);
	}
}

/* A life: bars, revisions of some of the newest; saved and loaded where asked. */
static void live_through(const struct params *p, struct event_bar *bars,
			 struct seen *seen, bool with_restarts)
{
	const struct out out = {.arg = seen, .tier1 = on_tier1};
	struct ind_live *l = make(p);
	uint64_t seq = 0;

	rng = SEED;
	for (uint32_t i = 0; i < BARS; i++) {
		make_bar(&bars[i], i);
		ind_live_bar(l, &bars[i], &seq, &out);
		while (uniform() < 0.4) {
			uint32_t back = (uint32_t)(uniform() * (i < 60 ? i + 1 : 60));
			uint32_t revision = bars[i - back].revision + 1;

			make_bar(&bars[i - back], i - back);
			bars[i - back].revision = revision;
			ind_live_bar(l, &bars[i - back], &seq, &out);
		}
		if (with_restarts && i % 7 == 3) {
			struct buf saved = {0}, again = {0};
			struct state st = state_saving(&saved);

			ind_live_state(&st, l);
			ind_live_free(l);
			l = make(p);
			st = state_loading(saved.data, saved.len);
			ind_live_state(&st, l);
			state_end(&st);
			assert_false(state_bad(&st));
			st = state_saving(&again);
			ind_live_state(&st, l);
			assert_int_equal(saved.len, again.len);
			assert_memory_equal(saved.data, again.data, saved.len);
			buf_free(&saved);
			buf_free(&again);
		}
	}
	ind_live_free(l);
}

static void revisions_end_in_the_values_of_a_batch(void **state)
{
	static struct event_bar bars[BARS];
	static struct seen live, whole;
	struct params p;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)SEED);
	configure(&p);
	p.bars.revision_window_ns = 60 * MINUTE_NS;
	live_through(&p, bars, &live, false);
	batch(&p, bars, &whole);
	assert_same(bars, &live, &whole);
	assert_true(live.events > 2 * BARS);
	params_deinit(&p);
}

static void a_restart_changes_nothing(void **state)
{
	static struct event_bar bars[BARS], again[BARS];
	static struct seen live, restarted;
	struct params p;

	(void)state;
	configure(&p);
	p.bars.revision_window_ns = 60 * MINUTE_NS;
	live_through(&p, bars, &live, false);
	live_through(&p, again, &restarted, true);
	assert_int_equal(live.events, restarted.events);
	assert_same(bars, &live, &restarted);
	params_deinit(&p);
}

static void what_changes_no_value_brings_nothing(void **state)
{
	static struct event_bar bars[BARS];
	static struct seen seen;
	const struct out out = {.arg = &seen, .tier1 = on_tier1};
	struct params p;
	struct ind_live *l;
	uint64_t seq = 0, events;

	(void)state;
	configure(&p);
	l = make(&p);
	rng = SEED;
	for (uint32_t i = 0; i < 50; i++) {
		make_bar(&bars[i], i);
		bars[i].flags = BAR_VALID;
		ind_live_bar(l, &bars[i], &seq, &out);
	}
	events = seen.events;
	bars[49].flags |= BAR_FINAL;
	ind_live_bar(l, &bars[49], &seq, &out);
	assert_int_equal(seen.events, events);
	/* Older than the revision window: as it was. */
	bars[20].close_e9 += 1000000;
	ind_live_bar(l, &bars[20], &seq, &out);
	assert_int_equal(seen.events, events);
	/* The newest bar's blocks, and no other's. */
	bars[49].close_e9 -= 1000000;
	ind_live_bar(l, &bars[49], &seq, &out);
	assert_int_equal(seen.events, events + 4);
	ind_live_free(l);
	params_deinit(&p);
}

static void only_what_is_configured_for_the_timeframe_is_computed(void **state)
{
	struct ind_live_series s = {.symbol = "AAPL", .timeframe_s = 60};
	struct params p;
	struct ind_live *l;

	(void)state;
	params_default(&p);
	s.params = &p;
	assert_int_equal(ind_live_new(&s, &l), 0);
	assert_null(l);
	assert_int_equal(ind_parse("rsi", &p.defaults.indicators[0].spec), 0);
	p.defaults.indicators[0].timeframe_s = 300;
	p.defaults.n_indicators = 1;
	assert_int_equal(ind_live_new(&s, &l), 0);
	assert_null(l);
	s.timeframe_s = 300;
	assert_int_equal(ind_live_new(&s, &l), 0);
	assert_non_null(l);
	ind_live_free(l);
	params_deinit(&p);
}

static void foreign_bytes_are_refused_or_harmless(void **state)
{
	static struct event_bar bars[BARS];
	static struct seen seen;
	const struct out out = {.arg = &seen, .tier1 = on_tier1};
	struct buf saved = {0};
	struct params p;
	struct ind_live *l;
	struct state st;
	uint64_t seq = 0;

	(void)state;
	configure(&p);
	l = make(&p);
	for (uint32_t i = 0; i < 100; i++) {
		make_bar(&bars[i], i);
		ind_live_bar(l, &bars[i], &seq, &out);
	}
	st = state_saving(&saved);
	ind_live_state(&st, l);
	ind_live_free(l);
	for (size_t round = 0; round < 300; round++) {
		size_t at = (size_t)(uniform() * (double)saved.len);
		size_t len = round % 3 == 0 ? at : saved.len;
		uint8_t was = saved.data[at];

		saved.data[at] = (uint8_t)(uniform() * 256.0);
		l = make(&p);
		st = state_loading(saved.data, len);
		ind_live_state(&st, l);
		if (len < saved.len)
			assert_true(state_bad(&st));
		ind_live_free(l);
		saved.data[at] = was;
	}
	buf_free(&saved);
	params_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revisions_end_in_the_values_of_a_batch),
		cmocka_unit_test(a_restart_changes_nothing),
		cmocka_unit_test(what_changes_no_value_brings_nothing),
		cmocka_unit_test(only_what_is_configured_for_the_timeframe_is_computed),
		cmocka_unit_test(foreign_bytes_are_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
