/*
 * vectors - semantics A.3, one short function per family of values.
 *
 * Means of closes are taken of the differences to the newest close: distances and
 * slopes are then sums of small exact numbers instead of differences of large ones.
 */
#include "workers/vectors.h"
#include "base/err.h"
#include "workers/indicators.h"
#include "workers/window.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(WINDOW_COLS == TIER1_ML_N, "a row of ML values is a row of the norms");
_Static_assert(TIER1_N <= 64, "warm is one word");
_Static_assert(sizeof(struct vector) == sizeof(double) * (TIER1_N + TIER1_ML_N + 2),
	       "compared by its bytes");

#define DAY_S      86400
#define MA_MAX     50
#define SLOPE_BARS 3
/* Rows before a bar that its vector may read, the norm's apart. */
#define LOOKBACK   (MA_MAX + SLOPE_BARS - 1)
#define TREND_EDGE 0.02

struct vectors {
	uint32_t keep; /* rows needed before the oldest bar that can be taken back */
	uint32_t undo;
	uint32_t rows_max;
	uint32_t n_rows; /* rows held */
	uint64_t seen;   /* bars pushed; the newest row is bar number `seen` */
	bool daily;
	enum norm_kind norm;
	uint32_t norm_window;
	double norm_clip;
	/* Columns; each its own array of rows_max, all in one block that `close` owns.
	 */
	double *close, *high, *low, *log_return, *spread;
	double *tr;   /* true range */
	double *path; /* |close - close before| */
	double *macd;
	double *ml; /* rows_max x WINDOW_STRIDE */
	struct indicators *state;
};

/* Lengths of the means of closes. */
enum { MA_12, MA_20, MA_24, MA_50, MA_COUNT };
static const uint32_t ma_bars[MA_COUNT] = {12, 20, 24, 50};

/* Of the newest row: where windows end, and how many bars there are. */
struct tip {
	const struct vectors *f;
	uint32_t row;
	uint64_t bars;
	double close;
	double atr;             /* simple mean of 14 true ranges; NULL before bar 14 */
	double above[MA_COUNT]; /* close - mean of the last ma_bars[] closes */
};

#define COLUMNS 8

static int check(const struct tier1_params *p)
{
	if (p->norm_window < 2 || p->norm_window > WINDOW_ROWS_MAX)
		return err_set(-EINVAL, "tier 1: norm_window %u is not in 2..%d",
			       p->norm_window, WINDOW_ROWS_MAX);
	if (!(p->norm_clip > 0.0))
		return err_set(-EINVAL, "tier 1: norm_clip %g is not positive",
			       p->norm_clip);
	return 0;
}

int vectors_new(const struct tier1_params *p, uint32_t timeframe_s, uint32_t undo,
		struct vectors **out)
{
	struct vectors *f;
	size_t rows, row_bytes = (COLUMNS + WINDOW_STRIDE) * sizeof(double) +
				 sizeof(struct indicators);
	int rc = check(p);

	if (rc < 0)
		return rc;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return err_set(-ENOMEM, "tier 1: no memory for a series");
	f->keep = p->norm_window > LOOKBACK ? p->norm_window : LOOKBACK;
	f->undo = undo;
	f->rows_max = f->keep + undo + (f->keep + undo) / 2;
	f->daily = timeframe_s == DAY_S;
	f->norm = p->norm;
	f->norm_window = p->norm_window;
	f->norm_clip = p->norm_clip;
	rows = f->rows_max;
	f->close = calloc(rows, row_bytes);
	if (f->close == NULL) {
		vectors_free(f);
		return err_set(-ENOMEM, "tier 1: no memory for %zu rows", rows);
	}
	f->high = f->close + rows;
	f->low = f->high + rows;
	f->log_return = f->low + rows;
	f->spread = f->log_return + rows;
	f->tr = f->spread + rows;
	f->path = f->tr + rows;
	f->macd = f->path + rows;
	f->ml = f->macd + rows;
	f->state = (struct indicators *)(f->ml + rows * WINDOW_STRIDE);
	*out = f;
	return 0;
}

void vectors_free(struct vectors *f)
{
	if (f == NULL)
		return;
	free(f->close);
	free(f);
}

uint64_t vectors_ml_mask(const struct vectors *f)
{
	uint32_t n = f->daily ? TIER1_ML_N : TIER1_TREND_REGIME;

	return (UINT64_C(1) << n) - 1;
}

uint64_t vectors_seen(const struct vectors *f)
{
	return f->seen;
}

void vectors_cut(struct vectors *f, uint64_t seen)
{
	assert(seen <= f->seen);
	assert(f->seen - seen <= f->undo);
	f->n_rows -= (uint32_t)(f->seen - seen);
	f->seen = seen;
}

/* Move the rows still needed to the front. */
static void make_room(struct vectors *f)
{
	uint32_t kept = f->keep + f->undo;
	uint32_t from = f->n_rows - kept;
	double *const columns[COLUMNS] = {f->close,  f->high, f->low,  f->log_return,
					  f->spread, f->tr,   f->path, f->macd};

	for (size_t i = 0; i < COLUMNS; i++)
		memmove(columns[i], columns[i] + from, kept * sizeof(double));
	memmove(f->ml, f->ml + (size_t)from * WINDOW_STRIDE,
		(size_t)kept * WINDOW_STRIDE * sizeof(double));
	memmove(f->state, f->state + from, kept * sizeof(*f->state));
	f->n_rows = kept;
}

static double true_range(const struct vectors_bar *bar, double close_before)
{
	double range = bar->high - bar->low;
	double up = fabs(bar->high - close_before);
	double down = fabs(bar->low - close_before);

	range = up > range ? up : range;
	return down > range ? down : range;
}

/* Append the row, all but its ML values; returns its index. */
static uint32_t append(struct vectors *f, const struct vectors_bar *bar)
{
	static const struct indicators none;
	uint32_t r;

	if (f->n_rows == f->rows_max)
		make_room(f);
	r = f->n_rows++;
	f->seen++;
	f->close[r] = bar->close;
	f->high[r] = bar->high;
	f->low[r] = bar->low;
	f->log_return[r] = bar->log_return;
	f->spread[r] = bar->spread;
	/* The first bar has no bar before it: NaN loses every comparison. */
	f->tr[r] = true_range(bar, r == 0 ? NAN : f->close[r - 1]);
	f->path[r] = r == 0 ? NAN : fabs(bar->close - f->close[r - 1]);

	struct indicators_input in = {
		.close = f->close + r,
		.tr = f->tr + r,
		.macd = f->macd + r - (r > 0),
		.bars = f->seen,
	};
	indicators_step(r == 0 ? &none : &f->state[r - 1], &in, &f->state[r]);
	f->macd[r] = f->state[r].macd;
	return r;
}

/* The window of @n values of a column that ends at the tip. */
static const double *last(const struct tip *t, const double *column, uint32_t n)
{
	return column + t->row + 1 - n;
}

static void look_back(struct tip *t)
{
	const double *newest = t->f->close + t->row;
	double sum = 0.0;
	uint32_t i = 0;

	for (size_t k = 0; k < MA_COUNT; k++) {
		uint32_t n = ma_bars[k];

		t->above[k] = NAN;
		if (t->bars < n)
			continue;
		for (; i < n; i++)
			sum += t->close - newest[-(ptrdiff_t)i];
		t->above[k] = sum / (double)n;
	}
	t->atr = t->bars < ATR_BARS
			 ? NAN
			 : window_mean(last(t, t->f->tr, ATR_BARS), ATR_BARS);
}

/* Bits of values that are warm exactly when they are not NULL. */
static void put(struct vector *out, enum tier1_value v, double x)
{
	out->value[v] = x;
	out->warm |= (uint64_t)!isnan(x) << v;
}

/* Values that are NULL in a full window too, when they divide by 0. */
static void put_ratio(struct vector *out, enum tier1_value v, double x, double y)
{
	out->value[v] = window_ratio(x, y);
	out->warm |= (uint64_t) !(isnan(x) || isnan(y)) << v;
}

static double summed_return(const struct tip *t, uint32_t n)
{
	return t->bars < n ? NAN : window_sum(last(t, t->f->log_return, n), n);
}

static double volatility(const struct tip *t, uint32_t n)
{
	return t->bars < n ? NAN : window_sigma(last(t, t->f->log_return, n), n);
}

static void put_returns(const struct tip *t, struct vector *out)
{
	double sum_12 = summed_return(t, 12), vol_12 = volatility(t, 12);

	put(out, TIER1_ROLLING_RETURN_3, summed_return(t, 3));
	put(out, TIER1_ROLLING_RETURN_6, summed_return(t, 6));
	put(out, TIER1_ROLLING_RETURN_12, sum_12);
	put_ratio(out, TIER1_MOMENTUM_SCORE, sum_12, vol_12);
	put(out, TIER1_VOL_6, volatility(t, 6));
	put(out, TIER1_VOL_12, vol_12);
	put(out, TIER1_VOL_24, volatility(t, 24));
}

/* MA_n(t) - MA_n(t-3): what the three newest closes replaced. */
static double slope(const struct tip *t, uint32_t n)
{
	const double *newest = t->f->close + t->row;
	double sum = 0.0;

	if (t->bars < n + SLOPE_BARS)
		return NAN;
	for (ptrdiff_t i = SLOPE_BARS - 1; i >= 0; i--)
		sum += newest[-i] - newest[-i - (ptrdiff_t)n];
	return sum / (double)n;
}

static double efficiency(const struct tip *t)
{
	const uint32_t n = 10;
	double net, path;

	if (t->bars < n + 1)
		return NAN;
	net = fabs(t->close - t->f->close[t->row - n]);
	path = window_sum(last(t, t->f->path, n), n);
	return window_clip(window_ratio(net, path), 0.0, 1.0);
}

static void put_prices(const struct tip *t, struct vector *out)
{
	double range = NAN;

	if (t->bars >= 12)
		range = window_max(last(t, t->f->high, 12), 12) -
			window_min(last(t, t->f->low, 12), 12);
	put_ratio(out, TIER1_ATR_NORMALIZED, t->atr, t->close);
	put_ratio(out, TIER1_MA_12_SLOPE, slope(t, 12), t->atr);
	put_ratio(out, TIER1_MA_24_SLOPE, slope(t, 24), t->atr);
	put_ratio(out, TIER1_MA_50_SLOPE, slope(t, 50), t->atr);
	put_ratio(out, TIER1_DISTANCE_TO_MA_12, t->above[MA_12], t->atr);
	put_ratio(out, TIER1_DISTANCE_TO_MA_24, t->above[MA_24], t->atr);
	put_ratio(out, TIER1_DISTANCE_TO_MA_50, t->above[MA_50], t->atr);
	put(out, TIER1_EFFICIENCY_RATIO, efficiency(t));
	out->warm |= (uint64_t)(t->bars > 10) << TIER1_EFFICIENCY_RATIO;
	put_ratio(out, TIER1_RANGE_COMPRESSION, range, t->atr);
}

/* Only on days; the regime is 0, not NULL, while it warms up. */
static void put_daily(const struct tip *t, struct vector *out)
{
	double ma_50 = t->close - t->above[MA_50];
	double d = window_ratio(t->above[MA_50] - t->above[MA_20], ma_50);

	if (!t->f->daily) {
		out->value[TIER1_TREND_REGIME] = NAN;
		out->value[TIER1_STRESS_INDICATOR] = NAN;
		return;
	}
	out->value[TIER1_TREND_REGIME] = (double)((d > TREND_EDGE) - (d < -TREND_EDGE));
	out->warm |= (uint64_t)(t->bars >= 50) << TIER1_TREND_REGIME;
	put_ratio(out, TIER1_STRESS_INDICATOR, out->value[TIER1_VOL_6],
		  out->value[TIER1_VOL_24]);
}

static void put_spread(const struct tip *t, struct vector *out)
{
	double mean = t->bars < 6 ? NAN : window_mean(last(t, t->f->spread, 6), 6);

	put_ratio(out, TIER1_SPREAD_RATIO, mean, t->atr);
}

static void put_indicators(const struct tip *t, struct vector *out)
{
	const struct indicators *i = &t->f->state[t->row];
	double middle = t->close - t->above[MA_20], sigma = NAN;

	if (t->bars >= BB_BARS)
		sigma = window_sigma_population(last(t, t->f->close, BB_BARS), BB_BARS);
	put(out, TIER1_SMA_20, middle);
	put(out, TIER1_EMA_12, i->ema_fast);
	put(out, TIER1_EMA_26, i->ema_slow);
	put(out, TIER1_RSI_14, indicators_rsi(i));
	put(out, TIER1_BB_UPPER, middle + 2.0 * sigma);
	put(out, TIER1_BB_MIDDLE, middle);
	put(out, TIER1_BB_LOWER, middle - 2.0 * sigma);
	put(out, TIER1_MACD, t->bars < MACD_FIRST ? NAN : i->macd);
	put(out, TIER1_MACD_SIGNAL, i->signal);
	put(out, TIER1_MACD_HIST, i->macd - i->signal);
	put(out, TIER1_ATR_14, i->atr);
}

static void put_norms(struct vectors *f, uint32_t row, struct vector *out)
{
	double *newest = f->ml + (size_t)row * WINDOW_STRIDE;

	memcpy(newest, out->value, TIER1_ML_N * sizeof(double));
	if (f->seen < f->norm_window) {
		for (size_t i = 0; i < TIER1_ML_N; i++)
			out->norm[i] = NAN;
	} else if (f->norm == NORM_ROBUST) {
		window_robust(newest, f->norm_window, f->norm_clip, out->norm);
	} else {
		window_zscore(newest, f->norm_window, f->norm_clip, out->norm);
	}
}

/* One NULL, not the many kinds of NaN that processors make: vectors are bytes. */
static void settle(double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = isnan(x[i]) ? NAN : x[i];
}

void vectors_push(struct vectors *f, const struct vectors_bar *bar, struct vector *out)
{
	struct tip t = {.f = f, .row = append(f, bar), .close = bar->close};

	t.bars = f->seen;
	out->warm = 0;
	out->seen = f->seen;
	look_back(&t);
	put_returns(&t, out);
	put_prices(&t, out);
	put_daily(&t, out);
	put_spread(&t, out);
	put_indicators(&t, out);
	put_norms(f, t.row, out);
	settle(out->value, TIER1_N);
	settle(out->norm, TIER1_ML_N);
}

/* What append() works out of the bars; the first row's is never looked at again. */
static void rework(struct vectors *f)
{
	for (uint32_t r = 0; r < f->n_rows; r++) {
		const struct vectors_bar bar = {f->close[r], f->high[r], f->low[r], 0,
						0};
		double before = r == 0 ? NAN : f->close[r - 1];

		f->tr[r] = true_range(&bar, before);
		f->path[r] = r == 0 ? NAN : fabs(bar.close - before);
	}
}

/*
 * The rows that a later vector can read and that cannot be pushed anew, moved to the
 * front when loaded: older ones are there only because make_room() has not moved the
 * others yet, and the newest @undoable are pushed again from their bars by the loader.
 */
void vectors_state(struct state *st, struct vectors *f, uint32_t undoable)
{
	uint64_t seen = f->seen - (state_is_loading(st) ? 0 : undoable);
	uint32_t n, from;

	state_u64(st, &seen);
	n = seen < f->keep ? (uint32_t)seen : f->keep;
	if (state_is_loading(st)) {
		f->seen = seen;
		f->n_rows = n;
		undoable = 0;
	}
	from = f->n_rows - undoable - n;
	state_bytes(st, f->close + from, n * sizeof(double));
	state_bytes(st, f->high + from, n * sizeof(double));
	state_bytes(st, f->low + from, n * sizeof(double));
	state_bytes(st, f->log_return + from, n * sizeof(double));
	state_bytes(st, f->spread + from, n * sizeof(double));
	state_bytes(st, f->macd + from, n * sizeof(double));
	for (uint32_t r = from; r < from + n; r++)
		state_bytes(st, f->ml + (size_t)r * WINDOW_STRIDE,
			    TIER1_ML_N * sizeof(double));
	if (n > 0)
		state_bytes(st, &f->state[from + n - 1], sizeof(*f->state));
	if (state_is_loading(st))
		rework(f);
}
