/* tsf_entropy - how much of a series is surprise. */
#include "analysis/tsf_work.h"
#include <math.h>
#include <string.h>

#define BINS_MAX       100
#define DIMENSIONS_MAX 7

void tsf_binned_entropy_10(struct tsf_work *w, double *out)
{
	*out = tsf_binned_entropy(w->x, w->n, 10);
}

void tsf_query_similarity(struct tsf_work *w, double *out)
{
	(void)w;
	/* The settings ask without a query: there is nothing to count. */
	*out = NAN;
}

/* Child of @node by @symbol; 0: there was none, and @fresh is it now. */
static uint32_t phrase_child(struct tsf_work *w, uint32_t node, uint32_t symbol,
			     uint32_t fresh)
{
	uint64_t key = (uint64_t)node * 128 + symbol + 1;
	size_t mask = w->n_phrases - 1;
	size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;

	while (w->phrases[at].key != 0) {
		if (w->phrases[at].key == key)
			return w->phrases[at].node;
		at = (at + 1) & mask;
	}
	w->phrases[at] = (struct tsf_phrase){.key = key, .node = fresh};
	return 0;
}

/*
 * Lempel and Ziv: the series in @bins equal bins is cut into the shortest phrases not
 * seen before.  Every phrase is a seen one and a symbol, so phrases are a tree.
 */
static double phrases(struct tsf_work *w, unsigned bins)
{
	double edge[BINS_MAX] = {0}, step = (w->max - w->min) / (double)bins;
	uint32_t node = 0, n = 0;

	for (unsigned b = 1; b < bins; b++)
		edge[b - 1] = (double)b * step + w->min;
	edge[bins - 1] = w->max;
	memset(w->phrases, 0, w->n_phrases * sizeof(*w->phrases));
	for (size_t i = 0; i < w->n; i++) {
		double v = w->x[i];
		uint32_t s = tsf_bin((v - w->min) / step, bins);

		while (s > 0 && edge[s - 1] >= v)
			s--;
		while (s + 1 < bins && edge[s] < v)
			s++;
		node = phrase_child(w, node, s, n + 1);
		n += node == 0;
	}
	return (double)n / (double)w->n;
}

void tsf_lempel_ziv(struct tsf_work *w, double *out)
{
	static const unsigned bins[] = {2, 3, 5, 10, 100};

	for (size_t b = 0; b < 5; b++)
		out[b] = phrases(w, bins[b]);
}

/*
 * The order of @dimension neighbours as a number: digit t counts the later values below
 * value t (equal ones are not: the earlier counts as the smaller), in factorial base.
 */
static void count_orders(struct tsf_work *w, const uint8_t *below, size_t dimension)
{
	static const uint32_t factorial[] = {1, 1, 2, 6, 24, 120, 720};

	memset(w->patterns, 0, TSF_PATTERNS * sizeof(*w->patterns));
	for (size_t i = 0; i + dimension <= w->n; i++) {
		uint32_t code = 0;

		for (size_t t = 0; t + 1 < dimension; t++) {
			size_t later = dimension - 1 - t;

			code += below[(i + t) * DIMENSIONS_MAX + later] *
				factorial[later];
		}
		w->patterns[code]++;
	}
}

static double entropy_of_counts(const uint32_t *count, size_t len, size_t n)
{
	double sum = 0.0, last = 0.0;
	uint32_t of = 0;

	for (size_t k = 0; k < len; k++) {
		double p = (double)count[k] / (double)n;

		if (count[k] == 0)
			continue;
		if (count[k] != of) {
			of = count[k];
			last = p * log(p);
		}
		sum += last;
	}
	return -sum;
}

void tsf_permutation_entropy(struct tsf_work *w, double *out)
{
	static const size_t orders[] = {6, 24, 120, 720, 5040};
	uint8_t *below = (uint8_t *)w->room[0];

	for (size_t i = 0; i < w->n; i++) {
		unsigned n = 0;

		for (size_t later = 1; later < DIMENSIONS_MAX; later++) {
			n += i + later < w->n && w->x[i + later] < w->x[i];
			below[i * DIMENSIONS_MAX + later] = (uint8_t)n;
		}
	}
	for (size_t d = 3; d <= DIMENSIONS_MAX; d++, out++) {
		*out = NAN;
		if (w->n < d)
			continue;
		count_orders(w, below, d);
		*out = entropy_of_counts(w->patterns, orders[d - 3], w->n - d + 1);
	}
}

/*
 * How many others are within @r of each template of two and of three values; the
 * last template of two has no third value.
 */
static void count_near(struct tsf_work *w, double r, double *two, double *three)
{
	const double *x = w->x;
	size_t n = w->n - 1;

	memset(two, 0, n * sizeof(*two));
	memset(three, 0, n * sizeof(*three));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			if (fabs(x[i] - x[k]) > r || fabs(x[i + 1] - x[k + 1]) > r)
				continue;
			two[i]++;
			two[k]++;
			if (k + 2 > n || fabs(x[i + 2] - x[k + 2]) > r)
				continue;
			three[i]++;
			three[k]++;
		}
	}
}

void tsf_sample_entropy(struct tsf_work *w, double *out)
{
	double *two = w->room[0], *three = w->room[1];

	*out = NAN;
	if (w->n < 3)
		return;
	count_near(w, 0.2 * w->std, two, three);
	*out = -log(tsf_sum(three, w->n - 2) / tsf_sum(two, w->n - 1));
}

/* Mean logarithm of the share of templates near each, itself among them. */
static double phi(const double *near, size_t n, double *tmp)
{
	for (size_t i = 0; i < n; i++)
		tmp[i] = log((near[i] + 1.0) / (double)n);
	return tsf_mean(tmp, n);
}

void tsf_approximate_entropy(struct tsf_work *w, double *out)
{
	static const double r[] = {0.1, 0.3, 0.5, 0.7, 0.9};
	double *two = w->room[0], *three = w->room[1], *tmp = w->room[2];

	for (size_t k = 0; k < 5; k++) {
		out[k] = 0.0;
		if (w->n <= 3)
			continue;
		count_near(w, r[k] * w->std, two, three);
		out[k] = fabs(phi(two, w->n - 1, tmp) - phi(three, w->n - 2, tmp));
	}
}
