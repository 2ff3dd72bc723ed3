/*
 * corr_parts - what the files of corr share; nobody else includes it.
 *
 * corr_choose.c says which rows and columns take part, corr_method.c what each method
 * does with them, corr_pair.c handles rows with holes, corr.c runs the whole.
 */
#pragma once
#include "workers/corr.h"
#include <math.h>

struct ranked {
	double value;
	uint32_t at;
};

struct corr {
	uint32_t n_max, window_max;
	size_t stride; /* window_max, rounded up to 8 */
	enum gram_isa isa;
	double *input;   /* owned: n_max rows as they were given */
	double *z;       /* owned: kept rows, prepared, columns compressed */
	double *mask;    /* owned: 1 where z has a value; used when there are holes */
	double *scratch; /* owned: gram's */
	double *weight;  /* owned: per column */
	double *scale;   /* owned: per kept row */
	struct ranked *rank; /* owned: one row */
	uint32_t *column;    /* owned: the input columns used, ascending */
	uint32_t *present;   /* owned: per column: kept rows that have it */
	uint32_t *row;       /* owned: the input row of each kept row */
	uint32_t *n_obs;     /* owned: per input row */
	uint32_t *bad;       /* owned: per kept row: pairs without a coefficient */
	uint8_t *fate;       /* owned: per input row */
	bool *holed;         /* owned: per kept row */
	uint32_t n, window;  /* kept rows, used columns */
	bool complete;
	double shrinkage;
};

/** One method: a row of the table in corr_method.c. */
struct corr_method_entry {
	const char *name;
	bool listwise; /* use only columns that every row has */
	bool centre;   /* pairs with holes are centred on their common bars */
	/* False: what is left of the row has no variance that a double can hold. */
	bool (*prepare)(struct corr *c, uint32_t i);
	void (*finish)(struct corr *c, double *tri); /* NULL: the products are it */
};

/** Input of kept row @i in used column @k. */
static inline double corr_at(const struct corr *c, uint32_t i, uint32_t k)
{
	return c->input[c->row[i] * c->stride + c->column[k]];
}

static inline double corr_clamp(double r)
{
	r = r > 1.0 ? 1.0 : r;
	return r < -1.0 ? -1.0 : r;
}

const struct corr_method_entry *corr_method_entry(enum corr_method m);
/** Fill row[], column[], fate[], n_obs[] and complete; set n and window. */
void corr_choose(struct corr *c, bool listwise, uint32_t n, uint32_t window,
		 uint32_t min_obs);
/** Prepare the chosen rows; one that turns out to have no variance is left out. */
void corr_prepare(struct corr *c, const struct corr_method_entry *m,
		  const struct corr_spec *spec, uint32_t window);
/** Do every pair again of which a row has holes; leave out what has no coefficient. */
void corr_fill_pairs(struct corr *c, bool centre, uint32_t min_obs, double *tri);
