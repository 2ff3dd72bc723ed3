/* The registry as a whole: what must be true of every entry, whatever it computes. */
#include "analysis/ind.h"
#include "base/err.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BARS      700
#define SEED      UINT64_C(20261126)
#define MINUTE_NS INT64_C(60000000000)

static uint64_t rng;

static double uniform(void)
{
	rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(rng >> 11) / 9007199254740992.0;
}

/* Bars of a walk; every member a column. */
struct market {
	double open[BARS], high[BARS], low[BARS], close[BARS], volume[BARS],
		spread[BARS];
	int64_t time_ns[BARS];
};

static struct ind_columns columns_of(const struct market *m, size_t from)
{
	return (struct ind_columns){
		m->open + from,   m->high + from,   m->low + from,    m->close + from,
		m->volume + from, m->spread + from, m->time_ns + from};
}

static struct ind_bar bar_of(const struct market *m, size_t i)
{
	return (struct ind_bar){m->open[i],   m->high[i],   m->low[i],    m->close[i],
				m->volume[i], m->spread[i], m->time_ns[i]};
}

static void walk(struct market *m, uint64_t seed)
{
	double x = 100.0;

	rng = seed;
	for (size_t i = 0; i < BARS; i++) {
		m->open[i] = x;
		x *= exp(0.02 * (uniform() - 0.5));
		m->close[i] = x;
		m->high[i] = fmax(m->open[i], x) * (1.0 + 0.004 * uniform());
		m->low[i] = fmin(m->open[i], x) * (1.0 - 0.004 * uniform());
		m->volume[i] = floor(1.0 + 1e5 * uniform());
		m->spread[i] = 1e-4 * (1.0 + uniform());
		m->time_ns[i] = ((int64_t)i + 1) * 7 * MINUTE_NS;
	}
}

struct result {
	double value[IND_OUTPUTS_MAX][BARS];
};

/* Pointers to bar @from of every output. */
static void point_at(struct result *r, size_t from, double *outs[IND_OUTPUTS_MAX])
{
	for (size_t k = 0; k < IND_OUTPUTS_MAX; k++)
		outs[k] = r->value[k] + from;
}

static void batch(const struct ind_spec *s, const struct market *m, struct result *out)
{
	const struct ind_columns in = columns_of(m, 0);
	double *outs[IND_OUTPUTS_MAX];

	point_at(out, 0, outs);
	memset(out, 0, sizeof(*out));
	assert_int_equal(ind_batch(s, &in, BARS, outs), 0);
}

static void assert_same(const struct ind_spec *s, const struct result *a,
			const struct result *b, const char *what)
{
	char text[IND_TEXT_MAX];

	ind_print(s, text);
	for (size_t k = 0; k < s->def->n_outputs; k++)
		for (size_t i = 0; i < BARS; i++)
			if (memcmp(&a->value[k][i], &b->value[k][i], sizeof(double)) !=
				    0 &&
			    !(isnan(a->value[k][i]) && isnan(b->value[k][i])))
				fail_msg(
					"%s: %s differs at bar %zu of %s: %.17g, %.17g",
					text, s->def->output[k], i, what,
					a->value[k][i], b->value[k][i]);
}

typedef void (*property)(const struct ind_spec *s, const struct market *m);

/* Every entry, in every flavour, with its usual parameters, its least and random ones.
 */
static void for_all(property holds)
{
	static struct market m;

	print_message("# seed %llu\n", (unsigned long long)SEED);
	walk(&m, SEED);
	for (size_t e = 0; e < ind_count(); e++) {
		const struct ind_def *d = ind_at(e);

		for (uint32_t f = 0; f < IND_FLAVOURS * 4; f++) {
			struct ind_spec s = {.def = d, .flavour = f % IND_FLAVOURS};

			if (!(d->flavours & (1u << s.flavour)))
				continue;
			for (size_t p = 0; p < d->n_params; p++) {
				const struct ind_param *q = &d->param[p];
				double any = q->min + floor(uniform() * 40.0);

				s.param[p] = f < 2 ? q->value : f < 4 ? q->min : any;
			}
			holds(&s, &m);
		}
	}
}

/* Bars [300, 450) stand still, far above those before. */
static void jump_and_stop(struct market *m)
{
	for (size_t i = 300; i < 450; i++)
		m->open[i] = m->high[i] = m->low[i] = m->close[i] = 3.0 * m->close[299];
}

static void streams_like_batch(const struct ind_spec *s, const struct market *m)
{
	static struct result whole, steps;
	struct ind *ind;

	batch(s, m, &whole);
	assert_int_equal(ind_new(s, &ind), 0);
	for (size_t i = 0; i < BARS; i++) {
		const struct ind_bar bar = bar_of(m, i);
		double value[IND_OUTPUTS_MAX];

		ind_step(ind, &bar, value);
		for (size_t k = 0; k < s->def->n_outputs; k++)
			steps.value[k][i] = value[k];
	}
	ind_free(ind);
	assert_same(s, &whole, &steps, "bar by bar");
}

static void streams_a_jump_like_batch(const struct ind_spec *s, const struct market *m)
{
	static struct market jumped;

	jumped = *m;
	jump_and_stop(&jumped);
	streams_like_batch(s, &jumped);
}

/* A new object at every cut, which knows nothing but the bytes of the one before. */
static void goes_on_from_bytes(const struct ind_spec *s, const struct market *m)
{
	static struct result whole, pieces;
	size_t bytes = ind_state_bytes(s), from = 0;
	void *saved = calloc(1, bytes);

	assert_non_null(saved);
	batch(s, m, &whole);
	while (from < BARS) {
		size_t n = 1 + (size_t)(uniform() * 60.0);
		const struct ind_columns in = columns_of(m, from);
		double *outs[IND_OUTPUTS_MAX];
		struct ind *ind;

		point_at(&pieces, from, outs);
		n = n < BARS - from ? n : BARS - from;
		assert_int_equal(ind_new(s, &ind), 0);
		ind_load(ind, saved);
		ind_run(ind, &in, n, outs);
		ind_save(ind, saved);
		ind_free(ind);
		from += n;
	}
	free(saved);
	assert_same(s, &whole, &pieces, "pieces");
}

/* Bars with a NULL in something that is read leave no trace; NULL elsewhere nothing. */
static void skips_null(const struct ind_spec *s, const struct market *m)
{
	static struct market holed, dense;
	static struct result with, without, spread_out;
	const double nulls[] = {NAN, INFINITY, -INFINITY};
	size_t n = 0, back[BARS];

	holed = dense = *m;
	for (size_t i = 0; i < BARS; i++) {
		double *const column[] = {holed.open,  holed.high,   holed.low,
					  holed.close, holed.volume, holed.spread};
		size_t which = (size_t)(uniform() * 6.0);
		bool is_hole = uniform() < 0.1;

		if (is_hole)
			column[which][i] = nulls[i % 3];
		if (is_hole && (s->def->inputs & (1u << which)))
			continue;
		dense.open[n] = m->open[i];
		dense.high[n] = m->high[i];
		dense.low[n] = m->low[i];
		dense.close[n] = m->close[i];
		dense.volume[n] = m->volume[i];
		dense.spread[n] = m->spread[i];
		dense.time_ns[n] = m->time_ns[i];
		back[n++] = i;
	}
	batch(s, &holed, &with);
	batch(s, &dense, &without);
	for (size_t k = 0; k < IND_OUTPUTS_MAX; k++) {
		for (size_t i = 0; i < BARS; i++)
			spread_out.value[k][i] = NAN;
		for (size_t i = 0; i < n; i++)
			spread_out.value[k][back[i]] = without.value[k][i];
	}
	assert_same(s, &with, &spread_out, "bars with holes");
}

static bool has_all(const struct ind_spec *s, const struct result *r, size_t i)
{
	for (size_t k = 0; k < s->def->n_outputs; k++)
		if (isnan(r->value[k][i]))
			return false;
	return true;
}

static void is_warm_after_lookback(const struct ind_spec *s, const struct market *m)
{
	static struct result r;
	uint32_t lookback = ind_lookback(s);
	char text[IND_TEXT_MAX];

	assert_true(lookback < BARS);
	batch(s, m, &r);
	ind_print(s, text);
	for (size_t i = 0; i < BARS; i++)
		if (has_all(s, &r, i) != (i >= lookback))
			fail_msg("%s: lookback is %u, but bar %zu has %s", text,
				 lookback, i, has_all(s, &r, i) ? "all" : "not all");
}

/* Foreign bytes as a state: wrong values, but nothing is read or written elsewhere. */
static void survives_foreign_state(const struct ind_spec *s, const struct market *m)
{
	static struct result r;
	const struct ind_columns in = columns_of(m, 0);
	double *outs[IND_OUTPUTS_MAX];
	size_t bytes = ind_state_bytes(s);
	uint8_t *state = malloc(bytes);
	struct ind *ind;

	point_at(&r, 0, outs);
	assert_non_null(state);
	for (size_t i = 0; i < bytes; i++)
		state[i] = (uint8_t)(uniform() * 256.0);
	assert_int_equal(ind_new(s, &ind), 0);
	ind_load(ind, state);
	ind_run(ind, &in, BARS, outs);
	ind_save(ind, state);
	ind_free(ind);
	free(state);
}

static void comes_back_from_text(const struct ind_spec *s, const struct market *m)
{
	char text[IND_TEXT_MAX];
	struct ind_spec again;

	(void)m;
	ind_print(s, text);
	assert_int_equal(ind_parse(text, &again), 0);
	assert_ptr_equal(again.def, s->def);
	assert_int_equal(again.flavour, s->flavour);
	assert_memory_equal(again.param, s->param, sizeof(s->param));
}

static void bar_by_bar_is_batch_to_the_last_bit(void **state)
{
	(void)state;
	for_all(streams_like_batch);
	for_all(streams_a_jump_like_batch);
}

static void a_saved_state_goes_on_to_the_last_bit(void **state)
{
	(void)state;
	for_all(goes_on_from_bytes);
}

static void a_bar_with_a_null_is_as_if_it_had_never_been(void **state)
{
	(void)state;
	for_all(skips_null);
}

static void values_begin_after_the_lookback(void **state)
{
	(void)state;
	for_all(is_warm_after_lookback);
}

static void any_bytes_are_safe_to_load(void **state)
{
	(void)state;
	for_all(survives_foreign_state);
}

static void a_spec_is_its_text(void **state)
{
	(void)state;
	for_all(comes_back_from_text);
}

static void the_table_is_sound(void **state)
{
	(void)state;
	assert_true(ind_count() >= 28);
	assert_null(ind_at(ind_count()));
	for (size_t e = 0; e < ind_count(); e++) {
		const struct ind_def *d = ind_at(e);

		assert_in_range(d->n_outputs, 1, IND_OUTPUTS_MAX);
		assert_in_range(d->n_params, 0, IND_PARAMS_MAX);
		assert_in_range(d->flavours, 1, 3);
		assert_true(d->inputs != 0);
		for (size_t k = 0; k < d->n_params; k++) {
			assert_true(d->param[k].min <= d->param[k].value);
			assert_true(d->param[k].value <= d->param[k].max);
		}
		for (size_t k = 0; k < d->n_outputs; k++)
			assert_non_null(d->output[k]);
		for (size_t other = 0; other < e; other++)
			assert_string_not_equal(ind_at(other)->name, d->name);
	}
}

static void specs_are_read(void **state)
{
	static const char *const good[][2] = {
		{"rsi", "rsi(14)"},
		{" bbands( 20 , 2 ) ", "bbands(20,2)"},
		{"bbands(k=2.5, n=10)", "bbands(10,2.5)"},
		{"bbands(20,2,flavour=pandas)", "bbands(20,2,flavour=pandas)"},
		{"macd(flavour=talib)", "macd(12,26,9)"},
		{"macd(5, signal=3)", "macd(5,26,3)"},
		{"donchian(flavour=pandas)", "donchian(20)"},
		{"obv()", "obv"},
		{"bbands(20,0.1234567890123456)", "bbands(20,0.1234567890123456)"},
		{"rvol(5,1e-5)", "rvol(5,1e-05)"},
		{"bbands(20,-0)", "bbands(20,0)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char text[IND_TEXT_MAX];
		struct ind_spec s;

		assert_int_equal(ind_parse(good[i][0], &s), 0);
		ind_print(&s, text);
		assert_string_equal(text, good[i][1]);
	}
}

static void wrong_specs_are_refused_with_the_reason(void **state)
{
	static const char *const bad[][2] = {
		{"", "no indicator"},
		{"rsx(14)", "no indicator 'rsx'"},
		{"rsi(14", "')'"},
		{"rsi(1)", "from 2 to"},
		{"rsi(14.5)", "whole"},
		{"rsi(nan)", "no number"},
		{"rsi(0x10)", "no number"},
		{"rsi(14,2)", "one too many"},
		{"rsi(14,)", "one too many"},
		{"rsi(,)", "no number"},
		{"rsi(m=14)", "no parameter 'm'"},
		{"rsi(flavour=wilder)", "talib and pandas"},
		{"obv(flavour=pandas)", "only talib"},
		{"sma(1e9)", "to 10000"},
		{"sma(111111111111111111111111111111)", "no number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ind_spec s;

		assert_true(ind_parse(bad[i][0], &s) < 0);
		if (strstr(err_text(), bad[i][1]) == NULL)
			fail_msg("'%s': %s", bad[i][0], err_text());
	}
}

/* Ten times the price: ten times the value, and never far from the bars. */
static bool looks_like_a_price(const struct ind_def *d, const struct market *m,
			       const struct market *tenfold)
{
	struct ind_spec s = {.def = d, .flavour = ind_flavour_default(d)};
	struct ind *one, *ten;
	bool is_price = true;
	size_t seen = 0;

	for (size_t k = 0; k < d->n_params; k++)
		s.param[k] = d->param[k].value;
	assert_int_equal(ind_new(&s, &one), 0);
	assert_int_equal(ind_new(&s, &ten), 0);
	for (size_t i = 0; i < BARS; i++) {
		const struct ind_bar bar = bar_of(m, i), tenth = bar_of(tenfold, i);
		double a[IND_OUTPUTS_MAX], b[IND_OUTPUTS_MAX];

		ind_step(one, &bar, a);
		ind_step(ten, &tenth, b);
		for (size_t k = 0; k < d->n_outputs; k++) {
			if (isnan(a[k]))
				continue;
			seen++;
			is_price = is_price && fabs(b[k] - 10 * a[k]) < 1e-6 * b[k] &&
				   a[k] > 0.5 * bar.low && a[k] < 2 * bar.high;
		}
	}
	ind_free(one);
	ind_free(ten);
	assert_true(seen > 0);
	return is_price;
}

static void what_is_drawn_on_the_price_is_one(void **state)
{
	struct market *m = malloc(sizeof(*m)), *tenfold = malloc(sizeof(*tenfold));

	(void)state;
	walk(m, SEED);
	*tenfold = *m;
	for (size_t i = 0; i < BARS; i++) {
		tenfold->open[i] *= 10;
		tenfold->high[i] *= 10;
		tenfold->low[i] *= 10;
		tenfold->close[i] *= 10;
	}
	for (size_t i = 0; i < ind_count(); i++) {
		const struct ind_def *d = ind_at(i);

		if (looks_like_a_price(d, m, tenfold) != d->on_price)
			fail_msg("%s: on_price is %d", d->name, d->on_price);
	}
	free(m);
	free(tenfold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(specs_are_read),
		cmocka_unit_test(wrong_specs_are_refused_with_the_reason),
		cmocka_unit_test(a_spec_is_its_text),
		cmocka_unit_test(values_begin_after_the_lookback),
		cmocka_unit_test(bar_by_bar_is_batch_to_the_last_bit),
		cmocka_unit_test(a_saved_state_goes_on_to_the_last_bit),
		cmocka_unit_test(a_bar_with_a_null_is_as_if_it_had_never_been),
		cmocka_unit_test(any_bytes_are_safe_to_load),
		cmocka_unit_test(what_is_drawn_on_the_price_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
