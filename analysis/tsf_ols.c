/* tsf_ols - see tsf_ols.h. */
#include "analysis/tsf_ols.h"
#include "analysis/tsf_work.h"
#include <assert.h>
#include <float.h>
#include <math.h>

#define SWEEPS_MAX 40

/* v -= 2 u (u'v) / (u'u), with @scale = 2 / (u'u). */
static void reflect(const double *u, double scale, double *v, size_t n)
{
	double f = tsf_dot(u, v, n) * scale;

	for (size_t i = 0; i < n; i++)
		v[i] -= f * u[i];
}

void tsf_ols_qr(double *a, size_t rows, size_t cols, double *diag, double *y)
{
	assert(rows >= cols);
	for (size_t c = 0; c < cols; c++) {
		double *u = a + c * rows + c, norm, uu;
		size_t n = rows - c;

		norm = sqrt(tsf_dot(u, u, n));
		diag[c] = u[0] > 0.0 ? -norm : norm;
		if (norm == 0.0)
			continue;
		u[0] -= diag[c];
		uu = tsf_dot(u, u, n);
		for (size_t k = c + 1; k < cols; k++)
			reflect(u, 2.0 / uu, a + k * rows + c, n);
		reflect(u, 2.0 / uu, y + c, n);
	}
}

void tsf_ols_unit(double *a, size_t rows, size_t cols, double *length)
{
	for (size_t c = 0; c < cols; c++) {
		length[c] = sqrt(tsf_dot(a + c * rows, a + c * rows, rows));
		for (size_t r = 0; r < rows && length[c] != 0.0; r++)
			a[c * rows + r] /= length[c];
	}
}

/*
 * One-sided Jacobi: rotate pairs of columns of @m until all are at right angles; the
 * rotations gather in @v, the columns' lengths are the singular values.
 */
static void jacobi(double m[][TSF_OLS_SVD_MAX], double v[][TSF_OLS_SVD_MAX], size_t n)
{
	bool is_done = false;

	for (unsigned sweep = 0; sweep < SWEEPS_MAX && !is_done; sweep++) {
		is_done = true;
		for (size_t p = 0; p < n; p++) {
			for (size_t q = p + 1; q < n; q++) {
				double pp = tsf_dot(m[p], m[p], n);
				double qq = tsf_dot(m[q], m[q], n);
				double pq = tsf_dot(m[p], m[q], n), z, t, c, s;

				if (fabs(pq) <= DBL_EPSILON * sqrt(pp * qq))
					continue;
				is_done = false;
				z = (qq - pp) / (2.0 * pq);
				t = copysign(1.0, z) / (fabs(z) + sqrt(1.0 + z * z));
				c = 1.0 / sqrt(1.0 + t * t);
				s = c * t;
				for (size_t i = 0; i < n; i++) {
					double a = m[p][i], b = m[q][i];

					m[p][i] = c * a - s * b;
					m[q][i] = s * a + c * b;
					a = v[p][i];
					b = v[q][i];
					v[p][i] = c * a - s * b;
					v[q][i] = s * a + c * b;
				}
			}
		}
	}
}

size_t tsf_ols_solve(const double *a, size_t rows, size_t cols, const double *diag,
		     const double *y, double cut, double *out)
{
	double m[TSF_OLS_SVD_MAX][TSF_OLS_SVD_MAX] = {{0}};
	double v[TSF_OLS_SVD_MAX][TSF_OLS_SVD_MAX] = {{0}};
	double largest = 0.0;
	size_t kept = 0;

	assert(cols <= TSF_OLS_SVD_MAX);
	for (size_t c = 0; c < cols; c++) {
		for (size_t r = 0; r < c; r++)
			m[c][r] = a[c * rows + r];
		m[c][c] = diag[c];
		v[c][c] = 1.0;
		out[c] = 0.0;
	}
	jacobi(m, v, cols);
	for (size_t c = 0; c < cols; c++)
		largest = fmax(largest, tsf_dot(m[c], m[c], cols));
	for (size_t c = 0; c < cols; c++) {
		double ss = tsf_dot(m[c], m[c], cols), f;

		if (!(sqrt(ss) > cut * sqrt(largest)))
			continue;
		kept++;
		f = tsf_dot(m[c], y, cols) / ss;
		for (size_t i = 0; i < cols; i++)
			out[i] += f * v[c][i];
	}
	return kept;
}
