/*
 * ind_ema - the two recursive means: exponential, and Wilder's.  Flavour talib begins
 * with the plain mean of the first n values, flavour pandas with the first value
 * (ewm(adjust=False)).
 */
#pragma once
#include "analysis/ind_parts.h"

/** How one goes: `first` values make the first mean. */
struct ind_ema_way {
	double k, keep;
	uint64_t first;
};

struct ind_ema {
	uint64_t seen;
	double value; /* the sum of the values, until there are `first` */
};

static inline struct ind_ema_way ind_ema_way(const struct ind_spec *s, uint32_t n)
{
	return (struct ind_ema_way){
		.k = 2.0 / (double)(n + 1),
		.first = s->flavour == IND_PANDAS ? 1 : n,
	};
}

/** Wilder's: a weight of 1/n. */
static inline struct ind_ema_way ind_wilder_way(const struct ind_spec *s, uint32_t n)
{
	return (struct ind_ema_way){
		.k = 1.0 / (double)n,
		.keep = (double)(n - 1) / (double)n,
		.first = s->flavour == IND_PANDAS ? 1 : n,
	};
}

static inline double ind_ema_begin(struct ind_ema *e, const struct ind_ema_way *way,
				   double x)
{
	e->value += x;
	if (e->seen < way->first)
		return NAN;
	return e->value /= (double)way->first;
}

/** The mean after @x; NaN until there is one. */
static inline double ind_ema(struct ind_ema *e, const struct ind_ema_way *way, double x)
{
	if (++e->seen <= way->first)
		return ind_ema_begin(e, way, x);
	return e->value = (x - e->value) * way->k + e->value;
}

/* The weight of what was before is at hand: one operation less between two bars. */
static inline double ind_wilder_next(double mean, const struct ind_ema_way *way,
				     double x)
{
	return mean * way->keep + x * way->k;
}

static inline double ind_wilder(struct ind_ema *e, const struct ind_ema_way *way,
				double x)
{
	if (++e->seen <= way->first)
		return ind_ema_begin(e, way, x);
	return e->value = ind_wilder_next(e->value, way, x);
}

/** True range with the close before (NaN: there is none, then high - low). */
static inline double ind_true_range(double high, double low, double close_before)
{
	double range = high - low;
	double up = fabs(high - close_before), down = fabs(low - close_before);

	range = up > range ? up : range;
	return down > range ? down : range;
}

struct ind_atr {
	uint64_t seen;
	double close;
	struct ind_ema mean;
};

/** Mean true range; talib counts from the second bar, pandas from the first. */
static inline double ind_atr(struct ind_atr *s, const struct ind_ema_way *way,
			     bool with_first, const struct ind_columns *c, size_t i)
{
	double before = s->close;

	s->close = c->close[i];
	if (s->seen++ > 0)
		return ind_wilder(&s->mean, way,
				  ind_true_range(c->high[i], c->low[i], before));
	return with_first ? ind_wilder(&s->mean, way, c->high[i] - c->low[i]) : NAN;
}
