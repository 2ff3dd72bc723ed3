/*
 * event_json - one event as one line of JSON, without the line's end.
 *
 * Prices and sizes are JSON numbers printed exactly from their integers, or
 * null; doubles print so that they read back the same, or null; times are RFC
 * 3339 in UTC with nanoseconds.  Positions, sequences and ids are numbers
 * below 2^53 in any life we foresee; hashes are strings of 16 hex digits.  A bar begins
 * with the fifteen columns of its canonical record.
 */
#pragma once
#include "base/buf.h"
#include "proto/event.h"
#include "proto/frame.h"

/** What the frame knows and the event does not. */
struct event_json_ctx {
	uint64_t epoch;
	int64_t publish_ns;
	const char *source; /* name of a tick's, article's or status' source; NULL:
			       print the id */
};

/** Room that any line but a matrix fits in. */
#define EVENT_JSON_MAX 8192

/** Each returns the length; @buf has EVENT_JSON_MAX bytes; no NUL is written. */
size_t event_json_tick(char *buf, const struct event_tick *e,
		       const struct event_json_ctx *ctx);
size_t event_json_bar(char *buf, const struct event_bar *e,
		      const struct event_json_ctx *ctx);
size_t event_json_tier1(char *buf, const struct event_tier1 *e,
			const struct event_json_ctx *ctx);
size_t event_json_status(char *buf, const struct event_status *e,
			 const struct event_json_ctx *ctx);
size_t event_json_news(char *buf, const struct event_news *e,
		       const struct event_json_ctx *ctx);
size_t event_json_heartbeat(char *buf, const struct frame_heartbeat *hb,
			    enum event_kind kind, const struct event_json_ctx *ctx);
/** A matrix: the event with @members and @triangle; appended to @out. */
void event_json_tier2(struct buf *out, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      const struct event_json_ctx *ctx);
/** The object {"rsi(14)":51.2,"bbands(20,2)":{"upper":...}} of a block of indicators.
 */
void event_indicators_json(struct buf *out, const struct event_tier1 *e);
/** Any fixed-size event by kind (tick, bar, tier1, news, status); 0 for other kinds. */
size_t event_json_any(char *buf, enum event_kind kind, const void *event,
		      const struct event_json_ctx *ctx);
