/*
 * tsf_unitroot - the augmented Dickey-Fuller test with a constant.
 *
 * The number of lagged changes is the one with the smallest Akaike criterion, all
 * candidates over the same rows: one factorisation gives every candidate's residual
 * sum, because the columns are nested.  The test is then made anew with that many lags
 * and all the rows they leave.  The p-value is MacKinnon's response surface (1994,
 * "Approximate asymptotic distribution functions for unit-root and cointegration
 * tests", one variable, constant).
 */
#include "analysis/tsf_ols.h"
#include "analysis/tsf_work.h"
#include <math.h>

static size_t lags_schwert(size_t n)
{
	return (size_t)ceil(12.0 * pow((double)n / 100.0, 0.25));
}

size_t tsf_columns_max(size_t n_max)
{
	size_t columns = lags_schwert(n_max) + 2;

	return columns < TSF_OLS_SVD_MAX ? TSF_OLS_SVD_MAX : columns;
}

/* Column @c: the changes @lag before those of the rows, which begin at change @first.
 */
static void put_changes(struct tsf_work *w, size_t c, size_t first, size_t lag)
{
	size_t rows = w->n - 1 - first;

	for (size_t r = 0; r < rows; r++)
		w->matrix[c * rows + r] = w->diff[first + r - lag];
}

/* Columns: constant, then @level at its place, lagged changes between or after. */
static size_t factor(struct tsf_work *w, size_t lags, size_t level, double *diag)
{
	size_t rows = w->n - 1 - lags, c = 1;
	double *y = w->room[0];

	for (size_t r = 0; r < rows; r++) {
		y[r] = w->diff[lags + r];
		w->matrix[r] = 1.0;
		w->matrix[level * rows + r] = w->centred[lags + r];
	}
	for (size_t lag = 1; lag <= lags; lag++, c++) {
		c += c == level;
		put_changes(w, c, lags, lag);
	}
	tsf_ols_qr(w->matrix, rows, lags + 2, diag, y);
	return rows;
}

static size_t choose_lags(struct tsf_work *w, size_t lags_max, double *diag)
{
	size_t rows = factor(w, lags_max, 1, diag), best = 0;
	const double *y = w->room[0];
	double rss = 0.0, least = INFINITY;

	for (size_t r = rows; r > lags_max + 2; r--)
		rss += y[r - 1] * y[r - 1];
	/* From the most lags down; a tie goes to fewer. */
	for (size_t lags = lags_max + 1; lags-- > 0;) {
		double aic = (double)rows * log(rss / (double)rows) +
			     2.0 * (double)(lags + 2);

		if (aic <= least) {
			least = aic;
			best = lags;
		}
		rss += y[lags + 1] * y[lags + 1];
	}
	return best;
}

static double normal(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

static double p_value(double t)
{
	if (t > 2.74)
		return 1.0;
	if (t < -18.83)
		return 0.0;
	if (t <= -1.61)
		return normal(2.1659 + t * (1.4412 + t * 0.038269));
	return normal(1.7339 + t * (0.93202 + t * (-0.12745 + t * -0.010368)));
}

void tsf_dickey_fuller(struct tsf_work *w, double *out)
{
	double diag[TSF_COLUMNS_MAX], rss = 0.0, t;
	size_t lags, rows, level;

	for (size_t k = 0; k < 3; k++)
		out[k] = NAN;
	if (w->n / 2 < 2 || w->min == w->max)
		return;
	lags = lags_schwert(w->n);
	lags = choose_lags(w, w->n / 2 - 2 < lags ? w->n / 2 - 2 : lags, diag);
	level = lags + 1;
	rows = factor(w, lags, level, diag);
	for (size_t r = level + 1; r < rows; r++)
		rss += w->room[0][r] * w->room[0][r];
	/* The level stands last: its coefficient over its error is one quotient. */
	t = w->room[0][level] * copysign(1.0, diag[level]) /
	    sqrt(rss / (double)(rows - lags - 2));
	out[0] = t;
	out[1] = p_value(t);
	out[2] = (double)lags;
}
