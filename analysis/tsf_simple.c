/* tsf_simple - features of one number: level, spread, shape, runs. */
#include "analysis/tsf_work.h"
#include <math.h>

/* What pandas takes for the rounding of a sum of powers that should be zero. */
#define MOMENT_FLOOR 1e-14

void tsf_variance_larger(struct tsf_work *w, double *out)
{
	*out = w->var > w->std;
}

static double count_of(const struct tsf_work *w, double value)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->x[i] == value;
	return (double)n;
}

void tsf_has_duplicate_max(struct tsf_work *w, double *out)
{
	*out = count_of(w, w->max) >= 2;
}

void tsf_has_duplicate_min(struct tsf_work *w, double *out)
{
	*out = count_of(w, w->min) >= 2;
}

void tsf_sum_values(struct tsf_work *w, double *out)
{
	*out = w->sum;
}

void tsf_abs_energy(struct tsf_work *w, double *out)
{
	*out = tsf_dot(w->x, w->x, w->n);
}

static double sum_abs_diff(struct tsf_work *w)
{
	for (size_t i = 0; i + 1 < w->n; i++)
		w->room[0][i] = fabs(w->diff[i]);
	return tsf_sum(w->room[0], w->n - 1);
}

void tsf_mean_abs_change(struct tsf_work *w, double *out)
{
	*out = sum_abs_diff(w) / (double)(w->n - 1);
}

void tsf_mean_change(struct tsf_work *w, double *out)
{
	*out = w->n > 1 ? (w->x[w->n - 1] - w->x[0]) / (double)(w->n - 1) : NAN;
}

void tsf_mean_second_derivative(struct tsf_work *w, double *out)
{
	const double *x = w->x;
	size_t n = w->n;

	*out = n > 2 ? (x[n - 1] - x[n - 2] - x[1] + x[0]) / (double)(2 * (n - 2))
		     : NAN;
}

void tsf_median_value(struct tsf_work *w, double *out)
{
	*out = w->median;
}

void tsf_mean_value(struct tsf_work *w, double *out)
{
	*out = w->mean;
}

void tsf_length(struct tsf_work *w, double *out)
{
	*out = (double)w->n;
}

void tsf_standard_deviation(struct tsf_work *w, double *out)
{
	*out = w->std;
}

void tsf_variation_coefficient(struct tsf_work *w, double *out)
{
	*out = w->mean == 0.0 ? NAN : w->std / w->mean;
}

void tsf_variance(struct tsf_work *w, double *out)
{
	*out = w->var;
}

/* Sums of the second, third and fourth power of the distance from the mean. */
static void moments(struct tsf_work *w, double m[3])
{
	double *p2 = w->room[0], *p = w->room[1];

	for (size_t i = 0; i < w->n; i++)
		p2[i] = w->centred[i] * w->centred[i];
	m[0] = tsf_sum(p2, w->n);
	for (size_t i = 0; i < w->n; i++)
		p[i] = p2[i] * w->centred[i];
	m[1] = tsf_sum(p, w->n);
	for (size_t i = 0; i < w->n; i++)
		p[i] = p2[i] * p2[i];
	m[2] = tsf_sum(p, w->n);
}

static double floored(const struct tsf_work *w, double v)
{
	return !w->is_plain && fabs(v) < MOMENT_FLOOR ? 0.0 : v;
}

void tsf_skewness(struct tsf_work *w, double *out)
{
	double n = (double)w->n, m[3], m2, m3;

	*out = NAN;
	if (w->n < 3)
		return;
	moments(w, m);
	m2 = floored(w, m[0]);
	m3 = floored(w, m[1]);
	*out = m2 == 0.0 ? 0.0 : n * sqrt(n - 1.0) / (n - 2.0) * (m3 / (m2 * sqrt(m2)));
}

void tsf_kurtosis(struct tsf_work *w, double *out)
{
	double n = (double)w->n, m[3], num, den, shift;

	*out = NAN;
	if (w->n < 4)
		return;
	moments(w, m);
	shift = 3.0 * (n - 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0));
	num = floored(w, n * (n + 1.0) * (n - 1.0) * m[2]);
	den = floored(w, (n - 2.0) * (n - 3.0) * m[0] * m[0]);
	*out = den == 0.0 ? 0.0 : num / den - shift;
}

void tsf_root_mean_square(struct tsf_work *w, double *out)
{
	for (size_t i = 0; i < w->n; i++)
		w->room[0][i] = w->x[i] * w->x[i];
	*out = sqrt(tsf_mean(w->room[0], w->n));
}

void tsf_absolute_sum_of_changes(struct tsf_work *w, double *out)
{
	*out = sum_abs_diff(w);
}

static double longest_run(const struct tsf_work *w, double sign)
{
	size_t run = 0, longest = 0;

	for (size_t i = 0; i < w->n; i++) {
		run = sign * w->x[i] > sign * w->mean ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return (double)longest;
}

void tsf_strike_below(struct tsf_work *w, double *out)
{
	*out = longest_run(w, -1.0);
}

void tsf_strike_above(struct tsf_work *w, double *out)
{
	*out = longest_run(w, 1.0);
}

void tsf_count_above_mean(struct tsf_work *w, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->x[i] > w->mean;
	*out = (double)n;
}

void tsf_count_below_mean(struct tsf_work *w, double *out)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->x[i] < w->mean;
	*out = (double)n;
}

void tsf_maximum(struct tsf_work *w, double *out)
{
	*out = w->max;
}

void tsf_absolute_maximum(struct tsf_work *w, double *out)
{
	*out = fmax(fabs(w->min), fabs(w->max));
}

void tsf_minimum(struct tsf_work *w, double *out)
{
	*out = w->min;
}
