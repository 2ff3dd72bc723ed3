/* indicators - one function per recursion; each says when and how it is seeded. */
#include "workers/indicators.h"
#include "workers/window.h"
#include <math.h>

/* Mean of the last @n values up to @newest, summed oldest first as TA-Lib does. */
static double seed(const double *newest, size_t n)
{
	return window_sum(newest + 1 - n, n) / (double)n;
}

/* e + (x - e) * 2 / (n + 1), in TA-Lib's order. */
static double follow(double ema, double x, size_t n)
{
	double k = 2.0 / (double)(n + 1);

	return (x - ema) * k + ema;
}

static double ema(double before, const double *close, uint64_t bars, size_t n,
		  size_t first)
{
	if (bars < first)
		return NAN;
	return bars == first ? seed(close, n) : follow(before, *close, n);
}

/* (mean * (n - 1) + x) / n. */
static double wilder(double mean, double x, size_t n)
{
	mean *= (double)(n - 1);
	mean += x;
	return mean / (double)n;
}

static void rsi_seed(const double *close, struct indicators *out)
{
	double gain = 0.0, loss = 0.0;

	for (size_t i = RSI_BARS; i > 0; i--) {
		double d = close[-(ptrdiff_t)i + 1] - close[-(ptrdiff_t)i];

		if (d < 0.0)
			loss -= d;
		else
			gain += d;
	}
	out->gain = gain / RSI_BARS;
	out->loss = loss / RSI_BARS;
}

static void rsi_step(const struct indicators *before, const struct indicators_input *in,
		     struct indicators *out)
{
	out->gain = out->loss = NAN;
	if (in->bars == RSI_FIRST) {
		rsi_seed(in->close, out);
	} else if (in->bars > RSI_FIRST) {
		double d = in->close[0] - in->close[-1];

		out->gain = wilder(before->gain, d < 0.0 ? 0.0 : d, RSI_BARS);
		out->loss = wilder(before->loss, d < 0.0 ? -d : 0.0, RSI_BARS);
	}
}

/* TA-Lib lets the fast mean begin so late that both seeds end on bar 26; the signal
 * begins as the mean of the first nine differences. */
static void macd_step(const struct indicators *before,
		      const struct indicators_input *in, struct indicators *out)
{
	out->macd_fast = ema(before->macd_fast, in->close, in->bars, EMA_FAST_BARS,
			     EMA_SLOW_BARS);
	out->macd = out->macd_fast - out->ema_slow;
	out->signal = NAN;
	if (in->bars == MACD_FIRST) {
		double sum = window_sum(in->macd - (SIGNAL_BARS - 2), SIGNAL_BARS - 1);

		out->signal = (sum + out->macd) / SIGNAL_BARS;
	} else if (in->bars > MACD_FIRST) {
		out->signal = follow(before->signal, out->macd, SIGNAL_BARS);
	}
}

/* True ranges count from the second bar. */
static double atr(double before, const struct indicators_input *in)
{
	if (in->bars < ATR_FIRST)
		return NAN;
	return in->bars == ATR_FIRST ? seed(in->tr, ATR_BARS)
				     : wilder(before, *in->tr, ATR_BARS);
}

void indicators_step(const struct indicators *before, const struct indicators_input *in,
		     struct indicators *after)
{
	struct indicators out;

	out.ema_fast = ema(before->ema_fast, in->close, in->bars, EMA_FAST_BARS,
			   EMA_FAST_BARS);
	out.ema_slow = ema(before->ema_slow, in->close, in->bars, EMA_SLOW_BARS,
			   EMA_SLOW_BARS);
	macd_step(before, in, &out);
	rsi_step(before, in, &out);
	out.atr = atr(before->atr, in);
	*after = out;
}

double indicators_rsi(const struct indicators *i)
{
	double sum = i->gain + i->loss;

	if (isnan(sum))
		return NAN;
	return fabs(sum) < RSI_ZERO ? 0.0 : 100.0 * (i->gain / sum);
}
