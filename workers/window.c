/* window - fixed order, two passes, differences to a pivot: see the header. */
#include "workers/window.h"
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Consistency of the MAD with the deviation of a normal distribution. */
#define MAD_SCALE 1.4826
#define QUADS     (WINDOW_STRIDE / 4)

_Static_assert(WINDOW_STRIDE % 4 == 0, "rows are read in fours");
_Static_assert(WINDOW_COLS <= WINDOW_STRIDE, "a row holds its columns");

/*
 * Four doubles side by side, in one register or in two: every operation is per element
 * and none is fused, so the processor cannot change a bit.  The choice is made when
 * the program is loaded, too early for the sanitizers' own start.
 */
typedef double quad __attribute__((vector_size(32)));

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                           \
	!defined(__SANITIZE_THREAD__) && !defined(SANITIZED)
#define CLONED __attribute__((target_clones("avx2", "default")))
#else
#define CLONED
#endif

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
 * Sum and sum of squares of every column in one pass, of differences to the oldest
 * row.  The columns advance together: their chains of additions hide each other's
 * latency, and each chain goes from the oldest row to the newest.
 *
 * One pass is safe here although two sums are subtracted later: the pivot is a member
 * of the window, so with S = sum of d^2 and T = sum of d over n differences of which
 * one is 0, Cauchy gives T^2 <= (n - 1) S, hence S - T^2/n >= S/n: at most a factor n
 * of the relative precision is lost, and a constant column gives exactly 0.
 */
CLONED static void sum_columns(const double *oldest, const double *newest, double *sum,
			       double *squares)
{
	quad pivot[QUADS], s[QUADS] = {0}, q[QUADS] = {0};

	memcpy(pivot, oldest, sizeof(pivot));
	for (const double *row = oldest; row <= newest; row += WINDOW_STRIDE) {
#pragma GCC unroll 5
		for (size_t k = 0; k < QUADS; k++) {
			quad x;

			memcpy(&x, row + 4 * k, sizeof(x));
			x -= pivot[k];
			s[k] += x;
			q[k] += x * x;
		}
	}
	memcpy(sum, s, sizeof(s));
	memcpy(squares, q, sizeof(q));
}

void window_zscore(const double *newest, size_t n, double clip, double *out)
{
	const double *oldest = newest - (n - 1) * WINDOW_STRIDE;
	const double count = (double)n;
	double sum[WINDOW_STRIDE], squares[WINDOW_STRIDE];

	assert(n >= 2);
	sum_columns(oldest, newest, sum, squares);
	for (size_t i = 0; i < WINDOW_COLS; i++) {
		double mean = sum[i] / count;
		double sigma = sqrt((squares[i] - sum[i] * mean) / (count - 1.0));
		double x = (newest[i] - oldest[i]) - mean;

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
			while (i < high && x[i] < split)
				i++;
			while (j > low && split < x[j])
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
		x[i] = oldest[i * WINDOW_STRIDE + column];
		whole = whole && !isnan(x[i]);
	}
	return whole;
}

void window_robust(const double *newest, size_t n, double clip, double *out)
{
	const double *oldest = newest - (n - 1) * WINDOW_STRIDE;
	double x[WINDOW_ROWS_MAX] = {0};

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
