/*
 * alpaca_stream - Alpaca's stream (v2 for stocks, v1beta1 for news), JSON.
 *
 *	OPEN ──"connected"──> AUTH ──"authenticated"──> SUBSCRIBING ──lists──> LIVE
 *	  |                     |                           |                    |
 *	  └────────────── an error that ends it ────────────┴────────────────────┘──>
 *ENDED
 *
 * Trades bring their cancels (x) and corrections (c) with them.  Halts come on a
 * channel of their own that is asked for together with trades.
 */
#include "base/err.h"
#include "feeds/alpaca.h"
#include "feeds/alpaca_ticks.h"
#include "feeds/stream_parts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int ends(struct stream *st, uint64_t code, const char *msg)
{
	static const struct {
		uint64_t code;
		enum vendor_verdict verdict;
		const char *advice;
	} known[] = {
		{400, VENDOR_REFUSED, ""},
		{401, VENDOR_AUTH, ""},
		{402, VENDOR_AUTH, ": the key or its secret is wrong"},
		{404, VENDOR_RETRY, ""},
		{405, VENDOR_REFUSED, ": ask for fewer symbols, or get a larger plan"},
		{406, VENDOR_RETRY, ": another connection with this key is open"},
		{407, VENDOR_RETRY, ": we read too slowly"},
		{409, VENDOR_FORBIDDEN, ": the plan does not cover this feed"},
		{410, VENDOR_REFUSED, ""},
		{411, VENDOR_FORBIDDEN, ""},
		{500, VENDOR_RETRY, ""},
	};
	enum vendor_verdict verdict = VENDOR_RETRY;
	const char *advice = "";
	char why[VENDOR_WHY_MAX];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code != code)
			continue;
		verdict = known[i].verdict;
		advice = known[i].advice;
	}
	(void)snprintf(why, sizeof(why), "error %llu, %.160s%s",
		       (unsigned long long)code, msg, advice);
	return stream_end(st, verdict, why);
}

static int on_error(struct stream *st, struct json_walk *w)
{
	char msg[160] = "";
	uint64_t code = 0;
	struct json_key k;

	if (json_walk_object(w))
		while (json_walk_key(w, &k)) {
			if (json_walk_is(&k, "code"))
				code = json_walk_u64(w);
			else if (json_walk_is(&k, "msg"))
				json_walk_text(w, msg, sizeof(msg));
			else
				json_walk_skip(w);
		}
	if (w->why)
		return 0;
	if (code != 403)
		return ends(st, code, msg);
	/* We are authenticated already: what we wanted. */
	stream_bad(st, "alpaca: error 403, already authenticated");
	return 0;
}

static void send_auth(struct stream *st, struct buf *out)
{
	buf_printf(out, "{\"action\":\"auth\",\"key\":");
	stream_add_key(out, st->key);
	buf_printf(out, ",\"secret\":");
	stream_add_key(out, st->key_secret);
	buf_add(out, "}", 2);
	st->state = STREAM_AUTH;
}

/* Of news the vendor writes coins without the stroke: BTCUSD. */
static void news_name(const char symbol[SYMBOL_MAX], char out[SYMBOL_MAX + 1])
{
	char ours[SYMBOL_MAX + 1] = {0};

	memcpy(ours, symbol, SYMBOL_MAX);
	alpaca_news_name(ours, out);
}

static void news_channel(struct buf *out, const struct stream *st, size_t from,
			 size_t to)
{
	char name[SYMBOL_MAX + 1];

	buf_printf(out, ",\"news\":[");
	for (size_t i = from; i < to; i++) {
		news_name(st->symbols[i], name);
		buf_printf(out, "%s\"%s\"", i > from ? "," : "", name);
	}
	buf_add(out, "]", 1);
}

static void channel(struct buf *out, const char *name, const struct stream *st,
		    size_t from, size_t to)
{
	buf_printf(out, ",\"%s\":[", name);
	for (size_t i = from; i < to; i++)
		buf_printf(out, "%s\"%.*s\"", i > from ? "," : "", SYMBOL_MAX,
			   st->symbols[i]);
	buf_add(out, "]", 1);
}

/* As many symbols as make a message of a fair size, all channels of each together. */
static void send_subscriptions(struct stream *st, struct buf *out)
{
	size_t channels = 2u * st->trades + st->quotes + st->news;
	size_t from = 0;

	while (from < st->n_symbols) {
		size_t to = from, bytes = 0;

		for (; to < st->n_symbols && bytes < STREAM_PIECE_MAX; to++)
			bytes += channels *
				 (3 + symbol_field_len(st->symbols[to], SYMBOL_MAX));
		buf_printf(out, "{\"action\":\"subscribe\"");
		if (st->trades) {
			channel(out, "trades", st, from, to);
			channel(out, "statuses", st, from, to);
		}
		if (st->quotes)
			channel(out, "quotes", st, from, to);
		if (st->news)
			news_channel(out, st, from, to);
		buf_add(out, "}", 2);
		st->unconfirmed++;
		from = to;
	}
	st->state = STREAM_SUBSCRIBING;
}

static int on_success(struct stream *st, struct json_walk *w, struct buf *out)
{
	char msg[32];

	stream_peek(w, "msg", msg, sizeof(msg));
	json_walk_skip(w);
	if (st->state == STREAM_OPEN && strcmp(msg, "connected") == 0)
		send_auth(st, out);
	else if (st->state == STREAM_AUTH && strcmp(msg, "authenticated") == 0)
		send_subscriptions(st, out);
	else
		st->counts.ignored++;
	return 0;
}

/* How many of the list were asked for. */
static size_t count_wanted(const struct stream *st, struct json_walk *w)
{
	size_t n = 0;

	if (!json_walk_array(w))
		return 0;
	while (json_walk_element(w)) {
		char symbol[SYMBOL_MAX + 2];

		json_walk_text(w, symbol, sizeof(symbol));
		n += stream_wants(st, symbol);
	}
	return n;
}

/* The symbol of ours that news call @name, or SIZE_MAX. */
static size_t find_news(const struct stream *st, const char *name)
{
	char known[SYMBOL_MAX + 1];

	for (size_t i = 0; i < st->n_symbols; i++) {
		news_name(st->symbols[i], known);
		if (strcmp(known, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

static size_t count_news(const struct stream *st, struct json_walk *w)
{
	size_t n = 0;

	if (!json_walk_array(w))
		return 0;
	while (json_walk_element(w)) {
		char name[SYMBOL_MAX + 2];

		json_walk_text(w, name, sizeof(name));
		n += find_news(st, name) != SIZE_MAX;
	}
	return n;
}

/* Always the complete lists so far; the last answer shows whom the vendor left out. */
static int on_subscription(struct stream *st, struct json_walk *w)
{
	size_t trades = 0, quotes = 0, news = 0;
	struct json_key k;

	if (!json_walk_object(w))
		return 0;
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "trades"))
			trades = count_wanted(st, w);
		else if (json_walk_is(&k, "quotes"))
			quotes = count_wanted(st, w);
		else if (json_walk_is(&k, "news"))
			news = count_news(st, w);
		else
			json_walk_skip(w);
	}
	if (w->why || st->state != STREAM_SUBSCRIBING)
		return 0;
	stream_confirmed(st);
	if (st->state == STREAM_LIVE && ((st->trades && trades < st->n_symbols) ||
					 (st->quotes && quotes < st->n_symbols) ||
					 (st->news && news < st->n_symbols)))
		stream_bad(st, "alpaca: the vendor has not taken all symbols");
	return 0;
}

static int on_data(struct stream *st, struct json_walk *w, char kind)
{
	struct alpaca_how how = {.newyork = st->newyork};
	struct alpaca_raw raw;
	struct feed_tick t;
	bool is_tick;

	alpaca_raw_read(w, &how, &raw);
	if (w->why)
		return 0;
	switch (kind) {
	case 't':
		is_tick = st->trades && alpaca_trade(&raw, &how, &t);
		break;
	case 'q':
		is_tick = st->quotes && alpaca_quote(&raw, &how, &t);
		break;
	case 'x':
		is_tick = st->trades && alpaca_cancel(&raw, &t);
		break;
	case 'c':
		is_tick = st->trades && alpaca_correction(&raw, &how, &t);
		break;
	default:
		is_tick = st->trades && alpaca_status(&raw, &t);
	}
	if (is_tick)
		return stream_tick(st, raw.symbol, &t);
	st->counts.ignored++;
	return 0;
}

static int on_article(struct stream *st, struct json_walk *w)
{
	struct hist_article a;

	alpaca_read_article(w, &a);
	if (w->why)
		return 0;
	for (uint32_t i = 0; i < a.n_symbols; i++) {
		char name[SYMBOL_MAX + 1] = {0};
		size_t k;

		memcpy(name, a.symbols[i], SYMBOL_MAX);
		k = find_news(st, name);
		if (k != SIZE_MAX)
			memcpy(a.symbols[i], st->symbols[k], SYMBOL_MAX);
	}
	st->counts.articles++;
	if (st->sink.article)
		st->sink.article(st->sink.arg, &a);
	return 0;
}

static int event(struct stream *st, struct json_walk *w, struct buf *out)
{
	char kind[16];

	stream_peek(w, "T", kind, sizeof(kind));
	if (strcmp(kind, "error") == 0)
		return on_error(st, w);
	if (strcmp(kind, "success") == 0)
		return on_success(st, w, out);
	if (st->state < STREAM_SUBSCRIBING) {
		json_walk_fail(w, "it comes before we are authenticated");
		return 0;
	}
	if (strcmp(kind, "subscription") == 0)
		return on_subscription(st, w);
	if (kind[0] != '\0' && kind[1] == '\0' && strchr("tqxcs", kind[0]))
		return on_data(st, w, kind[0]);
	if (strcmp(kind, "n") == 0 && st->news)
		return on_article(st, w);
	/* Bars, limits, imbalances, and what will be invented. */
	st->counts.ignored++;
	json_walk_skip(w);
	return 0;
}

static int open_session(const struct vendor_settings *s, const struct stream_want *w,
			const struct stream_sink *sink, struct stream **out)
{
	int rc;

	if (w->news && (w->trades || w->quotes))
		return err_set(-EINVAL,
			       "Alpaca's news come by a stream of their own: ask "
			       "for them without trades and quotes");
	if (!s->key_secret)
		return err_set(-EINVAL, "Alpaca's stream needs a key and its secret");
	rc = stream_new(&alpaca_stream_ops, s, w, sink, out);
	if (rc == 0)
		(*out)->event = event;
	return rc;
}

const struct stream_ops alpaca_stream_ops = {
	.name = "alpaca",
	.is_websocket = true,
	.path = NULL, /* /v2/sip, /v2/iex, /v1beta1/news: part of the stream's URL */
	.open = open_session,
	.close = stream_close,
	.input = stream_input,
	.state = stream_state_of,
	.problem = stream_problem,
	.counts = stream_counts_of,
};
