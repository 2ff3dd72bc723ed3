/*
 * ind_window - sums, variances and maxima over the last n values, at a constant price
 * and without ever taking a value out again.
 *
 * The values are cut into blocks of n.  A window of n that ends inside a block is the
 * end of the block before and the beginning of this one:
 *
 *	| block before       | this block         |
 *	|      k ........... | ......... j        |
 *	       what is behind k: known for all k    running
 *	       since that block was finished
 *
 * One array of n serves both: as the running block fills a[0..j] with values, a[j+1]
 *and those behind it still hold, for their k, what the block before had from k to its
 *end. A value costs one running addition, one to fold its block and one to join the
 *two. Nothing is subtracted, so there is no drift, and a NaN is gone when its window
 *is.
 *
 * Means and variances are taken of the distances to a value of the window's own
 * neighbourhood (`ref`, the last of the block before): a level of 1e6 costs no digits
 *of a deviation of 0.01, and the mean of equal values is that value.
 */
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Where the next value goes, of @n, when @seen were taken. */
static inline uint32_t ind_phase(uint64_t seen, uint32_t n)
{
	return (uint32_t)(seen % n);
}

static inline uint32_t ind_next(uint32_t j, uint32_t n)
{
	return j + 1 == n ? 0 : j + 1;
}

/** The windows below have @seen values so far; their arrays have n + 1. */
struct ind_window {
	uint64_t seen;
	double ref;
	double sum;
	double squares;
};

/** Sum of the last @n values, or of all while there are fewer; no ref: for values of
 * one sign, whose sum is 0 only when all of them are. */
static inline double ind_sum(struct ind_window *w, double *a, uint32_t n, uint32_t j,
			     double x)
{
	double total;

	w->seen++;
	w->sum += x;
	total = w->sum + a[j + 1];
	a[j] = x;
	if (j + 1 == n) {
		double behind = 0.0;

		for (uint32_t k = n - 1; k > 0; k--)
			a[k] = behind += a[k];
		w->sum = 0.0;
	}
	return total;
}

/** Mean of the last @n values; means nothing while there are fewer. */
static inline double ind_mean(struct ind_window *w, double *a, uint32_t n, uint32_t j,
			      double x)
{
	double mean;

	if (w->seen++ == 0)
		w->ref = x;
	w->sum += x - w->ref;
	mean = w->ref + (w->sum + a[j + 1]) * (1.0 / (double)n);
	a[j] = x;
	if (j + 1 == n) {
		double behind = 0.0;

		for (uint32_t k = n - 1; k > 0; k--)
			a[k] = behind += a[k] - x;
		w->ref = x;
		w->sum = 0.0;
	}
	return mean;
}

/* What n calls of ind_mean() do, in a block behind the first: the same operations, but
 * each loop has only one that waits for the one before, or none. */
static inline void ind_mean_block(struct ind_window *w, double *restrict a, uint32_t n,
				  const double *restrict x, double *restrict mean)
{
	double ref = w->ref, sum = w->sum, last = x[n - 1], behind = 0.0;
	double by = 1.0 / (double)n;

	for (uint32_t k = 0; k < n; k++)
		mean[k] = sum += x[k] - ref;
	for (uint32_t k = 0; k < n; k++)
		mean[k] = ref + (mean[k] + a[k + 1]) * by;
	for (uint32_t k = n - 1; k > 0; k--)
		a[k] = behind += x[k] - last;
	a[0] = x[0];
	w->seen += n;
	w->ref = last;
	w->sum = 0.0;
}

/** Means over n of each of @count values; NaN while there are fewer. */
static inline void ind_means(struct ind_window *state, double *a, uint32_t n,
			     const double *x, size_t count, double *mean)
{
	struct ind_window w = *state;
	uint32_t j = ind_phase(w.seen, n);

	for (size_t i = 0; i < count;) {
		if (j == 0 && w.seen > 0 && count - i >= n) {
			ind_mean_block(&w, a, n, x + i, mean + i);
			i += n;
			continue;
		}
		mean[i] = ind_mean(&w, a, n, j, x[i]);
		if (w.seen < n)
			mean[i] = NAN;
		j = ind_next(j, n);
		i++;
	}
	*state = w;
}

/** What ind_moments() keeps: the values, and behind each of them the sums of the
 * block's distances from there to its end.  n + 1 of each. */
struct ind_kept {
	double *x, *sum, *squares;
};

static inline struct ind_kept ind_kept(double *words, uint32_t n)
{
	return (struct ind_kept){words, words + n + 1, words + 2 * ((size_t)n + 1)};
}

struct ind_moments {
	double mean, variance; /* over n, not n - 1 */
	double away; /* of the newest from the mean; more digits than x - mean has */
};

static inline void ind_fold_squares(struct ind_window *w, const struct ind_kept *a,
				    uint32_t n)
{
	double sum = 0.0, squares = 0.0, ref = a->x[n - 1];

	for (uint32_t k = n - 1; k > 0; k--) {
		double d = a->x[k] - ref;

		a->sum[k] = sum += d;
		a->squares[k] = squares += d * d;
	}
	w->ref = ref;
	w->sum = w->squares = 0.0;
}

/* The same by two walks over the window: when it lies so far from ref, or so close
 * together, that the difference of two large numbers says little.  A flat one is 0. */
static inline struct ind_moments ind_moments_walked(const double *x, uint32_t n,
						    uint32_t j)
{
	double ref = x[j], mean = 0.0, v = 0.0;

	for (uint32_t k = 0; k < n; k++)
		mean += x[k] - ref;
	mean /= (double)n;
	for (uint32_t k = 0; k < n; k++) {
		double d = x[k] - ref - mean;

		v += d * d;
	}
	return (struct ind_moments){ref + mean, v / (double)n, -mean};
}

/* Not below 0: a variance that comes of @squares says little. */
static inline double ind_doubt(double variance, double squares)
{
	return 1e-5 * squares - variance;
}

/** Of the last @n values. */
static inline struct ind_moments ind_moments(struct ind_window *w,
					     const struct ind_kept *a, uint32_t n,
					     uint32_t j, double x)
{
	double d, mean, squares, v, ref;

	if (w->seen++ == 0)
		w->ref = x;
	ref = w->ref;
	d = x - ref;
	w->sum += d;
	w->squares += d * d;
	mean = (w->sum + a->sum[j + 1]) * (1.0 / (double)n);
	squares = w->squares + a->squares[j + 1];
	v = squares * (1.0 / (double)n) - mean * mean;
	a->x[j] = x;
	if (j + 1 == n)
		ind_fold_squares(w, a, n);
	if (__builtin_expect(ind_doubt(v, squares) >= 0.0, 0) && w->seen >= n)
		return ind_moments_walked(a->x, n, j);
	return (struct ind_moments){ref + mean, v, d - mean};
}

static inline uint64_t ind_bits(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/*
 * What n calls of ind_moments() do, from the beginning of a block that is not the
 * first, unless one of them would have to walk: then false, and nothing is done.
 * @mean and @variance may be written to in any case.
 */
static inline bool ind_moments_block(struct ind_window *w, const struct ind_kept *a,
				     uint32_t n, const double *restrict x,
				     double *restrict mean, double *restrict variance)
{
	const double *restrict sums = a->sum + 1, *restrict squares = a->squares + 1;
	double ref = w->ref, sum = w->sum, square = w->squares;
	double by = 1.0 / (double)n;
	uint64_t signs = UINT64_MAX;

	for (uint32_t k = 0; k < n; k++) {
		double d = x[k] - ref;

		mean[k] = sum += d;
		variance[k] = square += d * d;
	}
	for (uint32_t k = 0; k < n; k++) {
		double m = (mean[k] + sums[k]) * by;
		double all = variance[k] + squares[k];
		double v = all * by - m * m;

		signs &= ind_bits(ind_doubt(v, all));
		mean[k] = ref + m;
		variance[k] = v;
	}
	if (!(signs >> 63))
		return false;
	memcpy(a->x, x, n * sizeof(*x));
	ind_fold_squares(w, a, n);
	w->seen += n;
	return true;
}

/** Largest of the last @n values; the smallest is -ind_max() of -x. */
static inline double ind_max(double *best, double *a, uint32_t n, uint32_t j, double x)
{
	double m = j == 0 || x > *best ? x : *best;

	*best = m;
	if (j + 1 < n) {
		m = a[j + 1] > m ? a[j + 1] : m;
		a[j] = x;
		return m;
	}
	a[j] = x;
	for (uint32_t k = n - 1; k > 0; k--)
		a[k - 1] = a[k - 1] > a[k] ? a[k - 1] : a[k];
	return m;
}
