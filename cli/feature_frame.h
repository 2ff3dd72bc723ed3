/*
 * feature_frame - a row of features per symbol, aligned: the same columns for all.
 *
 * Rows stand in the order in which symbols were added, whatever thread computed them.
 * A symbol without features (no values, one that is not finite) has NaN everywhere and
 * a reason; it never hinders another.  One that has a reason already is not computed.
 */
#pragma once
#include "analysis/tsf.h"
#include "base/err.h"
#include "proto/symbol.h"
#include <stdbool.h>
#include <stdio.h>

#define FEATURE_SYMBOLS_MAX 20000
#define FEATURE_THREADS_MAX 64

struct feature_row {
	char symbol[SYMBOL_MAX + 1];
	char reason[ERR_TEXT_MAX]; /* "": it has features */
	double *x;                 /* owned; a ring once it is full */
	size_t n, room;
	size_t keep, first; /* as many are kept; the oldest of them */
};

/** Who wants to know where the work is.  Any thread. */
struct feature_watch {
	/** Somebody is at row @i: reads its series, or computes it. */
	void (*begin)(void *arg, size_t i);
	/** No longer, and somebody comes back to it. */
	void (*leave)(void *arg, size_t i);
	/** It is made. */
	void (*made)(void *arg, size_t i, const char *reason);
	void *arg;
};

struct feature_frame {
	enum tsf_set set;
	enum tsf_flavour flavour;
	size_t window;            /* newest values that count, set before rows are;
				     a row keeps one more, for returns */
	struct feature_row *rows; /* owned */
	size_t n, room;
	const struct feature_watch *watch; /* borrowed; NULL: nobody wants to know */
	double *values;                    /* owned; n rows of tsf_count(set), after
					    * feature_frame_compute()
					    */
};

void feature_frame_free(struct feature_frame *f);
/** Row of @symbol, added (at the end) when @add; NULL with err_set(): there is none, or
 * no room.  Valid until the next one is added. */
struct feature_row *feature_frame_row(struct feature_frame *f, const char *symbol,
				      bool add);
/** Append a value, NaN for a missing one; it takes the place of the oldest when there
 * are as many as count.  -ENOMEM. */
int feature_frame_push(struct feature_row *row, double v);
/** Logarithmic returns in place of prices: one value fewer, NaN where there is none. */
void feature_frame_returns(struct feature_frame *f);
/** Compute every row on @threads threads (1..FEATURE_THREADS_MAX); -ENOMEM. */
int feature_frame_compute(struct feature_frame *f, unsigned threads);
/**
 * Per column, over the rows that have features: NaN becomes the median of what is
 * finite, infinities the largest and the smallest; without anything finite all is 0.
 */
int feature_frame_impute(struct feature_frame *f);
/** Symbol column first; NaN is an empty field, and null in JSON (an object a line). */
void feature_frame_csv(const struct feature_frame *f, FILE *out);
void feature_frame_json(const struct feature_frame *f, FILE *out);
