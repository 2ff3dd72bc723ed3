/*
 * corr_pair - rows with holes: pair by pair, over what both have (corr_parts.h).
 */
#include "workers/corr_parts.h"
#include <string.h>

#define NO_DOUBLE __builtin_nan("")

static void mark_holes(struct corr *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		double *mask = c->mask + i * c->stride, *z = c->z + i * c->stride;

		c->holed[i] = false;
		for (uint32_t k = 0; k < c->window; k++) {
			mask[k] = isnan(corr_at(c, i, k)) ? 0 : 1;
			c->holed[i] = c->holed[i] || mask[k] == 0;
		}
		for (uint32_t k = c->window; k < ((c->window + 7) & ~7u); k++)
			mask[k] = z[k] = 0;
	}
}

/*
 * Does row @x stand still where both rows have values?  Asked of the values, since the
 * sum of squares about a rounded mean is then some 1e-36 and not 0.
 */
static bool is_flat(const double *x, const double *mx, const double *my, uint32_t n)
{
	uint32_t first = 0;

	while (first < n && (mx[first] == 0 || my[first] == 0))
		first++;
	for (uint32_t k = first; k < n; k++)
		if (mx[k] != 0 && my[k] != 0 && x[k] != x[first])
			return false;
	return true;
}

/* Pairwise complete: every pair of which a row has holes is done by itself. */
static void fill(struct corr *c, bool centre, uint32_t min_obs, double *tri)
{
	uint32_t steps = (c->window + 7) & ~7u;

	for (uint32_t i = 0; i < c->n; i++) {
		double *row = tri + (size_t)i * (i + 1) / 2;
		const double *x = c->z + i * c->stride, *mx = c->mask + i * c->stride;

		for (uint32_t j = 0; j < i; j++) {
			const double *y = c->z + j * c->stride;
			const double *my = c->mask + j * c->stride;
			struct gram_pair p;

			if (!c->holed[i] && !c->holed[j])
				continue;
			gram_pair(c->isa, x, mx, y, my, steps, centre, &p);
			row[j] = NO_DOUBLE;
			if (p.n_obs >= min_obs && p.xx > 0 && p.yy > 0 &&
			    !is_flat(x, mx, my, c->window) &&
			    !is_flat(y, mx, my, c->window))
				row[j] = corr_clamp(p.xy / sqrt(p.xx * p.yy));
		}
	}
}

static double *cell(double *tri, uint32_t i, uint32_t j)
{
	return i >= j ? tri + (size_t)i * (i + 1) / 2 + j
		      : tri + (size_t)j * (j + 1) / 2 + i;
}

static bool is_worse(const struct corr *c, uint32_t i, uint32_t than)
{
	if (c->bad[i] != c->bad[than])
		return c->bad[i] > c->bad[than];
	return c->n_obs[c->row[i]] <= c->n_obs[c->row[than]];
}

/*
 * Leave out rows until every pair has a coefficient: first the row with the most
 * empty pairs, among those the one with the fewest returns, among those the last.
 */
static void drop_unpaired(struct corr *c, double *tri)
{
	uint32_t kept = 0;

	memset(c->bad, 0, c->n * sizeof(*c->bad));
	for (uint32_t i = 0; i < c->n; i++)
		for (uint32_t j = 0; j < i; j++)
			if (isnan(*cell(tri, i, j))) {
				c->bad[i]++;
				c->bad[j]++;
			}
	while (true) {
		uint32_t worst = 0;

		for (uint32_t i = 1; i < c->n; i++)
			if (is_worse(c, i, worst))
				worst = i;
		if (c->n == 0 || c->bad[worst] == 0)
			break;
		for (uint32_t j = 0; j < c->n; j++)
			if (j != worst && isnan(*cell(tri, worst, j)) && c->bad[j] > 0)
				c->bad[j]--;
		c->bad[worst] = 0;
		c->fate[c->row[worst]] = CORR_SHORT;
	}

	/* Close the gaps in place: rows and columns only move towards the front. */
	for (uint32_t i = 0; i < c->n; i++) {
		uint32_t to = 0;

		if (c->fate[c->row[i]] != CORR_KEPT)
			continue;
		for (uint32_t j = 0; j <= i; j++)
			if (c->fate[c->row[j]] == CORR_KEPT)
				*cell(tri, kept, to++) = *cell(tri, i, j);
		if (kept != i)
			memcpy(c->z + kept * c->stride, c->z + i * c->stride,
			       c->window * sizeof(*c->z));
		c->bad[kept++] = c->row[i];
	}
	memcpy(c->row, c->bad, kept * sizeof(*c->row));
	c->n = kept;
}

void corr_fill_pairs(struct corr *c, bool centre, uint32_t min_obs, double *tri)
{
	mark_holes(c);
	fill(c, centre, min_obs, tri);
	drop_unpaired(c, tri);
}
