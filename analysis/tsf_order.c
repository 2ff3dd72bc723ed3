/* tsf_order - features of the sorted series: repetitions, quantiles, corridors. */
#include "analysis/tsf_work.h"
#include <math.h>

#define LARGEST 7

/* What repeats: distinct values, those seen more than once, and their sums. */
struct repeats {
	size_t distinct;
	size_t repeated; /* distinct values seen more than once */
	size_t points;   /* how many values those are */
	double sum_values, sum_points;
};

static struct repeats repeats_of(struct tsf_work *w)
{
	struct repeats r = {0};
	double *value = w->room[0], *points = w->room[1];

	for (size_t i = 0, end; i < w->n; i = end) {
		for (end = i + 1; end < w->n && w->sorted[end] == w->sorted[i];)
			end++;
		/* Zeros keep every sum in its place, as a product of counts does. */
		value[r.distinct] = end - i > 1 ? w->sorted[i] : 0.0;
		points[r.distinct] =
			end - i > 1 ? (double)(end - i) * w->sorted[i] : 0.0;
		r.distinct++;
		r.repeated += end - i > 1;
		r.points += end - i > 1 ? end - i : 0;
	}
	r.sum_values = tsf_sum(value, r.distinct);
	r.sum_points = tsf_sum(points, r.distinct);
	return r;
}

void tsf_has_duplicate(struct tsf_work *w, double *out)
{
	*out = repeats_of(w).distinct != w->n;
}

void tsf_reoccurring_values(struct tsf_work *w, double *out)
{
	struct repeats r = repeats_of(w);

	*out = (double)r.repeated / (double)r.distinct;
}

void tsf_reoccurring_points(struct tsf_work *w, double *out)
{
	*out = (double)repeats_of(w).points / (double)w->n;
}

void tsf_sum_reoccurring_values(struct tsf_work *w, double *out)
{
	*out = repeats_of(w).sum_values;
}

void tsf_sum_reoccurring_points(struct tsf_work *w, double *out)
{
	*out = repeats_of(w).sum_points;
}

void tsf_ratio_values(struct tsf_work *w, double *out)
{
	*out = (double)repeats_of(w).distinct / (double)w->n;
}

void tsf_symmetry(struct tsf_work *w, double *out)
{
	double off = fabs(w->mean - w->median), range = w->max - w->min;

	for (unsigned i = 0; i < 20; i++)
		*out++ = off < (double)i * 0.05 * range;
}

void tsf_quantiles(struct tsf_work *w, double *out)
{
	static const double q[] = {0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9};

	for (size_t k = 0; k < 8; k++)
		*out++ = tsf_quantile(w->sorted, w->n, q[k]);
}

/*
 * Mean and variance of the changes whose two ends lie in the corridor, both edges
 * included; the corridor's edges are quantiles.  Signed first, then absolute.
 */
static void corridor(struct tsf_work *w, double low, double high, double out[4])
{
	double *change = w->room[0], *tmp = w->room[1];
	bool was_in = false;
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		bool is_in = w->x[i] >= low && w->x[i] <= high;

		if (is_in && was_in)
			change[n++] = w->diff[i - 1];
		was_in = is_in;
	}
	for (size_t k = 0; k < 4; k++)
		out[k] = 0.0;
	if (n == 0)
		return;
	out[0] = tsf_mean(change, n);
	out[1] = tsf_var(change, n, tmp);
	for (size_t i = 0; i < n; i++)
		change[i] = fabs(change[i]);
	out[2] = tsf_mean(change, n);
	out[3] = tsf_var(change, n, tmp);
}

void tsf_change_quantiles(struct tsf_work *w, double *out)
{
	static const double q[] = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0};
	double edge[6];

	for (size_t k = 0; k < 6; k++)
		edge[k] = tsf_quantile(w->sorted, w->n, q[k]);
	for (size_t low = 0; low < 5; low++) {
		for (size_t high = low + 1; high < 6; high++) {
			corridor(w, edge[low], edge[high], out);
			out += 4;
		}
	}
}

/* The series has two ends: the largest by size is at one or the other. */
void tsf_mean_n_absolute_max(struct tsf_work *w, double *out)
{
	double largest[LARGEST], sum = 0.0;
	size_t low = 0, high = w->n;

	*out = NAN;
	if (w->n <= LARGEST)
		return;
	for (size_t k = LARGEST; k-- > 0;) {
		double a = fabs(w->sorted[low]), b = fabs(w->sorted[high - 1]);

		largest[k] = a > b ? a : b;
		if (a > b)
			low++;
		else
			high--;
	}
	for (size_t k = 0; k < LARGEST; k++)
		sum += largest[k];
	*out = sum / LARGEST;
}
