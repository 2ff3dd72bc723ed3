/*
 * polygon_stream - Polygon's stream of stocks.
 *
 *	OPEN ──connected──> AUTH ──auth_success──> SUBSCRIBING ──"success" for each
 *	item──> LIVE
 *
 * Every subscribed item ("T.AAPL") is confirmed by a status of its own, between data.
 * LULD events name their symbol T, AM events have an average size under z: neither is
 * used here.  There are no cancels and no halts in this stream.
 */
#include "base/err.h"
#include "feeds/polygon.h"
#include "feeds/polygon_ticks.h"
#include "feeds/stream_parts.h"
#include <errno.h>
#include <string.h>

static void send_auth(struct stream *st, struct buf *out)
{
	buf_printf(out, "{\"action\":\"auth\",\"params\":");
	stream_add_key(out, st->key);
	buf_add(out, "}", 2);
	st->state = STREAM_AUTH;
}

static void item(struct buf *out, const char *kind, const char *symbol, bool is_first)
{
	buf_printf(out, "%s%s.%.*s", is_first ? "" : ",", kind, SYMBOL_MAX, symbol);
}

static void send_subscriptions(struct stream *st, struct buf *out)
{
	size_t i = 0;

	while (i < st->n_symbols) {
		size_t from = out->len, first = i;

		buf_printf(out, "{\"action\":\"subscribe\",\"params\":\"");
		for (; i < st->n_symbols && out->len - from < STREAM_PIECE_MAX; i++) {
			if (st->trades)
				item(out, "T", st->symbols[i], i == first);
			if (st->quotes)
				item(out, "Q", st->symbols[i],
				     i == first && !st->trades);
			st->unconfirmed += st->trades + st->quotes;
		}
		buf_add(out, "\"}", 3);
	}
	st->state = STREAM_SUBSCRIBING;
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* An item that is not granted is answered as well: the session goes on without. */
static int on_refusal(struct stream *st, const char *message)
{
	if (strcasestr(message, "authorized") || strcasestr(message, "plan") ||
	    strcasestr(message, "access"))
		return stream_end(st, VENDOR_FORBIDDEN, message);
	stream_bad(st, message);
	if (st->state == STREAM_SUBSCRIBING)
		stream_confirmed(st);
	return 0;
}

static int on_status(struct stream *st, struct json_walk *w, struct buf *out)
{
	char status[32], message[160];

	stream_peek(w, "status", status, sizeof(status));
	stream_peek(w, "message", message, sizeof(message));
	json_walk_skip(w);
	if (is(status, "auth_failed"))
		return stream_end(st, VENDOR_AUTH, message);
	if (is(status, "auth_timeout") || is(status, "max_connections") ||
	    is(status, "force_disconnect"))
		return stream_end(st, VENDOR_RETRY, message);
	if (is(status, "not_authorized"))
		return stream_end(st, VENDOR_FORBIDDEN, message);
	if (is(status, "error"))
		return on_refusal(st, message);

	if (st->state == STREAM_OPEN && is(status, "connected"))
		send_auth(st, out);
	else if (st->state == STREAM_AUTH && is(status, "auth_success"))
		send_subscriptions(st, out);
	else if (st->state == STREAM_SUBSCRIBING && is(status, "success"))
		stream_confirmed(st);
	else
		st->counts.ignored++;
	return 0;
}

static int on_data(struct stream *st, struct json_walk *w, bool is_trade)
{
	struct polygon_raw raw;
	struct feed_tick t;
	bool is_tick;

	polygon_raw_stream(w, &raw);
	if (w->why)
		return 0;
	is_tick = is_trade ? st->trades && polygon_trade(&raw, st->newyork, &t)
			   : st->quotes && polygon_quote(&raw, true, &t);
	if (is_tick)
		return stream_tick(st, raw.symbol, &t);
	st->counts.ignored++;
	return 0;
}

static int event(struct stream *st, struct json_walk *w, struct buf *out)
{
	char kind[16];

	stream_peek(w, "ev", kind, sizeof(kind));
	if (is(kind, "status"))
		return on_status(st, w, out);
	if (st->state < STREAM_SUBSCRIBING) {
		json_walk_fail(w, "it comes before we are authenticated");
		return 0;
	}
	if (is(kind, "T") || is(kind, "Q"))
		return on_data(st, w, kind[0] == 'T');
	st->counts.ignored++;
	json_walk_skip(w);
	return 0;
}

static int open_session(const struct vendor_settings *s, const struct stream_want *w,
			const struct stream_sink *sink, struct stream **out)
{
	int rc;

	if (w->news)
		return err_set(-EINVAL,
			       "Polygon has no stream of news: ask for them in "
			       "history");
	for (size_t i = 0; i < w->n_symbols; i++)
		if (!polygon_is_stock(w->symbols[i]))
			return err_set(-EINVAL,
				       "%.32s is no stock: Polygon's stream of stocks "
				       "does not have it",
				       w->symbols[i]);
	rc = stream_new(&polygon_stream_ops, s, w, sink, out);
	if (rc == 0)
		(*out)->event = event;
	return rc;
}

const struct stream_ops polygon_stream_ops = {
	.name = "polygon",
	.is_websocket = true,
	.path = NULL, /* /stocks, live or delayed: part of the stream's URL */
	.open = open_session,
	.close = stream_close,
	.input = stream_input,
	.state = stream_state_of,
	.problem = stream_problem,
	.counts = stream_counts_of,
};
