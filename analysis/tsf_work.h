/*
 * tsf_work - what the calculators of one series share: the series, what more than one
 * of them needs of it, and room.  Private to analysis/tsf_*.c.
 *
 * A calculator fills as many values as its line of the table (tsf_table.c) has
 * parameters, in the order of their names.
 */
#pragma once
#include "analysis/tsf.h"
#include <stdbool.h>
#include <stdint.h>

#define TSF_ROOMS        6    /* of n_max + 1 doubles each */
#define TSF_WELCH        256  /* values per segment of the averaged periodogram */
#define TSF_PATTERNS     5040 /* orders of seven values */
#define TSF_COLUMNS_MAX  128  /* regressors: lags of the unit root test at n_max */
#define TSF_CWT_TAPS_MAX 325
#define TSF_RIDGES(n)    (3 * (n) + 8) /* maxima of five scales */

struct tsf_fft;

struct tsf_complex {
	double re, im;
};

/* An open-addressed set of (prefix, symbol): phrases of the Lempel-Ziv parsing. */
struct tsf_phrase {
	uint64_t key; /* 0: free */
	uint32_t node;
};

/* A line of maxima through the scales of number_cwt_peaks. */
struct tsf_ridge {
	uint32_t points;
	uint32_t end;    /* column of its newest maximum */
	uint32_t column; /* of its first maximum at the smallest scale so far */
	uint8_t row;     /* that scale */
	uint8_t gap;     /* scales since its newest maximum */
	bool is_closed;
};

struct tsf_work {
	const double *x; /* borrowed for one call */
	size_t n;
	bool is_plain;

	double sum, mean, var, std; /* population: divided by n */
	double min, max, median;
	const double *sorted;  /* ascending */
	const double *diff;    /* n - 1 changes */
	const double *centred; /* x - mean */

	struct tsf_complex *spectrum; /* n / 2 + 1 */
	double *density;              /* averaged periodogram, n_density values */
	size_t n_density;
	bool has_density;

	/* room */
	size_t n_max;
	double *room[TSF_ROOMS];   /* owned; n_max + 1 each, free to every calculator */
	double *matrix;            /* owned; columns of a regression */
	struct tsf_fft *fft;       /* owned; of n */
	struct tsf_fft *fft_welch; /* owned; of a segment */
	struct tsf_phrase *phrases; /* owned; a power of two */
	size_t n_phrases;
	uint32_t *patterns;       /* owned; TSF_PATTERNS counts */
	double *wavelet;          /* owned; taps of cwt_coefficients (tsf_wave.h) */
	struct tsf_ridge *ridges; /* owned; TSF_RIDGES(n_max) */
	uint32_t *column; /* owned; n_max + 2: the ridge that ends in a column */
};

typedef void tsf_fn(struct tsf_work *w, double *out);

struct tsf_calculator {
	const char *name;
	/* Parameters as tsfresh prints them, "" for none; $1, $2, $3 stand for a value
	 * of the axes, the first axis turning slowest. */
	const char *format;
	const char *axis[3]; /* values by one blank, or "FIRST..LAST" */
	tsf_fn *fn;
	enum tsf_set set; /* the smallest that has it */
};

extern const struct tsf_calculator tsf_table[];
extern const size_t tsf_table_len;

/* ---- sums in the order of numpy: eight lanes, halves above 128 (tsf_sum.c) ---- */

double tsf_sum(const double *x, size_t n);
double tsf_dot(const double *a, const double *b, size_t n);
/** Mean and population variance of @x; @tmp has room for n. */
double tsf_mean(const double *x, size_t n);
double tsf_var(const double *x, size_t n, double *tmp);
/** Quantile @q of a sorted series, linear between neighbours. */
double tsf_quantile(const double *sorted, size_t n, double q);
/** Ascending; @tmp has room for n.  (qsort() may allocate.) */
void tsf_sort(double *x, size_t n, double *tmp);
/** The bin, 0..bins - 1, of a place on a scale of @bins; any number has one. */
unsigned tsf_bin(double at, unsigned bins);
/** -sum p ln p over a histogram of @bins equal bins between the least and largest. */
double tsf_binned_entropy(const double *x, size_t n, unsigned bins);

/** Level and spread of @x into @w: what the minimal set needs.  @sorted is @x
 * ascending,
 * @centred receives x - mean; room[0] has room for n.  (tsf.c) */
void tsf_work_level(struct tsf_work *w, const double *x, size_t n, const double *sorted,
		    double *centred);

/** Columns that a regression over a series of up to @n_max values may have. */
size_t tsf_columns_max(size_t n_max);

/* ---- the calculators, by file ---- */

/* tsf_simple.c */
tsf_fn tsf_variance_larger, tsf_has_duplicate_max, tsf_has_duplicate_min,
	tsf_sum_values, tsf_abs_energy, tsf_mean_abs_change, tsf_mean_change,
	tsf_mean_second_derivative, tsf_median_value, tsf_mean_value, tsf_length,
	tsf_standard_deviation, tsf_variation_coefficient, tsf_variance, tsf_skewness,
	tsf_kurtosis, tsf_root_mean_square, tsf_absolute_sum_of_changes,
	tsf_strike_below, tsf_strike_above, tsf_count_above_mean, tsf_count_below_mean,
	tsf_maximum, tsf_absolute_maximum, tsf_minimum;
/* tsf_count.c */
tsf_fn tsf_last_max, tsf_first_max, tsf_last_min, tsf_first_min, tsf_benford,
	tsf_time_reversal, tsf_c3, tsf_cid_ce, tsf_large_standard_deviation,
	tsf_ratio_beyond, tsf_crossings, tsf_value_count, tsf_range_count,
	tsf_count_above, tsf_count_below, tsf_number_peaks, tsf_energy_ratio,
	tsf_index_mass;
/* tsf_order.c */
tsf_fn tsf_has_duplicate, tsf_reoccurring_values, tsf_reoccurring_points,
	tsf_sum_reoccurring_values, tsf_sum_reoccurring_points, tsf_ratio_values,
	tsf_symmetry, tsf_quantiles, tsf_change_quantiles, tsf_mean_n_absolute_max;
/* tsf_trend.c */
tsf_fn tsf_linear_trend, tsf_agg_linear_trend;
/* tsf_lags.c */
tsf_fn tsf_autocorrelation, tsf_agg_autocorrelation, tsf_partial_autocorrelation,
	tsf_ar_coefficient;
/* tsf_unitroot.c */
tsf_fn tsf_dickey_fuller;
/* tsf_drift.c */
tsf_fn tsf_friedrich, tsf_langevin;
/* tsf_spectrum.c */
tsf_fn tsf_fft_coefficient, tsf_fft_aggregated, tsf_welch, tsf_fourier_entropy;
/* tsf_wave.c, tsf_ridge.c */
tsf_fn tsf_cwt_coefficients, tsf_cwt_peaks;
/* tsf_entropy.c */
tsf_fn tsf_binned_entropy_10, tsf_lempel_ziv, tsf_permutation_entropy,
	tsf_sample_entropy, tsf_approximate_entropy, tsf_query_similarity;
