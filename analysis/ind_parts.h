/*
 * ind_parts - what the files of the registry share; nobody else includes it.
 *
 * An indicator's run() keeps its state in a struct of 8-byte members, behind which its
 * windows lie.  It copies the struct to the stack, so that the compiler may keep it in
 * registers, takes the bars of the stretch, and writes it back.
 */
#pragma once
#include "analysis/ind.h"
#include <math.h>

/** Bars [from, to) of the columns, none of which holds a NULL. */
struct ind_stretch {
	const struct ind_columns *in;
	double *const *out;
	size_t from, to;
};

#define IND_WORDS(type) (sizeof(type) / sizeof(double))

static inline uint32_t ind_whole(const struct ind_spec *s, size_t param)
{
	return (uint32_t)s->param[param];
}

/** What is behind a struct of state: its windows. */
static inline double *ind_behind(void *state, size_t words)
{
	return (double *)state + words;
}

static inline double ind_typical(const struct ind_columns *c, size_t i)
{
	return (c->high[i] + c->low[i] + c->close[i]) / 3.0;
}

extern const struct ind_def ind_averages[], ind_ranges[], ind_places[], ind_volumes[],
	ind_spreads[], ind_features[];
extern const size_t ind_averages_n, ind_ranges_n, ind_places_n, ind_volumes_n,
	ind_spreads_n, ind_features_n;
