/* ind_averages - means of closes, and what is made of them. */
#include "analysis/ind_ema.h"
#include "analysis/ind_window.h"

/* ---- sma ---- */

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static size_t window_words(const struct ind_spec *s)
{
	return IND_WORDS(struct ind_window) + ind_whole(s, 0) + 1;
}

static void sma_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	double *a = ind_behind(state, IND_WORDS(struct ind_window));

	ind_means(state, a, ind_whole(s, 0), r->in->close + r->from, r->to - r->from,
		  r->out[0] + r->from);
}

/* ---- ema, dema, tema, trix: one to three in a row ---- */

struct chain {
	struct ind_ema ema[3];
	double before; /* trix: the last one's mean a bar ago; 0 before there is one */
};

static uint32_t chain_lookback(const struct ind_spec *s, uint32_t links)
{
	return s->flavour == IND_PANDAS ? 0 : links * (ind_whole(s, 0) - 1);
}

static uint32_t ema_lookback(const struct ind_spec *s)
{
	return chain_lookback(s, 1);
}

static uint32_t dema_lookback(const struct ind_spec *s)
{
	return chain_lookback(s, 2);
}

static uint32_t tema_lookback(const struct ind_spec *s)
{
	return chain_lookback(s, 3);
}

static uint32_t trix_lookback(const struct ind_spec *s)
{
	return chain_lookback(s, 3) + 1;
}

static size_t chain_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct chain);
}

static void ema_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct ind_ema e = *(struct ind_ema *)state;
	const struct ind_ema_way way = ind_ema_way(s, ind_whole(s, 0));

	for (size_t i = r->from; i < r->to; i++)
		r->out[0][i] = ind_ema(&e, &way, r->in->close[i]);
	*(struct ind_ema *)state = e;
}

/* The means of x, of those means, and so on; NaN where there is none yet. */
static void chain_step(struct chain *c, const struct ind_ema_way *way, uint32_t links,
		       double x, double mean[3])
{
	for (uint32_t k = 0; k < links; k++) {
		if (!isnan(x))
			x = ind_ema(&c->ema[k], way, x);
		mean[k] = x;
	}
}

static void dema_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct chain c = *(struct chain *)state;
	const struct ind_ema_way way = ind_ema_way(s, ind_whole(s, 0));
	double m[3];

	for (size_t i = r->from; i < r->to; i++) {
		chain_step(&c, &way, 2, r->in->close[i], m);
		r->out[0][i] = 2.0 * m[0] - m[1];
	}
	*(struct chain *)state = c;
}

static void tema_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct chain c = *(struct chain *)state;
	const struct ind_ema_way way = ind_ema_way(s, ind_whole(s, 0));
	double m[3];

	for (size_t i = r->from; i < r->to; i++) {
		chain_step(&c, &way, 3, r->in->close[i], m);
		r->out[0][i] = m[2] + (3.0 * m[0] - 3.0 * m[1]);
	}
	*(struct chain *)state = c;
}

static void trix_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct chain c = *(struct chain *)state;
	const struct ind_ema_way way = ind_ema_way(s, ind_whole(s, 0));
	double m[3];

	for (size_t i = r->from; i < r->to; i++) {
		chain_step(&c, &way, 3, r->in->close[i], m);
		r->out[0][i] = NAN;
		if (isnan(m[2]))
			continue;
		if (c.before != 0.0)
			r->out[0][i] = (m[2] / c.before - 1.0) * 100.0;
		c.before = m[2];
	}
	*(struct chain *)state = c;
}

/* ---- macd ---- */

struct macd {
	uint64_t seen;
	struct ind_ema fast, slow, signal;
};

static uint32_t macd_lookback(const struct ind_spec *s)
{
	uint32_t fast = ind_whole(s, 0), slow = ind_whole(s, 1);

	if (s->flavour == IND_PANDAS)
		return 0;
	return (slow > fast ? slow : fast) + ind_whole(s, 2) - 2;
}

static size_t macd_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct macd);
}

/* TA-Lib lets the faster mean begin so late that both seeds end on the same bar, and
 * takes the shorter of the two for the faster whatever their order. */
static void macd_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct macd m = *(struct macd *)state;
	uint32_t a = ind_whole(s, 0), b = ind_whole(s, 1);
	uint32_t n_fast = a < b ? a : b, n_slow = a < b ? b : a;
	uint64_t wait = s->flavour == IND_PANDAS ? 0 : n_slow - n_fast;
	const struct ind_ema_way fast = ind_ema_way(s, n_fast),
				 slow = ind_ema_way(s, n_slow),
				 way = ind_ema_way(s, ind_whole(s, 2));

	for (size_t i = r->from; i < r->to; i++) {
		double x = r->in->close[i], f = NAN, line, signal = NAN;

		if (++m.seen > wait)
			f = ind_ema(&m.fast, &fast, x);
		line = f - ind_ema(&m.slow, &slow, x);
		if (!isnan(line))
			signal = ind_ema(&m.signal, &way, line);
		r->out[0][i] = isnan(signal) ? NAN : line;
		r->out[1][i] = signal;
		r->out[2][i] = line - signal;
	}
	*(struct macd *)state = m;
}

/* ---- wma ---- */

/* Weights are 1 for the oldest to n: what is behind k weighs sums of sums (a[2k+1]),
 * and the running block's value at k weighs k + 1 more than what its beginning weighs.
 */
static double weighted(struct ind_window *w, double *a, uint32_t n, uint32_t j,
		       double x)
{
	double d, total, weights = (double)n * (double)(n + 1) / 2.0, ref;

	if (w->seen++ == 0)
		w->ref = x;
	ref = w->ref;
	d = x - ref;
	w->sum += d;
	w->squares += d * (double)(j + 1);
	total = a[2 * j + 3] + (w->squares + w->sum * (double)(n - 1 - j));
	a[2 * j] = x;
	if (j + 1 == n) {
		double sum = 0.0, sums = 0.0;

		for (uint32_t k = n - 1; k > 0; k--) {
			sum += a[2 * k] - x;
			sums += sum;
			a[2 * k + 1] = sums;
		}
		w->ref = x;
		w->sum = w->squares = 0.0;
	}
	return ref + total / weights;
}

static size_t wma_words(const struct ind_spec *s)
{
	return IND_WORDS(struct ind_window) + 2 * ((size_t)ind_whole(s, 0) + 1);
}

static void wma_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct ind_window w = *(struct ind_window *)state;
	double *a = ind_behind(state, IND_WORDS(w));
	uint32_t n = ind_whole(s, 0), j = ind_phase(w.seen, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double mean = weighted(&w, a, n, j, r->in->close[i]);

		r->out[0][i] = w.seen < n ? NAN : mean;
	}
	*(struct ind_window *)state = w;
}

/* ---- kama ---- */

struct kama {
	uint64_t seen;
	double close, value;
	struct ind_window path;
};

static uint32_t whole_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0);
}

static size_t kama_words(const struct ind_spec *s)
{
	return IND_WORDS(struct kama) + 2 * (size_t)ind_whole(s, 0) + 1;
}

/* How straight the way was, as TA-Lib has it: 1 when it went nowhere at all. */
static double straightness(double net, double path)
{
	if (path <= net || (path > -1e-14 && path < 1e-14))
		return 1.0;
	return fabs(net / path);
}

static void kama_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	static const double slowest = 2.0 / 31.0, span = 2.0 / 3.0 - 2.0 / 31.0;
	struct kama m = *(struct kama *)state;
	uint32_t n = ind_whole(s, 0);
	double *close = ind_behind(state, IND_WORDS(m)), *path = close + n;
	uint32_t j = ind_phase(m.seen, n);

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double x = r->in->close[i], net = x - close[j], way = 0.0, c;

		if (m.seen > 0)
			way = ind_sum(&m.path, path, n, ind_phase(m.path.seen, n),
				      fabs(x - m.close));
		r->out[0][i] = NAN;
		if (m.seen == n)
			m.value = m.close;
		if (m.seen >= n) {
			c = straightness(net, way) * span + slowest;
			m.value += (x - m.value) * (c * c);
			r->out[0][i] = m.value;
		}
		close[j] = m.close = x;
		m.seen++;
	}
	*(struct kama *)state = m;
}

/* ---- the table ---- */

#define PERIOD(least, usual)                                                           \
	{                                                                              \
		"n", usual, least, IND_BARS_MAX, true                                  \
	}
#define BOTH  (1u << IND_TALIB | 1u << IND_PANDAS)
#define TALIB (1u << IND_TALIB)

const struct ind_def ind_averages[] = {
	{
		.name = "sma",
		.title = "simple moving average",
		.formula = "mean of the last n closes; TA-Lib SMA, rolling(n).mean()",
		.param = {PERIOD(1, 30)},
		.output = {"sma"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = window_lookback,
		.words = window_words,
		.on_price = true,
		.run = sma_run,
	},
	{
		.name = "ema",
		.title = "exponential moving average",
		.formula = "e += (close - e) * 2/(n+1); TA-Lib EMA begins with the "
			   "mean of n, "
			   "ewm(span=n, adjust=False).mean() with the first",
		.param = {PERIOD(1, 30)},
		.output = {"ema"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = ema_lookback,
		.words = chain_words,
		.on_price = true,
		.run = ema_run,
	},
	{
		.name = "wma",
		.title = "weighted moving average",
		.formula = "weights 1 (oldest) to n, over n(n+1)/2; TA-Lib WMA",
		.param = {PERIOD(1, 30)},
		.output = {"wma"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = TALIB,
		.lookback = window_lookback,
		.words = wma_words,
		.on_price = true,
		.run = wma_run,
	},
	{
		.name = "dema",
		.title = "double exponential moving average",
		.formula = "2 e - ema(e), e = ema(close); Mulloy 1994, TA-Lib DEMA",
		.param = {PERIOD(1, 30)},
		.output = {"dema"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = dema_lookback,
		.words = chain_words,
		.on_price = true,
		.run = dema_run,
	},
	{
		.name = "tema",
		.title = "triple exponential moving average",
		.formula = "3 e - 3 ema(e) + ema(ema(e)); Mulloy 1994, TA-Lib TEMA",
		.param = {PERIOD(1, 30)},
		.output = {"tema"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = tema_lookback,
		.words = chain_words,
		.on_price = true,
		.run = tema_run,
	},
	{
		.name = "kama",
		.title = "Kaufman's adaptive moving average",
		.formula = "k += (close - k) c^2, c between 2/31 and 2/3 by |net move| "
			   "/ path "
			   "over n bars; Kaufman 1995, TA-Lib KAMA",
		.param = {PERIOD(2, 30)},
		.output = {"kama"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = TALIB,
		.lookback = whole_lookback,
		.words = kama_words,
		.on_price = true,
		.run = kama_run,
	},
	{
		.name = "trix",
		.title = "rate of change of a triple EMA",
		.formula = "percent by which ema(ema(ema(close))) changed; TA-Lib TRIX",
		.param = {PERIOD(1, 30)},
		.output = {"trix"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = trix_lookback,
		.words = chain_words,
		.run = trix_run,
	},
	{
		.name = "macd",
		.title = "moving average convergence / divergence",
		.formula = "ema(fast) - ema(slow), its ema(signal), their difference; "
			   "Appel, "
			   "TA-Lib MACD",
		.param = {{"fast", 12, 2, IND_BARS_MAX, true},
			  {"slow", 26, 2, IND_BARS_MAX, true},
			  {"signal", 9, 1, IND_BARS_MAX, true}},
		.output = {"macd", "signal", "hist"},
		.n_params = 3,
		.n_outputs = 3,
		.inputs = IND_CLOSE,
		.flavours = BOTH,
		.lookback = macd_lookback,
		.words = macd_words,
		.run = macd_run,
	},
};
const size_t ind_averages_n = sizeof(ind_averages) / sizeof(ind_averages[0]);
