/* corr_choose - which rows and columns of a window take part (corr_parts.h). */
#include "workers/corr_parts.h"
#include <string.h>

static void judge_row(struct corr *c, uint32_t i, uint32_t window, uint32_t min_obs)
{
	const double *x = c->input + i * c->stride;
	double low = INFINITY, high = -INFINITY;
	uint32_t n = 0;

	for (uint32_t k = 0; k < window; k++) {
		if (isnan(x[k]))
			continue;
		n++;
		low = x[k] < low ? x[k] : low;
		high = x[k] > high ? x[k] : high;
	}
	c->n_obs[i] = n;
	c->fate[i] = CORR_KEPT;
	if (n < min_obs)
		c->fate[i] = CORR_SHORT;
	else if (low == high)
		c->fate[i] = CORR_FLAT;
}

static uint32_t columns_with_all(const struct corr *c, uint32_t n, uint32_t window)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < window; k++)
		count += c->present[k] == n;
	return count;
}

static void count_columns(struct corr *c, uint32_t n, uint32_t window,
			  uint32_t *out_kept)
{
	memset(c->present, 0, window * sizeof(*c->present));
	*out_kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		const double *x = c->input + i * c->stride;

		if (c->fate[i] != CORR_KEPT)
			continue;
		(*out_kept)++;
		for (uint32_t k = 0; k < window; k++)
			c->present[k] += isnan(x[k]) ? 0u : 1u;
	}
}

/* The kept row with the fewest returns; among equals the last. */
static uint32_t sparsest(const struct corr *c, uint32_t n)
{
	uint32_t worst = n;

	for (uint32_t i = 0; i < n; i++)
		if (c->fate[i] == CORR_KEPT &&
		    (worst == n || c->n_obs[i] <= c->n_obs[worst]))
			worst = i;
	return worst;
}

static void drop_row(struct corr *c, uint32_t i, uint32_t window)
{
	const double *x = c->input + i * c->stride;

	c->fate[i] = CORR_SHORT;
	for (uint32_t k = 0; k < window; k++)
		c->present[k] -= isnan(x[k]) ? 0u : 1u;
}

/* A row that varies may be flat over the bars that a listwise method uses. */
static bool flat_in_common(const struct corr *c, uint32_t i, uint32_t window,
			   uint32_t kept)
{
	const double *x = c->input + i * c->stride;
	bool seen = false;
	double first = 0;

	for (uint32_t k = 0; k < window; k++) {
		if (c->present[k] != kept)
			continue;
		if (seen && x[k] != first)
			return false;
		first = x[k];
		seen = true;
	}
	return true;
}

/*
 * A listwise method loses a bar for every hole: the sparsest rows go until enough
 * bars are common to the rest.
 */
static void keep_listwise(struct corr *c, uint32_t n, uint32_t window, uint32_t min_obs)
{
	uint32_t kept;
	bool again = true;

	count_columns(c, n, window, &kept);
	while (again) {
		again = false;
		while (kept > 0 && columns_with_all(c, kept, window) < min_obs) {
			drop_row(c, sparsest(c, n), window);
			kept--;
		}
		for (uint32_t i = 0; i < n && !again; i++)
			if (c->fate[i] == CORR_KEPT &&
			    flat_in_common(c, i, window, kept)) {
				drop_row(c, i, window);
				kept--;
				again = true;
			}
	}
}

void corr_choose(struct corr *c, bool listwise, uint32_t n, uint32_t window,
		 uint32_t min_obs)
{
	uint32_t kept;

	for (uint32_t i = 0; i < n; i++)
		judge_row(c, i, window, min_obs);
	if (listwise)
		keep_listwise(c, n, window, min_obs);
	count_columns(c, n, window, &kept);

	c->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (c->fate[i] == CORR_KEPT)
			c->row[c->n++] = i;
	c->window = 0;
	c->complete = true;
	for (uint32_t k = 0; k < window; k++) {
		if (c->present[k] == 0 || (listwise && c->present[k] < kept))
			continue;
		c->column[c->window++] = k;
		c->complete = c->complete && c->present[k] == kept;
	}
}
