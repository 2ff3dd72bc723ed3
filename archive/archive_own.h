/* archive_own - what the files of the archive share with each other alone. */
#pragma once
#include "archive/archive.h"

struct part; /* of a put */

struct archive {
	char *dir;
	char *tmp; /* our place in .tmp */
	int tmp_fd;
	int lock; /* -1: we only read */
	bool is_writer;
	uint64_t memory_bytes;
	unsigned threads;
	uint64_t made; /* names in tmp */
	struct duck *writer;
	struct duck *reader;
	struct past *past;
	struct duck_bulk *bulk; /* open while rows are staged */
	struct part *parts;
	size_t n_parts;
	size_t at_part; /* of the row before */
	uint64_t staged;
};

/*
 * The columns of a file: name, type, and its value of a staged row.  The first eight
 * and the three of the path (symbol, year, month) are the origin's eleven.  To add one,
 * add a line at the end and raise LAYOUT_SCHEMA_VERSION.
 */
#define ARCHIVE_COLUMNS(X)                                                             \
	X(timestamp, "TIMESTAMP_NS", "make_timestamp_ns(bar_end)")                     \
	X(open, "DOUBLE", "open")                                                      \
	X(high, "DOUBLE", "high")                                                      \
	X(low, "DOUBLE", "low")                                                        \
	X(close, "DOUBLE", "close")                                                    \
	X(volume, "DOUBLE", "volume")                                                  \
	X(trade_count, "DOUBLE", "trade_count")                                        \
	X(vwap, "DOUBLE", "vwap")                                                      \
	X(bar_start, "TIMESTAMP_NS", "make_timestamp_ns(start)")                       \
	X(revision, "INTEGER", "revision::INTEGER")                                    \
	X(final, "BOOLEAN", "final::BOOLEAN")                                          \
	X(state, "VARCHAR", "state")                                                   \
	X(source, "VARCHAR", "source")                                                 \
	X(feed, "VARCHAR", "feed")                                                     \
	X(adjust, "VARCHAR", "adjust")                                                 \
	X(price_type, "VARCHAR", "price_type")                                         \
	X(log_return_1, "DOUBLE", "log_return_1")                                      \
	X(spread_estimate, "DOUBLE", "spread_estimate")                                \
	X(is_missing, "BOOLEAN", "is_missing::BOOLEAN")                                \
	X(is_outlier, "BOOLEAN", "is_outlier::BOOLEAN")                                \
	X(valid_bar, "BOOLEAN", "valid_bar::BOOLEAN")                                  \
	X(spread_method, "VARCHAR", "spread_method")                                   \
	X(outlier_reason, "INTEGER", "outlier_reason::INTEGER")

/* A bar of one of these is another bar, not another word about the same. */
#define ARCHIVE_MAKER "source, feed, adjust, price_type"
