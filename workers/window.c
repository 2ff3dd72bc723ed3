/* window - fixed order, two passes, differences to a pivot: see the header. */
#include "workers/window.h"
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Consistency of the MAD with the deviation of a normal distribution. */
#define MAD_SCALE 1.4826
#define PAIRS     (WINDOW_COLS / 2)

_Static_assert(WINDOW_COLS % 2 == 0, "rows are read in pairs");

/* Two doubles in a register; every operation is per element, so what the compiler
 * makes of it on a machine cannot change a bit. */
typedef double pair __attribute__((vector_size(16)));

double window_ratio(double x, double y)
{
	return y == 0.0 ? NAN : x / y;
}

double window_clip(double x, double low, double high)
{
	if (x > high)
		return high;
	return x < low ? low : x;
}

double window_sum(const double *x, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum;
}

double window_mean(const double *x, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += x[i] - x[0];
	return x[0] + sum / (double)n;
}

double window_max(const double *x, size_t n)
{
	double max = x[0];

	for (size_t i = 1; i < n; i++)
		max = x[i] > max ? x[i] : max;
	return max;
}

double window_min(const double *x, size_t n)
{
	double min = x[0];

	for (size_t i = 1; i < n; i++)
		min = x[i] < min ? x[i] : min;
	return min;
}

/* Sum of squared differences to the mean. */
static double squares(const double *x, size_t n)
{
	double mean = 0.0, sum = 0.0;

	for (size_t i = 0; i < n; i++)
		mean += x[i] - x[0];
	mean /= (double)n;
	for (size_t i = 0; i < n; i++) {
		double d = (x[i] - x[0]) - mean;

		sum += d * d;
	}
	return sum;
}

double window_sigma(const double *x, size_t n)
{
	return n < 2 ? NAN : sqrt(squares(x, n) / (double)(n - 1));
}

double window_sigma_population(const double *x, size_t n)
{
	return sqrt(squares(x, n) / (double)n);
}

/*
 * All columns advance together through the rows: nine independent chains of
 * additions hide each other's latency, and the accumulators stay in registers.
 */
void window_zscore(const double *newest, size_t n, double clip, double *out)
{
	const double *oldest = newest - (n - 1) * WINDOW_COLS;
	const pair count = {(double)n, (double)n};
	pair pivot[PAIRS], mean[PAIRS] = {0}, sum[PAIRS] = {0};
	double squared[WINDOW_COLS], centre[WINDOW_COLS];

	assert(n >= 2);
	memcpy(pivot, oldest, sizeof(pivot));
	for (const double *row = oldest; row <= newest; row += WINDOW_COLS) {
#pragma GCC unroll 9
		for (size_t k = 0; k < PAIRS; k++) {
			pair x;

			memcpy(&x, row + 2 * k, sizeof(x));
			mean[k] += x - pivot[k];
		}
	}
#pragma GCC unroll 9
	for (size_t k = 0; k < PAIRS; k++)
		mean[k] /= count;
	for (const double *row = oldest; row <= newest; row += WINDOW_COLS) {
#pragma GCC unroll 9
		for (size_t k = 0; k < PAIRS; k++) {
			pair x;

			memcpy(&x, row + 2 * k, sizeof(x));
			x = (x - pivot[k]) - mean[k];
			sum[k] += x * x;
		}
	}
	memcpy(squared, sum, sizeof(squared));
	memcpy(centre, mean, sizeof(centre));
	for (size_t i = 0; i < WINDOW_COLS; i++) {
		double sigma = sqrt(squared[i] / (double)(n - 1));
		double x = (newest[i] - oldest[i]) - centre[i];

		out[i] = window_clip(window_ratio(x, sigma), -clip, clip);
	}
}

/* The k-th smallest of @x, which is reordered around it (Wirth); no NaN inside. */
static double select_kth(double *x, ptrdiff_t n, ptrdiff_t k)
{
	ptrdiff_t low = 0, high = n - 1;

	while (low < high) {
		double split = x[k];
		ptrdiff_t i = low, j = high;

		while (i <= j) {
			while (x[i] < split)
				i++;
			while (split < x[j])
				j--;
			if (i <= j) {
				double t = x[i];

				x[i++] = x[j];
				x[j--] = t;
			}
		}
		if (j < k)
			low = i;
		if (k < i)
			high = j;
	}
	return x[k];
}

static double median(double *x, size_t n)
{
	double upper = select_kth(x, (ptrdiff_t)n, (ptrdiff_t)(n / 2)), lower;

	if (n % 2 == 1)
		return upper;
	/* What lies before the middle is <= it now: its maximum is the other middle. */
	lower = window_max(x, n / 2);
	return lower + (upper - lower) / 2.0;
}

/* One column; false when it holds a NULL. */
static bool gather(const double *oldest, size_t n, size_t column, double *x)
{
	bool whole = true;

	for (size_t i = 0; i < n; i++) {
		x[i] = oldest[i * WINDOW_COLS + column];
		whole = whole && !isnan(x[i]);
	}
	return whole;
}

void window_robust(const double *newest, size_t n, double clip, double *out)
{
	const double *oldest = newest - (n - 1) * WINDOW_COLS;
	double x[WINDOW_ROWS_MAX];

	assert(n >= 2);
	assert(n <= WINDOW_ROWS_MAX);
	for (size_t i = 0; i < WINDOW_COLS; i++) {
		double middle, mad;

		out[i] = NAN;
		if (!gather(oldest, n, i, x))
			continue;
		middle = median(x, n);
		for (size_t j = 0; j < n; j++)
			x[j] = fabs(x[j] - middle);
		mad = median(x, n);
		out[i] = window_clip(window_ratio(newest[i] - middle, MAD_SCALE * mad),
				     -clip, clip);
	}
}
