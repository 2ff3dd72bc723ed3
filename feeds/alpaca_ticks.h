/*
 * alpaca_ticks - Alpaca's trades, quotes and their amendments, which look the same in
 * its history and in its stream.
 *
 *	t q	trade, quote            {t x p s c i z u}  {t bx bp bs ax ap as c z}
 *	x	a trade is void         {i x p s a t z}
 *	c	a trade is corrected    {x oi op os oc ci cp cs cc t z}
 *	s	trading is halted, or goes on   {sc sm rc rm t z}
 *
 * In the stream each has T (its kind) and S (its symbol) as well.  Pure.
 */
#pragma once
#include "base/tz.h"
#include "feeds/feed.h"
#include "proto/json_walk.h"

#define ALPACA_CONDS_MAX 16

/** One object as it stands there; what is absent is VALUE_NULL, 0 or "". */
struct alpaca_raw {
	char symbol[SYMBOL_MAX + 1];
	int64_t time_ns;
	int64_t price_e9;
	int64_t size_e8;
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t bid_size_e8; /* as written: round lots or shares */
	int64_t ask_size_e8;
	uint64_t id; /* of a correction: of the new trade */
	uint64_t old_id;
	bool has_id, has_old_id;
	char venue;
	char tape;
	char update[16]; /* u: "canceled", "corrected", "incorrect" */
	char status[8];  /* sc */
	char cond[ALPACA_CONDS_MAX];
	unsigned n_cond;
};

struct alpaca_how {
	const struct tz *newyork; /* for Form T; borrowed */
	bool is_crypto;           /* sizes are of coins: fractions, and never lots */
};

/** Read the object that comes next; what is wrong stops the walk. */
void alpaca_raw_read(struct json_walk *w, const struct alpaca_how *how,
		     struct alpaca_raw *out);

/**
 * Make ticks of it; @t has everything but the symbol afterwards.  False: there is
 * nothing in it (no price; a quote without bid and ask; a status that says nothing
 * about trading; an amendment without the id of its trade).
 */
bool alpaca_trade(const struct alpaca_raw *raw, const struct alpaca_how *how,
		  struct feed_tick *t);
bool alpaca_quote(const struct alpaca_raw *raw, const struct alpaca_how *how,
		  struct feed_tick *t);
/** Also of a trade of the past that is marked as canceled or incorrect. */
bool alpaca_cancel(const struct alpaca_raw *raw, struct feed_tick *t);
bool alpaca_correction(const struct alpaca_raw *raw, const struct alpaca_how *how,
		       struct feed_tick *t);
bool alpaca_status(const struct alpaca_raw *raw, struct feed_tick *t);
/** A trade of the past was withdrawn later; "corrected" is the valid replacement. */
bool alpaca_is_void(const struct alpaca_raw *raw);
