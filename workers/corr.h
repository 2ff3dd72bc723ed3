/*
 * corr - correlation matrices of a window of returns (semantics A.4, B.10).
 *
 * One row per symbol, one column per bar, NaN where a return is NULL.  The matrix is
 * computed from scratch each time, in one order, so it depends on the window alone.
 * What comes out has no holes: rows that cannot be given a coefficient are left out
 * and named, with the reason.  The diagonal is exactly 1, the rest within [-1, 1].
 *
 * Methods, by name (corr_method_name()):
 *   pearson      z = (x - mean) / sqrt(sum of squares); r = sum of z * z.
 *   ewma         zero mean, weights lambda^age: r = Sij / sqrt(Sii * Sjj).
 *   ledoit_wolf  covariance shrunk towards a scaled identity, then scaled to unit
 *                diagonal; over the bars that all its rows have (listwise).
 *   spearman     pearson of each row's own ranks, ties averaged.
 * Columns that no row has are left out.  Where rows still have holes, pearson, ewma and
 * spearman use for each pair the bars that both have (pairwise complete), and the
 * matrix may be indefinite: see eigen.h.  Without holes it is positive semidefinite by
 * construction, and pearson equals numpy.corrcoef to 1e-12.
 */
#pragma once
#include "proto/event.h"
#include "workers/gram.h"

struct corr;

struct corr_spec {
	enum corr_method method;
	double lambda;    /* ewma: in (0, 1) */
	uint32_t min_obs; /* fewer returns, alone or in common: no coefficient; >= 2 */
};

enum corr_fate {
	CORR_KEPT = 0,
	CORR_SHORT, /* fewer than min_obs returns, or too few in common with the others
		     */
	CORR_FLAT,  /* all its returns are equal: no variance */
};

/** What corr_run() found; pointers are valid until the next call. */
struct corr_result {
	uint32_t n_kept;
	uint32_t shrunk_obs;   /* ledoit_wolf: bars used */
	double shrinkage;      /* ledoit_wolf: delta; else NaN */
	bool complete;         /* the kept rows have no hole that others fill */
	const uint8_t *fate;   /* enum corr_fate, one per row */
	const uint32_t *n_obs; /* returns in each row's window */
};

/** By name; -EINVAL when there is none. */
int corr_method_parse(const char *s, size_t len, enum corr_method *out);

/** Room for @n_max rows of @window_max columns; 0 or -ENOMEM. */
int corr_new(uint32_t n_max, uint32_t window_max, struct corr **out);
void corr_free(struct corr *c);
/** For tests: compute with @isa, which gram_isa_has(). */
void corr_force_isa(struct corr *c, enum gram_isa isa);
/** Where row @i is to be written before corr_run(): window_max doubles. */
double *corr_row(struct corr *c, uint32_t i);
/**
 * Correlate the first @n rows over their first @window columns (oldest first).
 * @tri receives the packed lower triangle of the n_kept rows, in their order; it has
 * room for n * (n + 1) / 2 doubles.  The rows are left as they were.
 */
void corr_run(struct corr *c, const struct corr_spec *spec, uint32_t n, uint32_t window,
	      double *tri, struct corr_result *out);
/**
 * The matrix of the rows that the last corr_run() kept, made positive semidefinite by
 * construction whatever their holes: each row keeps its own mean and length, and a hole
 * counts as the mean.  Coefficients of rows with holes come out smaller, by the share
 * of what they do not have in common.  n_kept * n_kept * window work, no eigenvalues.
 */
void corr_run_own(struct corr *c, double *tri);
