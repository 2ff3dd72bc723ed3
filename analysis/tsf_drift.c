/*
 * tsf_drift - the deterministic part of the Langevin equation dx = h(x) dt + noise.
 *
 * h is a cubic through the mean change over the mean value of 30 equally filled
 * classes of the series (Friedrich et al. 2000).  Where two classes share an edge, the
 * series has too few different values and everything is NaN.
 */
#include "analysis/tsf_ols.h"
#include "analysis/tsf_work.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define CLASSES    30
#define DEGREE     3
#define NEWTON_MAX 200

/* Edges of the classes; false when two coincide. */
static bool edges_of(struct tsf_work *w, double edge[CLASSES + 1])
{
	double step = 1.0 / (double)CLASSES;
	size_t n = w->n - 1;

	memcpy(w->room[0], w->x, n * sizeof(double));
	tsf_sort(w->room[0], n, w->room[1]);
	for (size_t k = 0; k <= CLASSES; k++)
		edge[k] = tsf_quantile(w->room[0], n,
				       k == CLASSES ? 1.0 : (double)k * step);
	for (size_t k = 0; k < CLASSES; k++)
		if (edge[k] == edge[k + 1])
			return false;
	return true;
}

/* The class (lower, upper] of a value; the first has its lower edge as well. */
static size_t class_of(const double edge[CLASSES + 1], double v)
{
	size_t low = 0, high = CLASSES;

	while (low + 1 < high) {
		size_t middle = (low + high) / 2;

		if (edge[middle] < v)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Least squares in columns of length one, as a Vandermonde matrix wants it. */
static void fit_cubic(const double *x, const double *y, size_t n,
		      double out[DEGREE + 1])
{
	double a[(DEGREE + 1) * CLASSES], rhs[CLASSES] = {0}, diag[DEGREE + 1];
	double length[DEGREE + 1];
	size_t rows = n < DEGREE + 1 ? DEGREE + 1 : n;

	for (size_t c = 0; c <= DEGREE; c++) {
		double *column = a + c * rows;

		for (size_t r = 0; r < rows; r++) {
			column[r] = r < n ? 1.0 : 0.0;
			for (size_t k = c; k < DEGREE && r < n; k++)
				column[r] *= x[r];
		}
	}
	tsf_ols_unit(a, rows, DEGREE + 1, length);
	memcpy(rhs, y, n * sizeof(*y));
	tsf_ols_qr(a, rows, DEGREE + 1, diag, rhs);
	(void)tsf_ols_solve(a, rows, DEGREE + 1, diag, rhs, (double)n * DBL_EPSILON,
			    out);
	for (size_t c = 0; c <= DEGREE; c++)
		out[c] = length[c] != 0.0 ? out[c] / length[c] : NAN;
}

/* Coefficients of the cubic, the highest first; NaN where there is none. */
static void drift(struct tsf_work *w, double out[DEGREE + 1])
{
	double edge[CLASSES + 1], x[CLASSES] = {0}, y[CLASSES] = {0};
	size_t count[CLASSES] = {0}, n = 0;

	for (size_t c = 0; c <= DEGREE; c++)
		out[c] = NAN;
	if (w->n < 3 || !edges_of(w, edge))
		return;
	for (size_t i = 0; i + 1 < w->n; i++) {
		size_t k = class_of(edge, w->x[i]);

		count[k]++;
		x[k] += w->x[i];
		y[k] += w->diff[i];
	}
	for (size_t k = 0; k < CLASSES; k++) {
		if (count[k] == 0)
			continue;
		x[n] = x[k] / (double)count[k];
		y[n++] = y[k] / (double)count[k];
	}
	fit_cubic(x, y, n, out);
}

void tsf_friedrich(struct tsf_work *w, double *out)
{
	drift(w, out);
}

/* The larger real part of the roots of x^2 + p x + q. */
static double quadratic(double p, double q)
{
	double d = p * p / 4.0 - q, far;

	if (d < 0.0)
		return -p / 2.0;
	far = -p / 2.0 - copysign(sqrt(d), p);
	return far == 0.0 ? 0.0 : fmax(far, q / far);
}

/*
 * x^3 + b x^2 + c x + d: Newton from outside the outermost root on the side of the
 * inflection where the curve crosses zero runs straight to it; the other two are what
 * division leaves.
 */
static double cubic(double b, double c, double d)
{
	double at = -b / 3.0, bent = b * b - 3.0 * c;
	double f = ((at + b) * at + c) * at + d, x;

	x = at - copysign(bent > 0.0 ? 2.0 / 3.0 * sqrt(bent) : cbrt(fabs(f)), f);
	for (unsigned i = 0; i < NEWTON_MAX && f != 0.0; i++) {
		double value = ((x + b) * x + c) * x + d;
		double slope = (3.0 * x + 2.0 * b) * x + c, next = x - value / slope;

		if (slope == 0.0 || next == x)
			break;
		x = next;
	}
	x = f == 0.0 ? at : x;
	return fmax(x, quadratic(b + x, c + x * (b + x)));
}

void tsf_langevin(struct tsf_work *w, double *out)
{
	double h[DEGREE + 1];

	drift(w, h);
	if (isnan(h[0]))
		*out = NAN;
	else if (h[0] != 0.0)
		*out = cubic(h[1] / h[0], h[2] / h[0], h[3] / h[0]);
	else if (h[1] != 0.0)
		*out = quadratic(h[2] / h[1], h[3] / h[1]);
	else
		*out = h[2] != 0.0 ? -h[3] / h[2] : NAN;
}
