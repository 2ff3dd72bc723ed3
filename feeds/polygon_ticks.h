/*
 * polygon_ticks - Polygon's trades and quotes: under long names in its history, under
 * short ones in its stream, the same underneath.
 *
 * The time of both is the consolidated tape's (sip_timestamp): the stream has no other,
 * in milliseconds.  Quotes count round lots.  Pure.
 */
#pragma once
#include "base/tz.h"
#include "feeds/feed.h"
#include "proto/json_walk.h"
#include <stdbool.h>

#define POLYGON_CONDS_MAX 16

/** What stands in one object; absent: VALUE_NULL, 0 or "". */
struct polygon_raw {
	char symbol[SYMBOL_MAX + 1];
	int64_t time_ns;
	int64_t price_e9;
	int64_t size_e8;
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t bid_size_e8; /* as written */
	int64_t ask_size_e8;
	char id[64];
	uint64_t sequence; /* per symbol and day */
	uint64_t venue;
	uint64_t trf;
	uint64_t tape;
	uint64_t correction;
	uint64_t cond[POLYGON_CONDS_MAX];
	unsigned n_cond;
};

/** The object that comes next, with the names of the history ... */
void polygon_raw_history(struct json_walk *w, struct polygon_raw *out);
/** ... or with those of the stream's events T and Q. */
void polygon_raw_stream(struct json_walk *w, struct polygon_raw *out);

/** Ticks of it, all but the symbol; false: there is no price in it. */
bool polygon_trade(const struct polygon_raw *raw, const struct tz *newyork,
		   struct feed_tick *t);
/** @in_lots: sizes are of a stock. */
bool polygon_quote(const struct polygon_raw *raw, bool in_lots, struct feed_tick *t);
/** The trade was withdrawn later; then its cancel in @t. */
bool polygon_void(const struct polygon_raw *raw, struct feed_tick *t);
/** A line of the tape's own bookkeeping: no trade. */
bool polygon_is_note(const struct polygon_raw *raw);
