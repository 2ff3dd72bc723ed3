/*
 * window - statistics of the last n values, computed anew each time.
 *
 * Nothing here keeps a running sum: a value depends on the numbers in its window
 * and on nothing before them, so live and batch agree to the last bit and no error
 * accumulates.  Every sum is taken from the oldest value to the newest, of
 * differences to one member of the window: a constant window has a deviation of
 * exactly zero, and closeness of values costs no digits.
 *
 * NaN stands for NULL and goes through: a window that holds one is NULL.
 */
#pragma once
#include <stddef.h>

/** Columns that window_zscore() and window_robust() norm, and doubles per row. */
#define WINDOW_COLS   18
#define WINDOW_STRIDE 20
/** Longest window of the two norms. */
#define WINDOW_ROWS_MAX 1024

/** x / y; NULL where y is 0. */
double window_ratio(double x, double y);
double window_sum(const double *x, size_t n);
double window_mean(const double *x, size_t n);
double window_max(const double *x, size_t n);
double window_min(const double *x, size_t n);
/** Sample deviation (ddof 1); NULL below two values. */
double window_sigma(const double *x, size_t n);
/** Population deviation (ddof 0). */
double window_sigma_population(const double *x, size_t n);
/** @x clipped to [@low, @high]; NULL stays NULL. */
double window_clip(double x, double low, double high);

/**
 * Standardise the newest row against the last @n rows, column by column:
 * clip((x - mean) / sigma, -clip, clip), NULL where sigma is 0, or where the column
 * holds a NULL.  @newest has @n - 1 >= 1 rows of WINDOW_STRIDE doubles before it.
 */
void window_zscore(const double *newest, size_t n, double clip, double *out);
/** The same with the median, and 1.4826 * MAD as the deviation. */
void window_robust(const double *newest, size_t n, double clip, double *out);
