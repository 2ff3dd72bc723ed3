/*
 * corr_method - what each method does with the chosen rows (corr_parts.h).
 *
 * Every method is the same three steps, and the table at the end says how each takes
 * them: prepare turns a row of returns into z (0 where nothing is), multiply gives the
 * sums of products (gram.h), finish makes coefficients of them.
 */
#include "base/err.h"
#include "workers/corr_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static double square_sum(const struct corr *c, uint32_t i)
{
	const double *z = c->z + i * c->stride;
	double ss = 0;

	for (uint32_t k = 0; k < c->window; k++)
		ss += z[k] * z[k];
	return ss;
}

/* Divide by the root of the sum of squares, so that products are coefficients. */
static bool unit_length(struct corr *c, uint32_t i)
{
	double *z = c->z + i * c->stride;
	double length = sqrt(square_sum(c, i));

	if (!(length > 0))
		return false;
	for (uint32_t k = 0; k < c->window; k++)
		z[k] /= length;
	return true;
}

/* Copy row @i with the mean of what is there taken off; 0 where nothing is. */
static void centred(struct corr *c, uint32_t i)
{
	double *z = c->z + i * c->stride;
	double sum = 0, mean;
	uint32_t n = 0;

	for (uint32_t k = 0; k < c->window; k++)
		if (!isnan(corr_at(c, i, k))) {
			sum += corr_at(c, i, k);
			n++;
		}
	mean = sum / n;
	for (uint32_t k = 0; k < c->window; k++)
		z[k] = isnan(corr_at(c, i, k)) ? 0 : corr_at(c, i, k) - mean;
}

static bool prepare_pearson(struct corr *c, uint32_t i)
{
	centred(c, i);
	return unit_length(c, i);
}

static bool prepare_ewma(struct corr *c, uint32_t i)
{
	double *z = c->z + i * c->stride;

	for (uint32_t k = 0; k < c->window; k++)
		z[k] = isnan(corr_at(c, i, k))
			       ? 0
			       : corr_at(c, i, k) * c->weight[c->column[k]];
	return unit_length(c, i);
}

static bool prepare_ledoit_wolf(struct corr *c, uint32_t i)
{
	centred(c, i);
	return square_sum(c, i) > 0;
}

static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool prepare_spearman(struct corr *c, uint32_t i)
{
	double *z = c->z + i * c->stride;
	uint32_t n = 0, end;

	for (uint32_t k = 0; k < c->window; k++) {
		z[k] = 0;
		if (!isnan(corr_at(c, i, k)))
			c->rank[n++] = (struct ranked){corr_at(c, i, k), k};
	}
	qsort(c->rank, n, sizeof(*c->rank), by_value);

	/* The mean of the ranks 1..n is (n + 1) / 2; tied values share theirs. */
	for (uint32_t from = 0; from < n; from = end) {
		for (end = from + 1; end < n; end++)
			if (c->rank[end].value != c->rank[from].value)
				break;
		for (uint32_t k = from; k < end; k++)
			z[c->rank[k].at] = (from + 1 + end) / 2.0 - (n + 1) / 2.0;
	}
	return unit_length(c, i);
}

static void set_weights(struct corr *c, double lambda, uint32_t window)
{
	double w = 1;

	for (uint32_t k = window; k-- > 0;) {
		c->weight[k] = sqrt(w);
		w *= lambda;
	}
}

/* ---- from products to coefficients ---- */

/*
 * B.10: S = X'X/n, mu = tr(S)/p, d2 = (|S|^2 - p mu^2)/p,
 * b2 = (sum over t of (sum over i of x_ti^2)^2 / n - |S|^2) / (n p), capped by d2,
 * delta = b2/d2.  X'X is in @tri.
 */
static double shrinkage(struct corr *c, const double *tri)
{
	double n = c->window, p = c->n, norm = 0, trace = 0, fourth = 0, mu, d2, b2;

	for (uint32_t i = 0; i < c->n; i++) {
		const double *row = tri + (size_t)i * (i + 1) / 2;
		double sum = 0;

		for (uint32_t j = 0; j < i; j++)
			sum += row[j] * row[j];
		norm += 2 * sum + row[i] * row[i];
		trace += row[i];
	}
	norm /= n * n;
	trace /= n;
	for (uint32_t k = 0; k < c->window; k++) {
		double sum = 0;

		for (uint32_t i = 0; i < c->n; i++) {
			double x = c->z[i * c->stride + k];

			sum += x * x;
		}
		fourth += sum * sum;
	}
	mu = trace / p;
	d2 = (norm - p * mu * mu) / p;
	b2 = (fourth / n - norm) / (n * p);
	b2 = b2 < d2 ? b2 : d2;
	return b2 > 0 ? b2 / d2 : 0;
}

static void finish_ledoit_wolf(struct corr *c, double *tri)
{
	double delta = shrinkage(c, tri), trace = 0, target;

	for (uint32_t i = 0; i < c->n; i++)
		trace += tri[(size_t)i * (i + 1) / 2 + i];
	target = delta * (trace / c->n);
	for (uint32_t i = 0; i < c->n; i++)
		c->scale[i] =
			sqrt((1 - delta) * tri[(size_t)i * (i + 1) / 2 + i] + target);
	for (uint32_t i = 0; i < c->n; i++)
		for (uint32_t j = 0; j < i; j++) {
			double *r = tri + (size_t)i * (i + 1) / 2 + j;

			*r = corr_clamp((1 - delta) * *r / (c->scale[i] * c->scale[j]));
		}
	c->shrinkage = delta;
}

/* ---- the methods ---- */

static const struct corr_method_entry methods[] = {
	[CORR_PEARSON] = {"pearson", false, true, prepare_pearson, NULL},
	[CORR_EWMA] = {"ewma", false, false, prepare_ewma, NULL},
	[CORR_LEDOIT_WOLF] = {"ledoit_wolf", true, true, prepare_ledoit_wolf,
			      finish_ledoit_wolf},
	[CORR_SPEARMAN] = {"spearman", false, true, prepare_spearman, NULL},
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

int corr_method_parse(const char *s, size_t len, enum corr_method *out)
{
	for (size_t i = 0; i < N_METHODS; i++)
		if (strlen(methods[i].name) == len &&
		    memcmp(methods[i].name, s, len) == 0) {
			*out = (enum corr_method)i;
			return 0;
		}
	return err_set(-EINVAL,
		       "'%.*s' is no correlation method: pearson, ewma, "
		       "ledoit_wolf or spearman",
		       (int)len, s);
}

const struct corr_method_entry *corr_method_entry(enum corr_method m)
{
	return &methods[m];
}

void corr_prepare(struct corr *c, const struct corr_method_entry *m,
		  const struct corr_spec *spec, uint32_t window)
{
	uint32_t kept = 0;

	set_weights(c, spec->lambda, window);

	for (uint32_t i = 0; i < c->n; i++) {
		c->row[kept] = c->row[i];
		if (m->prepare(c, kept))
			kept++;
		else
			c->fate[c->row[i]] = CORR_FLAT;
	}
	c->n = kept;
}
