/*
 * eigen - see eigen.h.
 *
 * Householder: row i of the full matrix a, from the last to the second, is turned into
 * (0 ... 0, s) by a reflection u, and the leading block A becomes
 * A - u q' - q u' with p = A u / h, q = p - (u'p / 2h) u.  The reflections stay in
 * the rows of a and are multiplied out only when the vectors are wanted.  The vectors
 * are kept as rows (v[k] is vector k), so that a QL rotation works on two rows that are
 * each contiguous.
 */
#include "workers/eigen.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 64 /* QL needs two or three per value */

struct eigen {
	uint32_t n_max;
	double *a; /* owned: n * n; the matrix, then the reflections */
	double *v; /* owned: n * n; vectors as rows */
	double *d; /* owned: diagonal, then values */
	double *e; /* owned: e[i] couples i and i + 1 */
	double *h; /* owned: |u|^2 / 2 of each reflection; 0: none */
	double *p; /* owned */
};

int eigen_new(uint32_t n_max, struct eigen **out)
{
	struct eigen *e = calloc(1, sizeof(*e));
	size_t n = n_max > 0 ? n_max : 1;

	if (e == NULL)
		return err_set(-ENOMEM, "out of memory for eigenvalues");
	e->n_max = n_max;
	e->a = calloc(n * n, sizeof(double));
	e->v = calloc(n * n, sizeof(double));
	e->d = calloc(n, sizeof(double));
	e->e = calloc(n, sizeof(double));
	e->h = calloc(n, sizeof(double));
	e->p = calloc(n, sizeof(double));
	if (!e->a || !e->v || !e->d || !e->e || !e->h || !e->p) {
		eigen_free(e);
		return err_set(-ENOMEM, "out of memory for eigenvalues of %u rows",
			       n_max);
	}
	*out = e;
	return 0;
}

void eigen_free(struct eigen *e)
{
	if (e == NULL)
		return;
	free(e->a);
	free(e->v);
	free(e->d);
	free(e->e);
	free(e->h);
	free(e->p);
	free(e);
}

static void load(struct eigen *e, const double *tri, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j <= i; j++, tri++)
			e->a[(size_t)i * n + j] = e->a[(size_t)j * n + i] = *tri;
}

/* p = A u / h for the leading m * m block (lower triangle): one pass over its rows. */
static void multiply(const double *a, size_t n, uint32_t m, const double *u, double h,
		     double *p)
{
	memset(p, 0, m * sizeof(*p));
	for (uint32_t i = 0; i < m; i++) {
		const double *row = a + i * n;
		double sum = row[i] * u[i];

		for (uint32_t j = 0; j < i; j++) {
			p[j] += row[j] * u[i];
			sum += row[j] * u[j];
		}
		p[i] += sum;
	}
	for (uint32_t i = 0; i < m; i++)
		p[i] /= h;
}

/* Reduce row @i: afterwards e[i - 1] couples it and u stands in a[i][0 .. i - 1]. */
static void reflect(struct eigen *e, size_t n, uint32_t i)
{
	double *u = e->a + i * n, *p = e->p, scale = 0, h = 0, k = 0, f, g;

	for (uint32_t j = 0; j < i; j++)
		scale += fabs(u[j]);
	e->h[i] = 0;
	if (i == 1 || scale == 0) {
		e->e[i - 1] = u[i - 1];
		return;
	}
	for (uint32_t j = 0; j < i; j++) {
		u[j] /= scale;
		h += u[j] * u[j];
	}
	f = u[i - 1];
	g = f >= 0 ? -sqrt(h) : sqrt(h);
	e->e[i - 1] = scale * g;
	h -= f * g;
	u[i - 1] = f - g;

	multiply(e->a, n, i, u, h, p);
	for (uint32_t j = 0; j < i; j++)
		k += u[j] * p[j];
	k /= h + h;
	for (uint32_t j = 0; j < i; j++)
		p[j] -= k * u[j];
	for (uint32_t j = 0; j < i; j++) {
		double *row = e->a + j * n, uj = u[j], pj = p[j];

		for (uint32_t l = 0; l <= j; l++)
			row[l] -= uj * p[l] + pj * u[l];
	}
	e->h[i] = h;
}

static void tridiagonalise(struct eigen *e, uint32_t n)
{
	for (uint32_t i = n; i-- > 1;)
		reflect(e, n, i);
	for (uint32_t i = 0; i < n; i++)
		e->d[i] = e->a[(size_t)i * n + i];
	e->e[n - 1] = 0;
}

/*
 * The rows of v become Q', Q the product of the reflections: starting from the unit
 * matrix, reflection i changes only the leading i * i block.
 */
static void multiply_out(struct eigen *e, uint32_t n)
{
	double *w = e->p;

	memset(e->v, 0, (size_t)n * n * sizeof(*e->v));
	for (uint32_t i = 0; i < n; i++)
		e->v[(size_t)i * n + i] = 1;
	for (uint32_t i = 2; i < n; i++) {
		const double *u = e->a + (size_t)i * n;

		if (e->h[i] == 0)
			continue;
		for (uint32_t r = 0; r < i; r++) {
			double *row = e->v + (size_t)r * n, sum = 0;

			for (uint32_t j = 0; j < i; j++)
				sum += row[j] * u[j];
			w[r] = sum / e->h[i];
		}
		for (uint32_t r = 0; r < i; r++) {
			double *row = e->v + (size_t)r * n;

			for (uint32_t j = 0; j < i; j++)
				row[j] -= w[r] * u[j];
		}
	}
}

static void rotate(double *x, double *y, uint32_t n, double c, double s)
{
	for (uint32_t k = 0; k < n; k++) {
		double a = x[k], b = y[k];

		y[k] = s * a + c * b;
		x[k] = c * a - s * b;
	}
}

/* One implicit QL sweep over [l, m], with vectors when @v is not NULL. */
static void sweep(struct eigen *q, uint32_t l, uint32_t m, uint32_t n, double *v)
{
	double *d = q->d, *e = q->e;
	double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
	double s = 1, c = 1, p = 0;

	g = d[m] - d[l] + e[l] / (g + copysign(r, g));
	for (uint32_t i = m; i-- > l;) {
		double f = s * e[i], b = c * e[i];

		r = hypot(f, g);
		e[i + 1] = r;
		if (r == 0) {
			d[i + 1] -= p;
			e[m] = 0;
			return;
		}
		s = f / r;
		c = g / r;
		g = d[i + 1] - p;
		r = (d[i] - g) * s + 2 * c * b;
		p = s * r;
		d[i + 1] = g + p;
		g = c * r - b;
		if (v != NULL)
			rotate(v + (size_t)i * n, v + (size_t)(i + 1) * n, n, c, s);
	}
	d[l] -= p;
	e[l] = g;
	e[m] = 0;
}

/* Where the matrix falls apart after @l: the first negligible coupling. */
static uint32_t split_after(const struct eigen *q, uint32_t l, uint32_t n)
{
	uint32_t m = l;

	for (; m + 1 < n; m++) {
		double size = fabs(q->d[m]) + fabs(q->d[m + 1]);

		if (fabs(q->e[m]) <= DBL_EPSILON * size || fabs(q->e[m]) < DBL_MIN)
			break;
	}
	return m;
}

static int diagonalise(struct eigen *q, uint32_t n, double *v)
{
	for (uint32_t l = 0; l < n; l++) {
		uint32_t m;
		int rounds = 0;

		while ((m = split_after(q, l, n)) != l) {
			if (rounds++ == ROUNDS_MAX)
				return EIGEN_NO_ANSWER;
			sweep(q, l, m, n, v);
		}
		if (!isfinite(q->d[l]))
			return EIGEN_NO_ANSWER;
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int solve(struct eigen *e, const double *tri, uint32_t n)
{
	assert(n <= e->n_max);
	for (size_t i = 0; i < (size_t)n * (n + 1) / 2; i++)
		if (!isfinite(tri[i]))
			return EIGEN_NO_ANSWER;
	load(e, tri, n);
	tridiagonalise(e, n);
	return 0;
}

int eigen_values(struct eigen *e, const double *tri, uint32_t n, double *out)
{
	int rc;

	if (n == 0)
		return 0;
	rc = solve(e, tri, n);
	if (rc == 0)
		rc = diagonalise(e, n, NULL);
	if (rc != 0)
		return rc;
	memcpy(out, e->d, n * sizeof(*out));
	qsort(out, n, sizeof(*out), ascending);
	return 0;
}

static double smallest(const double *d, uint32_t n)
{
	double min = d[0];

	for (uint32_t i = 1; i < n; i++)
		min = d[i] < min ? d[i] : min;
	return min;
}

int eigen_min(struct eigen *e, const double *tri, uint32_t n, double *out)
{
	int rc;

	if (n == 0)
		return EIGEN_NO_ANSWER;
	rc = solve(e, tri, n);
	if (rc == 0)
		rc = diagonalise(e, n, NULL);
	if (rc == 0)
		*out = smallest(e->d, n);
	return rc;
}

bool eigen_is_psd(struct eigen *e, const double *tri, uint32_t n)
{
	double *l = e->a;

	assert(n <= e->n_max);
	for (uint32_t i = 0; i < n; i++) {
		double *row = l + (size_t)i * n, left;

		for (uint32_t j = 0; j < i; j++) {
			const double *other = l + (size_t)j * n;
			double part[4] = {0}, sum;
			uint32_t k = 0;

			for (; k + 4 <= j; k += 4)
				for (int t = 0; t < 4; t++)
					part[t] += row[k + (uint32_t)t] *
						   other[k + (uint32_t)t];
			sum = (part[0] + part[1]) + (part[2] + part[3]);
			for (; k < j; k++)
				sum += row[k] * other[k];
			row[j] = (tri[j] - sum) / other[j];
		}
		left = tri[i] + EIGEN_TOLERANCE;
		for (uint32_t k = 0; k < i; k++)
			left -= row[k] * row[k];
		if (!(left > 0))
			return false;
		row[i] = sqrt(left);
		tri += i + 1;
	}
	return true;
}

/* M -= d v v' for every negative value d, on the lower triangle in e->a. */
static void take_negatives(struct eigen *e, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		const double *v = e->v + (size_t)k * n;

		if (e->d[k] >= 0)
			continue;
		for (uint32_t i = 0; i < n; i++) {
			double *row = e->a + (size_t)i * n, f = e->d[k] * v[i];

			for (uint32_t j = 0; j <= i; j++)
				row[j] -= f * v[j];
		}
	}
}

int eigen_repair(struct eigen *e, double *tri, uint32_t n, struct eigen_repair *out)
{
	struct eigen_repair r = {0};
	double shift = 0;
	int rc;

	rc = eigen_min(e, tri, n, &r.eigen_min);
	if (rc != 0)
		return rc;
	*out = r;
	if (r.eigen_min >= -EIGEN_TOLERANCE)
		return 0;

	rc = solve(e, tri, n);
	if (rc != 0)
		return rc;
	multiply_out(e, n);
	rc = diagonalise(e, n, e->v);
	if (rc != 0)
		return rc;
	load(e, tri, n);
	take_negatives(e, n);
	for (uint32_t i = 0; i < n; i++)
		e->p[i] = sqrt(e->a[(size_t)i * n + i]);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < i; j++) {
			double *at = tri + (size_t)i * (i + 1) / 2 + j;
			double now = e->a[(size_t)i * n + j] / (e->p[i] * e->p[j]);

			now = now > 1 ? 1 : now < -1 ? -1 : now;
			shift += 2 * ((now - *at) * (now - *at));
			*at = now;
		}
	out->repaired = true;
	out->frobenius_shift = sqrt(shift);
	return 0;
}
