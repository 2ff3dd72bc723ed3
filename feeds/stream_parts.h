/*
 * stream_parts - what the JSON sessions are made of: Alpaca's and Polygon's are states
 * and words of their own around this.
 *
 * A message is an array of events.  It is checked as a whole before any of it is
 * delivered; then an event that cannot be understood is reported and left out, the
 * others are delivered.
 */
#pragma once
#include "base/tz.h"
#include "feeds/stream.h"
#include "proto/json_walk.h"

/** Bytes of one subscribe message, roughly: a vendor's server may have limits. */
#define STREAM_PIECE_MAX 8192

struct stream {
	const struct stream_ops *ops;
	struct stream_sink sink;
	struct stream_counts counts;
	struct vendor_problem problem;
	enum stream_state state;
	const struct secret *key;        /* borrowed */
	const struct secret *key_secret; /* borrowed */
	bool trades, quotes, news;
	char (*symbols)[SYMBOL_MAX]; /* owned; sorted, NUL padded */
	size_t n_symbols;
	struct tz *newyork;   /* owned */
	unsigned unconfirmed; /* answers to subscriptions that have not come yet */
	/** One event, its object next in @w; 0 or what a sink returned. */
	int (*event)(struct stream *st, struct json_walk *w, struct buf *out);
};

/** Make @st, zeroed, a session that waits for the vendor's first word; -EINVAL for what
    no stream has.  stream_deinit() it also then.  For sessions with more of their own.
 */
int stream_init(struct stream *st, const struct stream_ops *ops,
		const struct vendor_settings *s, const struct stream_want *w,
		const struct stream_sink *sink);
void stream_deinit(struct stream *st);
/** The same on the heap. */
int stream_new(const struct stream_ops *ops, const struct vendor_settings *s,
	       const struct stream_want *w, const struct stream_sink *sink,
	       struct stream **out);
/** The functions of a stream_ops that are the same for all. */
void stream_close(struct stream *st);
int stream_input(struct stream *st, const char *data, size_t len, struct buf *out);
enum stream_state stream_state_of(const struct stream *st);
void stream_problem(const struct stream *st, struct vendor_problem *out);
void stream_counts_of(const struct stream *st, struct stream_counts *out);

/** The text of one short member of the object that comes next, which is not entered;
    "" when it has none. */
void stream_peek(const struct json_walk *w, const char *name, char *out, size_t cap);
bool stream_wants(const struct stream *st, const char *symbol);
/** Deliver a tick of @symbol, or count it as ignored if nobody asked for it. */
int stream_tick(struct stream *st, const char *symbol, struct feed_tick *t);
/** The session is over: problem() will say @verdict and "VENDOR: WHY". */
int stream_end(struct stream *st, enum vendor_verdict verdict, const char *why);
/** Report an event. */
void stream_bad(struct stream *st, const char *why);
/** One answer to a subscription: when all have come, the session is live. */
void stream_confirmed(struct stream *st);
/** A JSON string of a key, quotes included; what was borrowed on the way is wiped. */
void stream_add_key(struct buf *out, const struct secret *key);
