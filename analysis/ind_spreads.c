/* ind_spreads - how widely prices lie: deviations, volatilities, the quoted spread. */
#include "analysis/ind_parts.h"
#include "analysis/ind_window.h"

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static size_t squares_words(const struct ind_spec *s)
{
	return IND_WORDS(struct ind_window) + 3 * ((size_t)ind_whole(s, 0) + 1);
}

/* From a variance over n to the flavour's: TA-Lib divides by n, pandas by n - 1. */
static double divisor(const struct ind_spec *s, uint32_t n)
{
	return s->flavour == IND_PANDAS ? (double)n / (double)(n - 1) : 1.0;
}

/* ---- bbands ---- */

/* Bands of bars [at, to), out of what lies there: upper has the means, lower the
 * variances. */
static void bands(const struct ind_spec *s, const struct ind_stretch *r, size_t at,
		  size_t to)
{
	double *restrict upper = r->out[0], *restrict middle = r->out[1],
			 *restrict lower = r->out[2];
	double k = s->param[1], by = divisor(s, ind_whole(s, 0));

	for (size_t i = at; i < to; i++) {
		double mean = upper[i], reach = k * sqrt(lower[i] * by);

		upper[i] = mean + reach;
		middle[i] = mean;
		lower[i] = mean - reach;
	}
}

static void bbands_run(const struct ind_spec *s, void *state,
		       const struct ind_stretch *r)
{
	struct ind_window w = *(struct ind_window *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(w.seen, n);
	struct ind_kept a = ind_kept(ind_behind(state, IND_WORDS(w)), n);

	for (size_t i = r->from; i < r->to;) {
		size_t last = i;

		if (j == 0 && w.seen > 0 && r->to - i >= n &&
		    ind_moments_block(&w, &a, n, r->in->close + i, r->out[0] + i,
				      r->out[2] + i)) {
			i += n;
			bands(s, r, last, i);
			continue;
		}
		struct ind_moments m = ind_moments(&w, &a, n, j, r->in->close[i]);

		r->out[0][i] = w.seen < n ? NAN : m.mean;
		r->out[2][i] = m.variance;
		j = ind_next(j, n);
		bands(s, r, last, ++i);
	}
	*(struct ind_window *)state = w;
}

/* ---- zscore ---- */

static void zscore_run(const struct ind_spec *s, void *state,
		       const struct ind_stretch *r)
{
	struct ind_window w = *(struct ind_window *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(w.seen, n);
	struct ind_kept a = ind_kept(ind_behind(state, IND_WORDS(w)), n);
	double by = divisor(s, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		struct ind_moments m = ind_moments(&w, &a, n, j, r->in->close[i]);

		r->out[0][i] = w.seen < n || m.variance == 0.0
				       ? NAN
				       : m.away / sqrt(m.variance * by);
	}
	*(struct ind_window *)state = w;
}

/* ---- volatilities: the root of a mean of squares ---- */

/* The mean of n values times the periods, as a deviation; NaN until there are n. */
static double volatility(const struct ind_spec *s, struct ind_window *w, double *a,
			 double x)
{
	uint32_t n = ind_whole(s, 0);
	double sum = ind_sum(w, a, n, ind_phase(w->seen, n), x);

	if (w->seen < n)
		return NAN;
	/* Garman and Klass may be below 0 for bars that hardly moved but from a gap. */
	return sum < 0.0 ? 0.0 : sqrt(sum / (double)n * s->param[1]);
}

struct rvol {
	uint64_t seen;
	double close;
	struct ind_window squares;
};

static uint32_t whole_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0);
}

static size_t rvol_words(const struct ind_spec *s)
{
	return IND_WORDS(struct rvol) + ind_whole(s, 0) + 1;
}

static void rvol_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct rvol m = *(struct rvol *)state;
	double *a = ind_behind(state, IND_WORDS(m));

	for (size_t i = r->from; i < r->to; i++) {
		double x = r->in->close[i], before = m.close, change;

		m.close = x;
		r->out[0][i] = NAN;
		if (m.seen++ == 0)
			continue;
		change = log(x / before);
		r->out[0][i] = volatility(s, &m.squares, a, change * change);
	}
	*(struct rvol *)state = m;
}

static size_t window_words(const struct ind_spec *s)
{
	return IND_WORDS(struct ind_window) + ind_whole(s, 0) + 1;
}

static void parkinson_run(const struct ind_spec *s, void *state,
			  const struct ind_stretch *r)
{
	struct ind_window w = *(struct ind_window *)state;
	double *a = ind_behind(state, IND_WORDS(w));

	for (size_t i = r->from; i < r->to; i++) {
		double range = log(r->in->high[i] / r->in->low[i]);

		r->out[0][i] = volatility(s, &w, a, range * range / (4.0 * M_LN2));
	}
	*(struct ind_window *)state = w;
}

static void garman_klass_run(const struct ind_spec *s, void *state,
			     const struct ind_stretch *r)
{
	struct ind_window w = *(struct ind_window *)state;
	double *a = ind_behind(state, IND_WORDS(w));

	for (size_t i = r->from; i < r->to; i++) {
		double range = log(r->in->high[i] / r->in->low[i]);
		double move = log(r->in->close[i] / r->in->open[i]);
		double v = 0.5 * range * range - (2.0 * M_LN2 - 1.0) * move * move;

		r->out[0][i] = volatility(s, &w, a, v);
	}
	*(struct ind_window *)state = w;
}

/* ---- spread ---- */

static void spread_run(const struct ind_spec *s, void *state,
		       const struct ind_stretch *r)
{
	double *a = ind_behind(state, IND_WORDS(struct ind_window));

	ind_means(state, a, ind_whole(s, 0), r->in->spread + r->from, r->to - r->from,
		  r->out[0] + r->from);
}

/* ---- the table ---- */

#define PERIOD(least, usual)                                                           \
	{                                                                              \
		"n", usual, least, IND_BARS_MAX, true                                  \
	}
#define PERIODS                                                                        \
	{                                                                              \
		"periods", 1, 0.000001, 1e9, false                                     \
	}
#define BOTH   (1u << IND_TALIB | 1u << IND_PANDAS)
#define PANDAS (1u << IND_PANDAS)

const struct ind_def ind_spreads[] = {
	{
		.name = "bbands",
		.title = "Bollinger bands",
		.formula =
			"sma(n) +- k standard deviations; TA-Lib BBANDS divides by n, "
			"rolling(n).std() by n - 1",
		.param = {PERIOD(2, 20), {"k", 2, 0, 1000, false}},
		.output = {"upper", "middle", "lower"},
		.n_params = 2,
		.n_outputs = 3,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = window_lookback,
		.words = squares_words,
		.on_price = true,
		.run = bbands_run,
	},
	{
		.name = "zscore",
		.title = "rolling z-score of the close",
		.formula = "(close - sma(n)) / standard deviation; over n (talib, as "
			   "STDDEV) or "
			   "n - 1 (pandas)",
		.param = {PERIOD(2, 20)},
		.output = {"zscore"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = window_lookback,
		.words = squares_words,
		.run = zscore_run,
	},
	{
		.name = "rvol",
		.title = "realised volatility",
		.formula =
			"sqrt(periods mean(r^2)), r the log returns of n bars, mean "
			"taken as "
			"0; periods: bars of a year, say, to annualise; Andersen 2003",
		.param = {PERIOD(1, 20), PERIODS},
		.output = {"rvol"},
		.n_params = 2,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = PANDAS,
		.lookback = whole_lookback,
		.words = rvol_words,
		.run = rvol_run,
	},
	{
		.name = "parkinson",
		.title = "volatility of ranges",
		.formula =
			"sqrt(periods mean(ln(high/low)^2 / (4 ln 2))); Parkinson 1980",
		.param = {PERIOD(1, 20), PERIODS},
		.output = {"parkinson"},
		.n_params = 2,
		.n_outputs = 1,
		.inputs = IND_HIGH | IND_LOW,
		.flavours = PANDAS,
		.lookback = window_lookback,
		.words = window_words,
		.run = parkinson_run,
	},
	{
		.name = "garman_klass",
		.title = "volatility of ranges and moves",
		.formula = "sqrt(periods mean(ln(high/low)^2 / 2 - (2 ln 2 - 1) "
			   "ln(close/open)^2)); Garman and Klass 1980",
		.param = {PERIOD(1, 20), PERIODS},
		.output = {"garman_klass"},
		.n_params = 2,
		.n_outputs = 1,
		.inputs = IND_OPEN | IND_HIGH | IND_LOW | IND_CLOSE,
		.flavours = PANDAS,
		.lookback = window_lookback,
		.words = window_words,
		.run = garman_klass_run,
	},
	{
		.name = "spread",
		.title = "mean spread",
		.formula = "mean of the last n spread estimates; rolling(n).mean()",
		.param = {PERIOD(1, 20)},
		.output = {"spread"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_SPREAD,
		.flavours = PANDAS,
		.lookback = window_lookback,
		.words = window_words,
		.run = spread_run,
	},
};
const size_t ind_spreads_n = sizeof(ind_spreads) / sizeof(ind_spreads[0]);
