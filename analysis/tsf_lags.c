/* tsf_lags - how a series goes with its own past: correlations and autoregression. */
#include "analysis/tsf_ols.h"
#include "analysis/tsf_work.h"
#include <math.h>

#define LAGS     10 /* 0..9 */
#define LAGS_AGG 40
#define AR_ORDER 10
/* Variances that tsfresh takes for zero, each calculator its own. */
#define FLAT     1e-8
#define FLAT_AGG 1e-10
/* A direction this much weaker than the strongest is rounding: in columns of length
 * one, and as they are. */
#define AR_CUT_UNIT 1e-14
#define AR_CUT      1e-13

/* Sum of products with the series @lag earlier, of distances from the mean. */
static double product(const struct tsf_work *w, size_t lag)
{
	return lag < w->n ? tsf_dot(w->centred, w->centred + lag, w->n - lag) : 0.0;
}

void tsf_autocorrelation(struct tsf_work *w, double *out)
{
	bool is_flat = w->is_plain ? w->var == 0.0 : w->var <= FLAT;

	for (size_t lag = 0; lag < LAGS; lag++)
		out[lag] = is_flat || lag >= w->n
				   ? NAN
				   : product(w, lag) / ((double)(w->n - lag) * w->var);
}

void tsf_agg_autocorrelation(struct tsf_work *w, double *out)
{
	size_t lags = w->n - 1 < LAGS_AGG ? w->n - 1 : LAGS_AGG;
	double r[LAGS_AGG], tmp[LAGS_AGG];

	for (size_t k = 0; k < 3; k++)
		out[k] = 0.0;
	if (lags == 0 || (w->is_plain ? w->var == 0.0 : w->var < FLAT_AGG))
		return;
	for (size_t lag = 1; lag <= lags; lag++)
		r[lag - 1] = product(w, lag) / (double)(w->n - lag) / w->var;
	out[0] = tsf_mean(r, lags);
	out[2] = tsf_var(r, lags, tmp);
	tsf_sort(r, lags, tmp);
	out[1] = lags % 2 == 1 ? r[lags / 2] : (r[lags / 2 - 1] + r[lags / 2]) / 2.0;
}

/*
 * Levinson and Durbin over autocovariances divided by the number of their products;
 * lags below half the length only.
 */
void tsf_partial_autocorrelation(struct tsf_work *w, double *out)
{
	size_t half = w->n / 2, lags = half < LAGS ? half : LAGS;
	double c[LAGS], phi[LAGS] = {0}, before[LAGS], error;

	for (size_t k = 0; k < LAGS; k++)
		out[k] = NAN;
	if (lags < 2)
		return;
	for (size_t lag = 0; lag < lags; lag++)
		c[lag] = product(w, lag) / (double)(w->n - lag);
	out[0] = 1.0;
	error = c[0];
	for (size_t k = 1; k < lags; k++) {
		double sum = c[k];

		for (size_t j = 1; j < k; j++)
			sum -= phi[j] * c[k - j];
		for (size_t j = 1; j < k; j++)
			before[j] = phi[j];
		phi[k] = sum / error;
		for (size_t j = 1; j < k; j++)
			phi[j] = before[j] - phi[k] * before[k - j];
		error *= 1.0 - phi[k] * phi[k];
		out[k] = phi[k];
	}
}

static size_t put_lags(struct tsf_work *w)
{
	size_t rows = w->n - AR_ORDER;

	for (size_t r = 0; r < rows; r++) {
		w->matrix[r] = 1.0;
		w->room[0][r] = w->x[AR_ORDER + r];
		for (size_t lag = 1; lag <= AR_ORDER; lag++)
			w->matrix[lag * rows + r] = w->x[AR_ORDER + r - lag];
	}
	return rows;
}

/*
 * Constant and ten lags by least squares, in columns of length one, so that the scale
 * of the series does not matter; where lags say the same, the shortest solution in the
 * columns as they are.  Too short a series has none; the flavour `tsfresh` then says 0
 * for the last, because its list of NaN is one too short.
 */
void tsf_ar_coefficient(struct tsf_work *w, double *out)
{
	size_t cols = AR_ORDER + 1, rows;
	double diag[AR_ORDER + 1], length[AR_ORDER + 1], *y = w->room[0];

	for (size_t k = 0; k < cols; k++)
		out[k] = NAN;
	if (w->n < AR_ORDER + cols) {
		if (!w->is_plain)
			out[AR_ORDER] = 0.0;
		return;
	}
	rows = put_lags(w);
	tsf_ols_unit(w->matrix, rows, cols, length);
	tsf_ols_qr(w->matrix, rows, cols, diag, y);
	if (tsf_ols_solve(w->matrix, rows, cols, diag, y, AR_CUT_UNIT, out) == cols) {
		for (size_t k = 0; k < cols; k++)
			out[k] /= length[k];
		return;
	}
	(void)put_lags(w);
	tsf_ols_qr(w->matrix, rows, cols, diag, y);
	(void)tsf_ols_solve(w->matrix, rows, cols, diag, y, AR_CUT, out);
}
