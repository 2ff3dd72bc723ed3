/*
 * indicators - the recursive ones, flavour talib: seeds, lookbacks and order of
 * operations of TA-Lib, so that values agree with it to the last digits.
 *
 * The state after a bar is a function of the state before it and of the bar, and
 * is stored with the bar's row: a revision goes back to the row before and walks
 * on.  Seeds are means over closes, which the caller lends; only the newest
 * INDICATORS_LOOKBACK of them are ever read.
 *
 *   bar (from 1)   12      14,15     20     26        34
 *                  ema_12  rsi, atr  sma    ema_26    macd, its signal and histogram
 *
 * Where we leave TA-Lib, on purpose: a Bollinger variance is "zero" only when it is
 * exactly zero (TA-Lib's epsilon swallows the deviation of prices near 1e-4), and
 * sums over windows are taken anew, not slid.  The RSI's zero is TA-Lib's own, 1e-14.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define INDICATORS_LOOKBACK 34
#define RSI_ZERO            1e-14

enum { /* bars until the first value */
       EMA_FAST_BARS = 12,
       EMA_SLOW_BARS = 26,
       SIGNAL_BARS = 9,
       RSI_BARS = 14,
       ATR_BARS = 14,
       BB_BARS = 20,
       RSI_FIRST = RSI_BARS + 1,
       ATR_FIRST = ATR_BARS + 1,
       MACD_FIRST = EMA_SLOW_BARS + SIGNAL_BARS - 1,
};

/** After one bar.  NaN while warming up. */
struct indicators {
	double ema_fast;  /* ema_12, seeded at bar 12 */
	double macd_fast; /* the same recursion, but seeded at bar 26, as MACD's is */
	double ema_slow;  /* ema_26; also MACD's slow one */
	double macd;      /* from bar 26; published from bar 34 */
	double signal;
	double gain; /* RSI's Wilder means */
	double loss;
	double atr;
};

/** Everything a step reads besides the state before it. */
struct indicators_input {
	const double
		*close;     /* the newest; at least min(bars, LOOKBACK) - 1 before it */
	const double *tr;   /* the same for true ranges (the first bar's is not read) */
	const double *macd; /* MACD values of the 8 bars before, newest last; read at
			       bar 34 */
	uint64_t bars;      /* including the newest, from 1 */
};

/** The state after the newest bar; @before is any (zeroed) on the first. */
void indicators_step(const struct indicators *before, const struct indicators_input *in,
		     struct indicators *after);
/** 100 * gain / (gain + loss); 0 for a flat series. */
double indicators_rsi(const struct indicators *i);
