/* ind_places - oscillators: where the close stands among what was before. */
#include "analysis/ind_ema.h"
#include "analysis/ind_window.h"
#include <float.h>

/* ---- rsi ---- */

struct rsi {
	uint64_t seen;
	double close;
	struct ind_ema gain, loss;
};

static uint32_t rsi_lookback(const struct ind_spec *s)
{
	return s->flavour == IND_PANDAS ? 1 : ind_whole(s, 0);
}

static size_t rsi_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct rsi);
}

/* How a sum of both means becomes an index: one below `least` is none. */
struct rsi_way {
	struct ind_ema_way mean;
	double least, flat;
};

static double rsi_of(const struct rsi_way *way, double gain, double loss)
{
	double sum = gain + loss;

	/* NaN while there are no means yet: not smaller than anything. */
	return sum < way->least ? way->flat : 100.0 * (gain / sum);
}

static double gain_of(double move)
{
	return move > 0.0 ? move : 0.0;
}

/* The bars of the seed; returns where it ends. */
static size_t rsi_begin(struct rsi *m, const struct rsi_way *way,
			const struct ind_stretch *r)
{
	size_t i = r->from;

	for (; i < r->to && m->seen <= way->mean.first; i++) {
		double d = r->in->close[i] - m->close, gain;

		m->close = r->in->close[i];
		r->out[0][i] = NAN;
		if (m->seen++ == 0)
			continue;
		gain = ind_wilder(&m->gain, &way->mean, gain_of(d));
		r->out[0][i] = rsi_of(way, gain,
				      ind_wilder(&m->loss, &way->mean, gain_of(-d)));
	}
	return i;
}

static void rsi_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	const bool pandas = s->flavour == IND_PANDAS;
	/* No moves: for TA-Lib a sum below 1e-14, for pandas what divides 0 by 0. */
	const struct rsi_way way = {.mean = ind_wilder_way(s, ind_whole(s, 0)),
				    .least = pandas ? DBL_MIN : 1e-14,
				    .flat = pandas ? NAN : 0.0};
	struct rsi *m = state;
	size_t i = rsi_begin(m, &way, r);
	double gain = m->gain.value, loss = m->loss.value, before = m->close;
	const double *close = r->in->close;
	double *out = r->out[0];

	for (; i < r->to; i++) {
		double d = close[i] - before;

		before = close[i];
		gain = ind_wilder_next(gain, &way.mean, gain_of(d));
		loss = ind_wilder_next(loss, &way.mean, gain_of(-d));
		out[i] = rsi_of(&way, gain, loss);
	}
	m->close = before;
	m->gain.value = gain;
	m->loss.value = loss;
}

/* ---- roc, mom ---- */

static uint32_t whole_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0);
}

struct past {
	uint64_t seen;
};

static size_t past_words(const struct ind_spec *s)
{
	return IND_WORDS(struct past) + ind_whole(s, 0);
}

static void mom_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct past *m = state;
	double *a = ind_behind(state, IND_WORDS(*m));
	uint32_t n = ind_whole(s, 0), j = ind_phase(m->seen, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double x = r->in->close[i];

		r->out[0][i] = m->seen++ < n ? NAN : x - a[j];
		a[j] = x;
	}
}

static void roc_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct past *m = state;
	double *a = ind_behind(state, IND_WORDS(*m));
	uint32_t n = ind_whole(s, 0), j = ind_phase(m->seen, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double x = r->in->close[i], change = (x / a[j] - 1.0) * 100.0;

		if (a[j] == 0.0)
			change = s->flavour == IND_PANDAS ? NAN : 0.0;
		r->out[0][i] = m->seen++ < n ? NAN : change;
		a[j] = x;
	}
}

/* ---- stoch, willr ---- */

struct stoch {
	uint64_t seen;
	double high, minus_low; /* running ones, see ind_max() */
	struct ind_window k, d;
};

static uint32_t stoch_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) + ind_whole(s, 1) + ind_whole(s, 2) - 3;
}

static size_t stoch_words(const struct ind_spec *s)
{
	return IND_WORDS(struct stoch) + 2 * (size_t)ind_whole(s, 0) + ind_whole(s, 1) +
	       ind_whole(s, 2) + 2;
}

/* 100 (close - low) / (high - low) of the last n bars. */
static double fast_k(struct stoch *m, double *a, uint32_t n,
		     const struct ind_columns *c, size_t i)
{
	uint32_t j = ind_phase(m->seen++, n);
	double high = ind_max(&m->high, a, n, j, c->high[i]);
	double low = -ind_max(&m->minus_low, a + n, n, j, -c->low[i]);
	double percent = (high - low) / 100.0;

	if (m->seen < n)
		return NAN;
	return percent == 0.0 ? 0.0 : (c->close[i] - low) / percent;
}

static double smooth(struct ind_window *w, double *a, uint32_t n, double x)
{
	double mean;

	if (isnan(x))
		return NAN;
	mean = ind_mean(w, a, n, ind_phase(w->seen, n), x);
	return w->seen < n ? NAN : mean;
}

static void stoch_run(const struct ind_spec *s, void *state,
		      const struct ind_stretch *r)
{
	struct stoch m = *(struct stoch *)state;
	uint32_t n = ind_whole(s, 0), n_k = ind_whole(s, 1), n_d = ind_whole(s, 2);
	double *a = ind_behind(state, IND_WORDS(m)), *a_k = a + 2 * (size_t)n,
	       *a_d = a_k + n_k + 1;

	for (size_t i = r->from; i < r->to; i++) {
		double k = smooth(&m.k, a_k, n_k, fast_k(&m, a, n, r->in, i));
		double d = smooth(&m.d, a_d, n_d, k);

		r->out[0][i] = isnan(d) ? NAN : k;
		r->out[1][i] = d;
	}
	*(struct stoch *)state = m;
}

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static size_t willr_words(const struct ind_spec *s)
{
	return IND_WORDS(struct stoch) + 2 * (size_t)ind_whole(s, 0);
}

static void willr_run(const struct ind_spec *s, void *state,
		      const struct ind_stretch *r)
{
	struct stoch m = *(struct stoch *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(m.seen, n);
	double *a = ind_behind(state, IND_WORDS(m));
	const struct ind_columns *c = r->in;

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double high = ind_max(&m.high, a, n, j, c->high[i]);
		double low = -ind_max(&m.minus_low, a + n, n, j, -c->low[i]);
		double percent = (high - low) / -100.0;

		r->out[0][i] = NAN;
		if (++m.seen >= n)
			r->out[0][i] =
				percent == 0.0 ? 0.0 : (high - c->close[i]) / percent;
	}
	*(struct stoch *)state = m;
}

/* ---- cci ---- */

/* The mean is summed in the order in which TA-Lib's ring lies, so that a flat window
 * has the same rounding: what is divided there is that rounding. */
static double cci(const double *a, uint32_t n, double x)
{
	double mean = 0.0, away = 0.0;

	for (uint32_t k = 0; k < n; k++)
		mean += a[k];
	mean /= (double)n;
	for (uint32_t k = 0; k < n; k++)
		away += fabs(a[k] - mean);
	if (x - mean == 0.0 || away == 0.0)
		return 0.0;
	return (x - mean) / (0.015 * (away / (double)n));
}

static void cci_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct past *m = state;
	double *a = ind_behind(state, IND_WORDS(*m));
	uint32_t n = ind_whole(s, 0), j = ind_phase(m->seen, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		a[j] = ind_typical(r->in, i);
		r->out[0][i] = ++m->seen < n ? NAN : cci(a, n, a[j]);
	}
}

/* ---- aroon ---- */

static size_t aroon_words(const struct ind_spec *s)
{
	return IND_WORDS(struct past) + 2 * ((size_t)ind_whole(s, 0) + 1);
}

/* Bars since the largest of the @n values in the ring @a whose newest is at @j; of
 * equal ones the newest. */
static uint32_t age_of_max(const double *a, uint32_t n, uint32_t j)
{
	double best = a[j];
	uint32_t age = 0;

	for (uint32_t back = 1; back < n; back++) {
		double x = a[j >= back ? j - back : j + n - back];

		if (x > best) {
			best = x;
			age = back;
		}
	}
	return age;
}

static void aroon_run(const struct ind_spec *s, void *state,
		      const struct ind_stretch *r)
{
	struct past *m = state;
	uint32_t n = ind_whole(s, 0), ring = n + 1, j = ind_phase(m->seen, ring);
	double *high = ind_behind(state, IND_WORDS(*m)), *low = high + ring;
	double percent = 100.0 / (double)n;

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, ring)) {
		high[j] = r->in->high[i];
		low[j] = -r->in->low[i];
		r->out[0][i] = r->out[1][i] = NAN;
		if (++m->seen < ring)
			continue;
		r->out[0][i] = percent * (double)(n - age_of_max(low, ring, j));
		r->out[1][i] = percent * (double)(n - age_of_max(high, ring, j));
	}
}

/* ---- the table ---- */

#define PERIOD(least, usual)                                                           \
	{                                                                              \
		"n", usual, least, IND_BARS_MAX, true                                  \
	}
#define BOTH  (1u << IND_TALIB | 1u << IND_PANDAS)
#define TALIB (1u << IND_TALIB)
#define RANGE (IND_HIGH | IND_LOW | IND_CLOSE)

const struct ind_def ind_places[] = {
	{
		.name = "rsi",
		.title = "relative strength index",
		.formula = "100 gain / (gain + loss), Wilder's means of the moves; "
			   "TA-Lib RSI "
			   "begins with the means of n, pandas with the first move",
		.param = {PERIOD(2, 14)},
		.output = {"rsi"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = rsi_lookback,
		.words = rsi_words,
		.run = rsi_run,
	},
	{
		.name = "cci",
		.title = "commodity channel index",
		.formula =
			"(typical price - its mean) / (0.015 mean deviation), n bars; "
			"Lambert 1980, TA-Lib CCI",
		.param = {PERIOD(2, 14)},
		.output = {"cci"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE,
		.flavours = TALIB,
		.lookback = window_lookback,
		.words = past_words,
		.run = cci_run,
	},
	{
		.name = "stoch",
		.title = "stochastic oscillator, slow",
		.formula = "%K: sma(slow) of where the close stands in the range of n "
			   "bars; "
			   "%D: sma(signal) of %K; Lane, TA-Lib STOCH",
		.param = {{"n", 5, 1, IND_BARS_MAX, true},
			  {"slow", 3, 1, IND_BARS_MAX, true},
			  {"signal", 3, 1, IND_BARS_MAX, true}},
		.output = {"k", "d"},
		.n_params = 3,
		.n_outputs = 2,
		.inputs = RANGE,
		.flavours = TALIB,
		.lookback = stoch_lookback,
		.words = stoch_words,
		.run = stoch_run,
	},
	{
		.name = "willr",
		.title = "Williams' %R",
		.formula = "-100 (highest - close) / (highest - lowest) of n bars; "
			   "TA-Lib WILLR",
		.param = {PERIOD(2, 14)},
		.output = {"willr"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE,
		.flavours = TALIB,
		.lookback = window_lookback,
		.words = willr_words,
		.run = willr_run,
	},
	{
		.name = "roc",
		.title = "rate of change, percent",
		.formula = "100 (close / close n bars ago - 1); TA-Lib ROC, 100 "
			   "pct_change(n)",
		.param = {PERIOD(1, 10)},
		.output = {"roc"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = whole_lookback,
		.words = past_words,
		.run = roc_run,
	},
	{
		.name = "mom",
		.title = "momentum",
		.formula = "close - close n bars ago; TA-Lib MOM, diff(n)",
		.param = {PERIOD(1, 10)},
		.output = {"mom"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = whole_lookback,
		.words = past_words,
		.run = mom_run,
	},
	{
		.name = "aroon",
		.title = "Aroon",
		.formula = "100 (n - bars since the lowest low, highest high, of n + "
			   "1) / n; "
			   "Chande 1995, TA-Lib AROON",
		.param = {PERIOD(2, 14)},
		.output = {"down", "up"},
		.n_params = 1,
		.n_outputs = 2,
		.inputs = IND_HIGH | IND_LOW,
		.flavours = TALIB,
		.lookback = whole_lookback,
		.words = aroon_words,
		.run = aroon_run,
	},
};
const size_t ind_places_n = sizeof(ind_places) / sizeof(ind_places[0]);
