/*
 * corr - see corr.h: one run from the rows to the triangle, and the memory for it.
 */
#include "base/err.h"
#include "workers/corr_parts.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void unit_diagonal(const struct corr *c, double *tri)
{
	for (uint32_t i = 0; i < c->n; i++)
		tri[(size_t)i * (i + 1) / 2 + i] = 1.0;
}

void corr_run(struct corr *c, const struct corr_spec *spec, uint32_t n, uint32_t window,
	      double *tri, struct corr_result *out)
{
	const struct corr_method_entry *m = corr_method_entry(spec->method);
	uint32_t min_obs = spec->min_obs < 2 ? 2 : spec->min_obs;

	assert(n <= c->n_max);
	assert(window <= c->window_max);
	c->shrinkage = __builtin_nan("");
	corr_choose(c, m->listwise, n, window, min_obs);
	corr_prepare(c, m, spec, window);
	gram_run(c->isa, c->z, c->stride, c->n, c->window, m->finish == NULL,
		 c->scratch, tri);
	if (m->finish != NULL)
		m->finish(c, tri);
	if (!c->complete)
		corr_fill_pairs(c, m->centre, min_obs, tri);
	unit_diagonal(c, tri);
	*out = (struct corr_result){.n_kept = c->n,
				    .shrunk_obs = m->listwise ? c->window : 0,
				    .shrinkage = c->shrinkage,
				    .complete = c->complete,
				    .fate = c->fate,
				    .n_obs = c->n_obs};
}

void corr_run_own(struct corr *c, double *tri)
{
	gram_run(c->isa, c->z, c->stride, c->n, c->window, true, c->scratch, tri);
	unit_diagonal(c, tri);
}

static void *aligned(size_t n_doubles)
{
	void *p = aligned_alloc(64, (n_doubles * sizeof(double) + 127) / 64 * 64);

	if (p != NULL)
		memset(p, 0, n_doubles * sizeof(double));
	return p;
}

int corr_new(uint32_t n_max, uint32_t window_max, struct corr **out)
{
	struct corr *c = calloc(1, sizeof(*c));
	size_t rows;

	if (c == NULL)
		return err_set(-ENOMEM, "out of memory for correlations");
	c->n_max = n_max;
	c->window_max = window_max;
	c->stride = ((size_t)window_max + 7) & ~(size_t)7;
	c->isa = gram_isa_best();
	rows = n_max * c->stride;
	c->input = aligned(rows);
	c->z = aligned(rows);
	c->mask = aligned(rows);
	c->scratch = aligned(gram_scratch_len(n_max, window_max));
	c->weight = aligned(window_max);
	c->scale = aligned(n_max);
	c->rank = calloc(window_max + 1, sizeof(*c->rank));
	c->column = calloc(window_max + 1, sizeof(*c->column));
	c->present = calloc(window_max + 1, sizeof(*c->present));
	c->row = calloc(n_max + 1, sizeof(*c->row));
	c->n_obs = calloc(n_max + 1, sizeof(*c->n_obs));
	c->bad = calloc(n_max + 1, sizeof(*c->bad));
	c->fate = calloc(n_max + 1, sizeof(*c->fate));
	c->holed = calloc(n_max + 1, sizeof(*c->holed));
	if (!c->input || !c->z || !c->mask || !c->scratch || !c->weight || !c->scale ||
	    !c->rank || !c->column || !c->present || !c->row || !c->n_obs || !c->bad ||
	    !c->fate || !c->holed) {
		corr_free(c);
		return err_set(-ENOMEM,
			       "out of memory for correlations of %u symbols over "
			       "%u bars",
			       n_max, window_max);
	}
	*out = c;
	return 0;
}

void corr_free(struct corr *c)
{
	if (c == NULL)
		return;
	free(c->input);
	free(c->z);
	free(c->mask);
	free(c->scratch);
	free(c->weight);
	free(c->scale);
	free(c->rank);
	free(c->column);
	free(c->present);
	free(c->row);
	free(c->n_obs);
	free(c->bad);
	free(c->fate);
	free(c->holed);
	free(c);
}

void corr_force_isa(struct corr *c, enum gram_isa isa)
{
	assert(gram_isa_has(isa));
	c->isa = isa;
}

double *corr_row(struct corr *c, uint32_t i)
{
	assert(i < c->n_max);
	return c->input + i * c->stride;
}
