/* ind - see ind.h: stretches without NULL go to the entry's run(). */
#include "analysis/ind.h"
#include "analysis/ind_parts.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOGETHER 700 /* bars: whole blocks of the usual windows */

struct ind {
	struct ind_spec spec;
	size_t bytes;
	double state[];
};

uint32_t ind_lookback(const struct ind_spec *s)
{
	return s->def->lookback(s);
}

size_t ind_state_bytes(const struct ind_spec *s)
{
	return s->def->words(s) * sizeof(double);
}

int ind_new(const struct ind_spec *s, struct ind **out)
{
	size_t bytes = ind_state_bytes(s);
	struct ind *i = calloc(1, sizeof(*i) + bytes);

	if (i == NULL)
		return err_set(-ENOMEM, "no memory for the indicator %s: %zu bytes",
			       s->def->name, bytes);
	i->spec = *s;
	i->bytes = bytes;
	*out = i;
	return 0;
}

void ind_free(struct ind *i)
{
	free(i);
}

void ind_save(const struct ind *i, void *out)
{
	memcpy(out, i->state, i->bytes);
}

void ind_load(struct ind *i, const void *state)
{
	memcpy(i->state, state, i->bytes);
}

/* The columns that the indicator reads; returns how many. */
static size_t read_columns(const struct ind_spec *s, const struct ind_columns *in,
			   const double *read[6])
{
	const double *const all[] = {in->open,  in->high,   in->low,
				     in->close, in->volume, in->spread};
	size_t n = 0;

	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		if (s->def->inputs & (1u << k))
			read[n++] = all[k];
	return n;
}

/* Is every one of x[0..n) a number?  x - x is 0 for a number and NaN for what is none.
 */
static bool are_numbers(const double *x, size_t n)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		double zero = x[i] - x[i];
		uint64_t word;

		memcpy(&word, &zero, sizeof(word));
		bits |= word;
	}
	return bits == 0;
}

static bool are_whole(const double *const *read, size_t n_read, size_t from, size_t to)
{
	for (size_t k = 0; k < n_read; k++)
		if (!are_numbers(read[k] + from, to - from))
			return false;
	return true;
}

/* Bars [from, to), some of which hold a NULL: one by one. */
static void run_holed(struct ind *i, struct ind_stretch *r, const double *const *read,
		      size_t n_read, size_t to)
{
	for (size_t at = r->from; at < to; at++) {
		r->from = at;
		r->to = at + 1;
		if (are_whole(read, n_read, at, at + 1))
			i->spec.def->run(&i->spec, i->state, r);
		else
			for (size_t k = 0; k < i->spec.def->n_outputs; k++)
				r->out[k][at] = NAN;
	}
}

/* A column is looked at, and then run over while it is in the nearest cache. */
void ind_run(struct ind *i, const struct ind_columns *in, size_t n, double *const *out)
{
	const double *read[6];
	size_t n_read = read_columns(&i->spec, in, read);

	for (size_t at = 0; at < n; at += TOGETHER) {
		size_t to = n - at < TOGETHER ? n : at + TOGETHER;
		struct ind_stretch r = {.in = in, .out = out, .from = at, .to = to};

		if (are_whole(read, n_read, at, to))
			i->spec.def->run(&i->spec, i->state, &r);
		else
			run_holed(i, &r, read, n_read, to);
	}
}

void ind_step(struct ind *i, const struct ind_bar *bar, double *out)
{
	const struct ind_columns in = {&bar->open,   &bar->high,   &bar->low,
				       &bar->close,  &bar->volume, &bar->spread,
				       &bar->time_ns};
	double *outs[IND_OUTPUTS_MAX];

	for (size_t k = 0; k < i->spec.def->n_outputs; k++)
		outs[k] = out + k;
	ind_run(i, &in, 1, outs);
}

int ind_batch(const struct ind_spec *s, const struct ind_columns *in, size_t n,
	      double *const *out)
{
	struct ind *i;
	int rc = ind_new(s, &i);

	if (rc < 0)
		return rc;
	ind_run(i, in, n, out);
	ind_free(i);
	return 0;
}
