/*
 * tsf_ols - least squares by Householder's QR, which loses half as many digits as the
 * normal equations; of a deficient system the shortest solution, by Jacobi's SVD.
 *
 * A matrix is stored by columns: element (r, c) is a[c * rows + r].
 */
#pragma once
#include <stddef.h>

#define TSF_OLS_SVD_MAX 12 /* columns of a system that may be deficient */

/**
 * Factor @a (rows >= cols) in place: R's upper part in @a, its diagonal in @diag; @y
 * becomes Q'y, so that the residual of the first k columns is the sum of squares of
 * @y[k..rows).
 */
void tsf_ols_qr(double *a, size_t rows, size_t cols, double *diag, double *y);

/** Bring every column to length one; @length says what it was (0: left as it is). */
void tsf_ols_unit(double *a, size_t rows, size_t cols, double *length);

/**
 * The coefficients of a factored system of cols <= TSF_OLS_SVD_MAX.  Directions whose
 * singular value is not above @cut times the largest are left out; returns how many
 * were not.
 */
size_t tsf_ols_solve(const double *a, size_t rows, size_t cols, const double *diag,
		     const double *y, double cut, double *out);
