/*
 * kinds - what the archive keeps: of each kind its folder, its columns, and what makes
 * two rows the same one.
 *
 *	equities_1min/symbol=X/year=Y/month=MM          bars
 *	ticks/symbol=X/year=Y/month=MM/day=DD           ticks
 *	features_1min/symbol=X/year=Y/month=MM          tier-1 vectors
 *	matrices_1min/universe=U/year=Y/month=MM/day=DD tier-2 matrices, a row per cell
 *	news/symbol=X/year=Y/month=MM                   articles with their sentiment
 *
 * The time of a path is UTC: of bars and features that of bar_start, of the
 * others that of their timestamp.  To add a column, add a line at the end of its list
 * and raise the kind's version: files of older versions are read with NULL there.
 */
#pragma once
#include "proto/event.h"
#include <stdbool.h>
#include <stddef.h>

enum kinds {
	KIND_BARS = 0,
	KIND_TICKS,
	KIND_FEATURES,
	KIND_MATRICES,
	KIND_NEWS,
	KINDS
};

struct kind_column {
	const char *name;
	const char *type; /* TIMESTAMP_NS, BIGINT, INTEGER, BOOLEAN, DOUBLE, VARCHAR */
};

struct kind {
	const char *name;
	const char *folder; /* with a timeframe behind it when has_step */
	const char *by;     /* the name in the path: symbol or universe */
	bool has_step;
	bool is_daily;      /* a file per day, else per month */
	uint64_t version;   /* of the columns */
	const char *time;   /* the column whose range a manifest tells */
	const char *key;    /* columns: rows that agree there are one; the order, too */
	bool is_once;       /* no row is ever another word about one before it */
	const char *newest; /* condition of a view (SQL's QUALIFY): the newest word */
	const struct kind_column *columns;
	size_t n_columns;
};

extern const struct kind kinds_table[KINDS];

/** By name; KINDS when there is none. */
enum kinds kinds_parse(const char *name);
/** How a column is staged (duck_bulk_open()): i, d or t. */
char kinds_letter(const struct kind_column *c);

#define KINDS_COLUMNS_MAX 128

/*
 * The columns of bars: the first eight and the three of the path (symbol, year, month)
 * are the origin's eleven.
 */
#define KINDS_BAR_COLUMNS(X)                                                           \
	X(timestamp, "TIMESTAMP_NS")                                                   \
	X(open, "DOUBLE")                                                              \
	X(high, "DOUBLE")                                                              \
	X(low, "DOUBLE")                                                               \
	X(close, "DOUBLE")                                                             \
	X(volume, "DOUBLE")                                                            \
	X(trade_count, "DOUBLE")                                                       \
	X(vwap, "DOUBLE")                                                              \
	X(bar_start, "TIMESTAMP_NS")                                                   \
	X(revision, "INTEGER")                                                         \
	X(final, "BOOLEAN")                                                            \
	X(state, "VARCHAR")                                                            \
	X(source, "VARCHAR")                                                           \
	X(feed, "VARCHAR")                                                             \
	X(adjust, "VARCHAR")                                                           \
	X(price_type, "VARCHAR")                                                       \
	X(log_return_1, "DOUBLE")                                                      \
	X(spread_estimate, "DOUBLE")                                                   \
	X(is_missing, "BOOLEAN")                                                       \
	X(is_outlier, "BOOLEAN")                                                       \
	X(valid_bar, "BOOLEAN")                                                        \
	X(spread_method, "VARCHAR")                                                    \
	X(outlier_reason, "INTEGER")

/* A bar of one of these is another bar, not another word about the same. */
#define KINDS_MAKER "source, feed, adjust, price_type"
