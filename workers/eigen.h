/*
 * eigen - is a correlation matrix positive semidefinite, and the repair if not.
 *
 * Matrices are packed lower triangles, as gram.h makes them.  Householder reduction
 * to tridiagonal form, then implicit QL: every step in a fixed order, so the same
 * matrix gives the same bits.  n * n * n work: 120 rows 1 ms, 500 rows 60 ms for
 * the values alone, about four times that with the vectors.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/** An eigenvalue above -EIGEN_TOLERANCE counts as not negative. */
#define EIGEN_TOLERANCE 1e-11

/** The values did not converge: the matrix holds a NaN or an infinity. */
enum { EIGEN_NO_ANSWER = 1 };

struct eigen;

struct eigen_repair {
	double eigen_min;       /* before the repair */
	double frobenius_shift; /* distance of the repaired matrix from the given one */
	bool repaired;
};

/** Room for matrices of @n_max rows; 0 or -ENOMEM. */
int eigen_new(uint32_t n_max, struct eigen **out);
void eigen_free(struct eigen *e);

/** All @n values of @tri, ascending, into @out.  0 or EIGEN_NO_ANSWER. */
int eigen_values(struct eigen *e, const double *tri, uint32_t n, double *out);
/**
 * The smallest value alone; the work of eigen_values().  0 or EIGEN_NO_ANSWER.
 */
int eigen_min(struct eigen *e, const double *tri, uint32_t n, double *out);
/**
 * Whether all eigenvalues of @tri are above -EIGEN_TOLERANCE, by Cholesky
 * decomposition: a quarter of the work of eigen_values().
 */
bool eigen_is_psd(struct eigen *e, const double *tri, uint32_t n);
/**
 * If an eigenvalue of the correlation matrix @tri is below -EIGEN_TOLERANCE: clip the
 * negative ones to 0, rebuild the matrix and rescale it to a unit diagonal, in place.
 * 0 or EIGEN_NO_ANSWER (then @tri is as it was).
 */
int eigen_repair(struct eigen *e, double *tri, uint32_t n, struct eigen_repair *out);
