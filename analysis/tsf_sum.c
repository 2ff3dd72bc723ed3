/*
 * tsf_sum - sums, quantiles and histograms, each in one fixed order.
 *
 * Features that compare with a mean (`x > mean`) depend on its last bit when a series
 * is flat, so sums add in numpy's order: eight lanes side by side, blocks of at most
 * 128 values, and the blocks as a tree of halves whose left part is a multiple of
 * eight.  It is also the fast order and the accurate one.
 */
#include "analysis/tsf_work.h"
#include <assert.h>
#include <math.h>
#include <string.h>

#define BLOCK     128
#define DEPTH_MAX 32
#define RUN       12
#define BINS_MAX  100

static double sum_block(const double *x, size_t n)
{
	double r[8], sum;
	size_t i = 8;

	if (n < 8) {
		/* -0.0 is what adding leaves unchanged. */
		sum = -0.0;
		for (size_t k = 0; k < n; k++)
			sum += x[k];
		return sum;
	}
	for (size_t k = 0; k < 8; k++)
		r[k] = x[k];
	for (; i + 8 <= n; i += 8)
		for (size_t k = 0; k < 8; k++)
			r[k] += x[i + k];
	sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
	for (; i < n; i++)
		sum += x[i];
	return sum;
}

/* The tree of halves, walked with a stack: a part waits until both its halves are in.
 */
static double sum_tree(const double *x, size_t n)
{
	struct {
		size_t from, n;
		unsigned done; /* halves */
		double left;
	} todo[DEPTH_MAX];
	size_t depth = 1;
	double value = 0.0;

	todo[0].from = 0;
	todo[0].n = n;
	todo[0].done = 0;
	while (depth > 0) {
		size_t from = todo[depth - 1].from, part = todo[depth - 1].n;
		size_t half = part / 2 - part / 2 % 8;

		if (part <= BLOCK) {
			value = sum_block(x + from, part);
			depth--;
		} else if (todo[depth - 1].done == 2) {
			value = todo[depth - 1].left + value;
			depth--;
		} else {
			bool is_right = todo[depth - 1].done == 1;

			if (is_right)
				todo[depth - 1].left = value;
			todo[depth - 1].done++;
			assert(depth < DEPTH_MAX);
			todo[depth].from = is_right ? from + half : from;
			todo[depth].n = is_right ? part - half : half;
			todo[depth].done = 0;
			depth++;
		}
	}
	return value;
}

double tsf_sum(const double *x, size_t n)
{
	if (n == 0)
		return 0.0;
	return n <= BLOCK ? sum_block(x, n) : sum_tree(x, n);
}

double tsf_dot(const double *a, const double *b, size_t n)
{
	double r[8] = {0}, sum;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t k = 0; k < 8; k++)
			r[k] += a[i + k] * b[i + k];
	sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
	for (; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

double tsf_mean(const double *x, size_t n)
{
	return tsf_sum(x, n) / (double)n;
}

double tsf_var(const double *x, size_t n, double *tmp)
{
	double mean = tsf_mean(x, n);

	for (size_t i = 0; i < n; i++)
		tmp[i] = (x[i] - mean) * (x[i] - mean);
	return tsf_mean(tmp, n);
}

double tsf_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1), below = floor(at), t = at - below;
	size_t i = (size_t)below;
	double a = sorted[i], b = sorted[i + 1 < n ? i + 1 : n - 1], d = b - a;

	/* From the nearer end, so that t = 1 gives b itself. */
	return t < 0.5 ? a + d * t : b - d * (1.0 - t);
}

/* Runs of RUN by insertion, then merged from @x to @tmp and back. */
static void sort_run(double *x, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		double v = x[i];
		size_t k = i;

		for (; k > 0 && x[k - 1] > v; k--)
			x[k] = x[k - 1];
		x[k] = v;
	}
}

static void merge(const double *a, size_t n_a, const double *b, size_t n_b, double *out)
{
	size_t i = 0, k = 0;

	while (i < n_a && k < n_b)
		*out++ = b[k] < a[i] ? b[k++] : a[i++];
	memcpy(out, a + i, (n_a - i) * sizeof(*a));
	memcpy(out + n_a - i, b + k, (n_b - k) * sizeof(*b));
}

void tsf_sort(double *x, size_t n, double *tmp)
{
	double *from = x, *to = tmp;

	for (size_t i = 0; i < n; i += RUN)
		sort_run(x + i, n - i < RUN ? n - i : RUN);
	for (size_t width = RUN; width < n; width *= 2) {
		double *swap = from;

		for (size_t i = 0; i < n; i += 2 * width) {
			size_t n_a = n - i < width ? n - i : width;
			size_t n_b = n - i - n_a < width ? n - i - n_a : width;

			merge(from + i, n_a, from + i + n_a, n_b, to + i);
		}
		from = to;
		to = swap;
	}
	if (from != x)
		memcpy(x, from, n * sizeof(*x));
}

unsigned tsf_bin(double at, unsigned bins)
{
	/* Not a number where a range overflows or vanishes: the first will do. */
	if (!(at > 0.0))
		return 0;
	return at >= (double)bins ? bins - 1 : (unsigned)at;
}

double tsf_binned_entropy(const double *x, size_t n, unsigned bins)
{
	double low = x[0], high = x[0], edge[BINS_MAX + 1], step, sum = 0.0;
	uint32_t count[BINS_MAX] = {0};

	assert(bins <= BINS_MAX);
	for (size_t i = 0; i < n; i++) {
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
		if (isnan(x[i]))
			return NAN;
	}
	if (low == high) {
		low -= 0.5;
		high += 0.5;
	}
	step = (high - low) / (double)bins;
	for (unsigned b = 0; b < bins; b++)
		edge[b] = (double)b * step + low;
	edge[bins] = high;
	for (size_t i = 0; i < n; i++) {
		unsigned b =
			tsf_bin((x[i] - low) * ((double)bins / (high - low)), bins);

		assert(b < bins);
		/* The quotient may round across an edge: the edge decides. */
		if (b > 0 && x[i] < edge[b])
			b--;
		else if (b + 1 < bins && x[i] >= edge[b + 1])
			b++;
		count[b]++;
	}
	for (unsigned b = 0; b < bins; b++) {
		double p = (double)count[b] / (double)n;

		if (count[b] > 0)
			sum += p * log(p);
	}
	return -sum;
}
