/*
 * tsf - the features of a series that tsfresh computes, under the names it prints.
 *
 * A set is a list of features in a stable order, that of tsfresh's settings:
 *
 *	minimal        10    level, spread, length: also bar by bar (ind_features.c)
 *	efficient      777   all that costs about n log n
 *	comprehensive  783   and the entropies that cost n squared
 *
 * Definitions are those of tsfresh's documentation (docs/FEATURES.md has the list and
 * what is peculiar).  Flavour `tsfresh` reproduces its quirks; `plain` computes what
 * the name says.  A feature that a series is too short or too flat for is NaN.
 *
 * Pure: no I/O, no clock, and sums in a fixed order, so that the same series is the
 * same features to the last bit.  One scratch per thread; nothing is allocated but by
 * tsf_scratch_new().
 */
#pragma once
#include <stddef.h>

enum tsf_set { TSF_MINIMAL, TSF_EFFICIENT, TSF_COMPREHENSIVE };
enum tsf_flavour { TSF_TSFRESH, TSF_PLAIN };

#define TSF_MINIMAL_COUNT       10
#define TSF_EFFICIENT_COUNT     777
#define TSF_COMPREHENSIVE_COUNT 783
#define TSF_NAME_MAX            128 /* with its NUL */
#define TSF_LENGTH_MAX          (1u << 17)

struct tsf_scratch;

/** Room for series of up to @n_max values (1..TSF_LENGTH_MAX): -EINVAL, -ENOMEM. */
int tsf_scratch_new(size_t n_max, struct tsf_scratch **out);
void tsf_scratch_free(struct tsf_scratch *s);

/**
 * Compute the features of @x[0..n) into @out[0..tsf_count(set)).
 *
 * -EINVAL, and @out untouched, when @n is 0 or above the scratch's room, or when a
 * value is not finite (tsfresh refuses such a series too).
 */
int tsf_extract(struct tsf_scratch *s, const double *x, size_t n, enum tsf_set set,
		enum tsf_flavour flavour, double *out);

size_t tsf_count(enum tsf_set set);
/** Name of feature @i of a set without its kind ("mean"); "" beyond the end. */
void tsf_name(enum tsf_set set, size_t i, char name[TSF_NAME_MAX]);
/** The set and the flavour of a word; -EINVAL names the words there are. */
int tsf_set_parse(const char *text, enum tsf_set *out);
int tsf_flavour_parse(const char *text, enum tsf_flavour *out);
