/* ind_ranges - what true ranges and directed moves are made into. */
#include "analysis/ind_ema.h"
#include "analysis/ind_window.h"

/* ---- atr, natr ---- */

static uint32_t atr_lookback(const struct ind_spec *s)
{
	return s->flavour == IND_PANDAS ? 0 : ind_whole(s, 0);
}

static size_t atr_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct ind_atr);
}

static void atr_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct ind_atr a = *(struct ind_atr *)state;
	const struct ind_ema_way way = ind_wilder_way(s, ind_whole(s, 0));
	bool pandas = s->flavour == IND_PANDAS;

	for (size_t i = r->from; i < r->to; i++)
		r->out[0][i] = ind_atr(&a, &way, pandas, r->in, i);
	*(struct ind_atr *)state = a;
}

static void natr_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct ind_atr a = *(struct ind_atr *)state;
	const struct ind_ema_way way = ind_wilder_way(s, ind_whole(s, 0));
	bool pandas = s->flavour == IND_PANDAS;

	for (size_t i = r->from; i < r->to; i++) {
		double atr = ind_atr(&a, &way, pandas, r->in, i);

		r->out[0][i] = a.close == 0.0 ? NAN : atr / a.close * 100.0;
	}
	*(struct ind_atr *)state = a;
}

/* ---- keltner ---- */

struct keltner {
	struct ind_ema middle;
	struct ind_atr atr;
};

static uint32_t keltner_lookback(const struct ind_spec *s)
{
	uint32_t n = ind_whole(s, 0) - 1, atr = ind_whole(s, 2);

	if (s->flavour == IND_PANDAS)
		return 0;
	return n > atr ? n : atr;
}

static size_t keltner_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct keltner);
}

static void keltner_run(const struct ind_spec *s, void *state,
			const struct ind_stretch *r)
{
	struct keltner m = *(struct keltner *)state;
	const struct ind_ema_way way = ind_ema_way(s, ind_whole(s, 0)),
				 wilder = ind_wilder_way(s, ind_whole(s, 2));
	bool pandas = s->flavour == IND_PANDAS;

	for (size_t i = r->from; i < r->to; i++) {
		double middle = ind_ema(&m.middle, &way, r->in->close[i]);
		double reach = s->param[1] * ind_atr(&m.atr, &wilder, pandas, r->in, i);

		r->out[0][i] = middle + reach;
		r->out[1][i] = isnan(reach) ? NAN : middle;
		r->out[2][i] = middle - reach;
	}
	*(struct keltner *)state = m;
}

/* ---- adx ---- */

struct adx {
	uint64_t seen;
	double high, low, close;   /* of the bar before */
	double plus, minus, range; /* Wilder's sums */
	double dx_sum, adx;
};

static uint32_t adx_lookback(const struct ind_spec *s)
{
	return 2 * ind_whole(s, 0) - 1;
}

static size_t adx_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct adx);
}

/* Add a bar's directed move and true range to the sums, which forget 1/n of what they
 * were once @forget. */
static void adx_add(struct adx *m, const struct ind_columns *c, size_t i, double n,
		    bool forget)
{
	double up = c->high[i] - m->high, down = m->low - c->low[i];

	if (forget) {
		m->plus -= m->plus / n;
		m->minus -= m->minus / n;
		m->range -= m->range / n;
	}
	if (down > 0.0 && up < down)
		m->minus += down;
	else if (up > 0.0 && up > down)
		m->plus += up;
	m->range += ind_true_range(c->high[i], c->low[i], m->close);
}

static bool is_nothing(double x)
{
	return x > -1e-14 && x < 1e-14;
}

/* DX of the sums; @was where there is none. */
static double adx_dx(double plus, double minus, double was)
{
	double sum = plus + minus;

	return is_nothing(sum) ? was : 100.0 * (fabs(minus - plus) / sum);
}

static void adx_mean(struct adx *m, double plus, double minus, uint64_t n)
{
	/* Bars n .. 2n-1 (from 0) make the first mean. */
	if (m->seen < 2 * n) {
		m->dx_sum += adx_dx(plus, minus, 0.0);
		if (m->seen + 1 == 2 * n)
			m->adx = m->dx_sum / (double)n;
		return;
	}
	double dx = adx_dx(plus, minus, NAN);

	if (!isnan(dx))
		m->adx = (m->adx * (double)(n - 1) + dx) / (double)n;
}

static void adx_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct adx m = *(struct adx *)state;
	uint64_t n = ind_whole(s, 0);

	for (size_t i = r->from; i < r->to; i++, m.seen++) {
		double plus = NAN, minus = NAN;

		if (m.seen > 0)
			adx_add(&m, r->in, i, (double)n, m.seen >= n);
		m.high = r->in->high[i];
		m.low = r->in->low[i];
		m.close = r->in->close[i];
		if (m.seen >= n) {
			bool none = is_nothing(m.range);

			plus = none ? 0.0 : 100.0 * (m.plus / m.range);
			minus = none ? 0.0 : 100.0 * (m.minus / m.range);
			adx_mean(&m, plus, minus, n);
		}
		r->out[0][i] = m.seen + 1 < 2 * n ? NAN : m.adx;
		r->out[1][i] = plus;
		r->out[2][i] = minus;
	}
	*(struct adx *)state = m;
}

/* ---- donchian ---- */

struct extremes {
	uint64_t seen;
	double high, minus_low; /* running ones, see ind_max() */
};

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static size_t extremes_words(const struct ind_spec *s)
{
	return IND_WORDS(struct extremes) + 2 * (size_t)ind_whole(s, 0);
}

static void donchian_run(const struct ind_spec *s, void *state,
			 const struct ind_stretch *r)
{
	struct extremes m = *(struct extremes *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(m.seen, n);
	double *a = ind_behind(state, IND_WORDS(m));

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double high = ind_max(&m.high, a, n, j, r->in->high[i]);
		double low = -ind_max(&m.minus_low, a + n, n, j, -r->in->low[i]);
		bool is_full = ++m.seen >= n;

		r->out[0][i] = is_full ? high : NAN;
		r->out[1][i] = is_full ? (high + low) / 2.0 : NAN;
		r->out[2][i] = is_full ? low : NAN;
	}
	*(struct extremes *)state = m;
}

/* ---- the table ---- */

#define PERIOD(least, usual)                                                           \
	{                                                                              \
		"n", usual, least, IND_BARS_MAX, true                                  \
	}
#define BOTH  (1u << IND_TALIB | 1u << IND_PANDAS)
#define RANGE (IND_HIGH | IND_LOW | IND_CLOSE)

const struct ind_def ind_ranges[] = {
	{
		.name = "atr",
		.title = "average true range",
		.formula = "Wilder's mean of max(high, close before) - min(low, close "
			   "before); "
			   "TA-Lib ATR begins with the mean of n of them",
		.param = {PERIOD(2, 14)},
		.output = {"atr"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE,
		.flavours = BOTH,
		.lookback = atr_lookback,
		.words = atr_words,
		.run = atr_run,
	},
	{
		.name = "natr",
		.title = "average true range, percent of the close",
		.formula = "100 atr(n) / close; TA-Lib NATR",
		.param = {PERIOD(2, 14)},
		.output = {"natr"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE,
		.flavours = BOTH,
		.lookback = atr_lookback,
		.words = atr_words,
		.run = natr_run,
	},
	{
		.name = "adx",
		.title = "average directional index, +DI and -DI",
		.formula = "Wilder 1978; TA-Lib ADX, PLUS_DI, MINUS_DI; the DIs begin "
			   "n - 1 "
			   "bars before the ADX",
		.param = {PERIOD(2, 14)},
		.output = {"adx", "plus_di", "minus_di"},
		.n_params = 1,
		.n_outputs = 3,
		.inputs = RANGE,
		.flavours = 1u << IND_TALIB,
		.lookback = adx_lookback,
		.words = adx_words,
		.run = adx_run,
	},
	{
		.name = "donchian",
		.title = "Donchian channel",
		.formula = "highest high and lowest low of n bars and their middle; "
			   "rolling(n).max(), rolling(n).min()",
		.param = {PERIOD(1, 20)},
		.output = {"upper", "middle", "lower"},
		.n_params = 1,
		.n_outputs = 3,
		.inputs = IND_HIGH | IND_LOW,
		.flavours = 1u << IND_PANDAS,
		.lookback = window_lookback,
		.words = extremes_words,
		.on_price = true,
		.run = donchian_run,
	},
	{
		.name = "keltner",
		.title = "Keltner channel",
		.formula = "ema(n) of closes +- k atr(atr); Keltner 1960 as Raschke "
			   "has it",
		.param = {PERIOD(1, 20),
			  {"k", 2, 0, 1000, false},
			  {"atr", 10, 2, IND_BARS_MAX, true}},
		.output = {"upper", "middle", "lower"},
		.n_params = 3,
		.n_outputs = 3,
		.inputs = RANGE,
		.flavours = BOTH,
		.lookback = keltner_lookback,
		.words = keltner_words,
		.on_price = true,
		.run = keltner_run,
	},
};
const size_t ind_ranges_n = sizeof(ind_ranges) / sizeof(ind_ranges[0]);
