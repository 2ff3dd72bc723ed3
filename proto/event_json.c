/*
 * event_json - lines built by hand: keys are copied with their punctuation,
 * numbers printed from integers.  A tick costs about as much as a memcpy of it
 * and ten small divisions, which is why there is no general writer here.
 *
 * Each printer writes '"key":' literals in the order of the page
 * docs/PROTOCOL.md; to add a field, add a line at the end of its event.
 */
#include "proto/event_json.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "proto/timeframe.h"
#include <assert.h>

#define SECOND_LEN 19 /* "2026-01-05T14:30:00" */

/*
 * Where the next byte goes.  Room is the caller's promise (EVENT_JSON_MAX).  The
 * times of one line mostly lie in one second, so its text is kept.
 */
struct line {
	char *at;
	bool has_second;
	int64_t second;
	char second_text[TIMETEXT_MAX];
};

static inline void put(struct line *l, const char *s, size_t len)
{
	memcpy(l->at, s, len);
	l->at += len;
}

#define PUT(l, literal) put(l, literal, sizeof(literal) - 1)

static inline void put_text(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

static inline void put_u64(struct line *l, uint64_t v)
{
	l->at += decimal_print_u64(l->at, v);
}

static inline void put_decimal(struct line *l, int64_t v, unsigned scale)
{
	if (v == VALUE_NULL)
		PUT(l, "null");
	else
		l->at += decimal_print(l->at, v, scale);
}

static inline void put_f64(struct line *l, double v)
{
	char text[32];

	put(l, text, jsonw_print_f64(text, v));
}

static void put_time(struct line *l, int64_t ns)
{
	int64_t second = ns / NS_PER_S;
	int64_t frac = ns % NS_PER_S;

	if (ns == VALUE_NULL) {
		PUT(l, "null");
		return;
	}
	if (frac < 0) { /* before 1970: the second began earlier */
		second--;
		frac += NS_PER_S;
	}
	if (!l->has_second || l->second != second) {
		(void)timetext_print(l->second_text, ns);
		l->second = second;
		l->has_second = true;
	}
	PUT(l, "\"");
	put(l, l->second_text, SECOND_LEN);
	if (frac) { /* a 1 in front keeps the zeros; the point takes its place */
		char *point = l->at;

		l->at += decimal_print_u64(l->at, (uint64_t)(NS_PER_S + frac));
		*point = '.';
	}
	PUT(l, "Z\"");
}

/* Names that symbol.h allows need no escapes. */
static inline void put_name(struct line *l, const char *field, size_t max)
{
	PUT(l, "\"");
	put(l, field, symbol_field_len(field, max));
	PUT(l, "\"");
}

static inline void put_word(struct line *l, const char *word)
{
	PUT(l, "\"");
	put_text(l, word);
	PUT(l, "\"");
}

static inline void put_bool(struct line *l, bool v)
{
	put_text(l, v ? "true" : "false");
}

static void put_hex64(struct line *l, uint64_t v)
{
	static const char hex[] = "0123456789abcdef";

	PUT(l, "\"");
	for (int shift = 60; shift >= 0; shift -= 4)
		*l->at++ = hex[v >> shift & 15];
	PUT(l, "\"");
}

/* Foreign text: quotes and backslashes escaped, what is not plain ASCII or UTF-8 too.
 */
static void put_quoted(struct line *l, const char *field, size_t max)
{
	size_t len = symbol_field_len(field, max);
	bool plain = true;

	for (size_t i = 0; i < len; i++)
		plain &= field[i] >= 0x20 && field[i] < 0x7f && field[i] != '"' &&
			 field[i] != '\\';
	if (plain) {
		put_name(l, field, max);
	} else {
		struct buf b = {0};
		struct jsonw w;

		jsonw_init(&w, &b);
		jsonw_strn(&w, NULL, field, len);
		put(l, (const char *)b.data, b.len);
		buf_free(&b);
	}
}

static void put_source(struct line *l, uint16_t source_id,
		       const struct event_json_ctx *ctx)
{
	if (ctx->source)
		put_word(l, ctx->source);
	else
		put_u64(l, source_id);
}

/* The tail of every line: what the head and the frame say. */
static void put_tail(struct line *l, const struct event_head *h,
		     const struct event_json_ctx *ctx)
{
	PUT(l, ",\"seq\":");
	put_u64(l, h->seq);
	PUT(l, ",\"pos\":");
	put_u64(l, h->pos);
	PUT(l, ",\"recv_time\":");
	put_time(l, h->recv_ns);
	PUT(l, ",\"publish_time\":");
	put_time(l, ctx->publish_ns);
	PUT(l, ",\"epoch\":");
	put_u64(l, ctx->epoch);
	PUT(l, "}");
}

static void put_tick_flags(struct line *l, unsigned flags)
{
	static const char *const words[] = {"no_last", "no_range", "no_volume", "halt",
					    "resumed"};
	bool first = true;

	PUT(l, ",\"flags\":[");
	for (unsigned i = 0; i < 5; i++) {
		if (!(flags >> i & 1))
			continue;
		if (!first)
			PUT(l, ",");
		first = false;
		put_word(l, words[i]);
	}
	PUT(l, "]");
}

size_t event_json_tick(char *buf, const struct event_tick *e,
		       const struct event_json_ctx *ctx)
{
	struct line l = {.at = buf};

	PUT(&l, "{\"event\":\"TICK_RECEIVED\",\"symbol\":");
	put_name(&l, e->symbol, SYMBOL_MAX);
	PUT(&l, ",\"time\":");
	put_time(&l, e->head.event_ns);
	PUT(&l, ",\"price\":");
	put_decimal(&l, e->price_e9, 9);
	PUT(&l, ",\"size\":");
	put_decimal(&l, e->size_e8, 8);
	PUT(&l, ",\"bid\":");
	put_decimal(&l, e->bid_e9, 9);
	PUT(&l, ",\"ask\":");
	put_decimal(&l, e->ask_e9, 9);
	PUT(&l, ",\"bid_size\":");
	put_decimal(&l, e->bid_size_e8, 8);
	PUT(&l, ",\"ask_size\":");
	put_decimal(&l, e->ask_size_e8, 8);
	PUT(&l, ",\"source\":");
	put_source(&l, e->source_id, ctx);
	PUT(&l, ",\"source_seq\":");
	put_u64(&l, e->source_seq);
	if (e->ref_seq) {
		PUT(&l, ",\"ref_seq\":");
		put_u64(&l, e->ref_seq);
	}
	PUT(&l, ",\"action\":");
	put_word(&l, tick_action_name(e->action));
	PUT(&l, ",\"cond\":");
	put_quoted(&l, e->cond, sizeof(e->cond));
	put_tick_flags(&l, e->flags);
	put_tail(&l, &e->head, ctx);
	return (size_t)(l.at - buf);
}

static void put_chain(struct line *l, uint64_t chain)
{
	PUT(l, ",\"chain\":");
	put_hex64(l, chain);
}

/* Volume is 128 bits wide; its two halves came over the wire. */
static void put_volume(struct line *l, const struct event_bar *e)
{
	__int128 volume = (__int128)e->volume_hi * ((__int128)1 << 64) + e->volume_lo;

	l->at += decimal_print128(l->at, volume, 8);
}

/* The fifteen columns of semantics A.1, in their order. */
static void put_bar_record(struct line *l, const struct event_bar *e)
{
	PUT(l, "{\"timestamp_utc\":");
	put_time(l, e->head.event_ns);
	PUT(l, ",\"symbol\":");
	put_name(l, e->symbol, SYMBOL_MAX);
	PUT(l, ",\"timeframe\":");
	put_word(l, timeframe_name(e->timeframe_s));
	PUT(l, ",\"open\":");
	put_decimal(l, e->open_e9, 9);
	PUT(l, ",\"high\":");
	put_decimal(l, e->high_e9, 9);
	PUT(l, ",\"low\":");
	put_decimal(l, e->low_e9, 9);
	PUT(l, ",\"close\":");
	put_decimal(l, e->close_e9, 9);
	PUT(l, ",\"volume\":");
	put_volume(l, e);
	PUT(l, ",\"log_return_1\":");
	put_f64(l, e->log_return_1);
	PUT(l, ",\"spread_estimate\":");
	put_f64(l, e->spread_estimate);
	PUT(l, ",\"is_missing\":");
	put_bool(l, e->flags & BAR_IS_MISSING);
	PUT(l, ",\"is_outlier\":");
	put_bool(l, e->flags & BAR_IS_OUTLIER);
	PUT(l, ",\"valid_bar\":");
	put_bool(l, e->flags & BAR_VALID);
	PUT(l, ",\"source_id\":");
	put_name(l, e->source, SOURCE_MAX);
	PUT(l, ",\"schema_version\":");
	put_u64(l, e->schema_version);
}

static void put_outlier_reason(struct line *l, unsigned reasons)
{
	static const char *const words[] = {"jump", "ohlc", "nonpositive", "return",
					    "mad"};
	bool first = true;

	PUT(l, ",\"outlier_reason\":[");
	for (unsigned i = 0; i < 5; i++) {
		if (!(reasons >> i & 1))
			continue;
		if (!first)
			PUT(l, ",");
		first = false;
		put_word(l, words[i]);
	}
	PUT(l, "]");
}

size_t event_json_bar(char *buf, const struct event_bar *e,
		      const struct event_json_ctx *ctx)
{
	struct line l = {.at = buf};

	put_bar_record(&l, e);
	PUT(&l, ",\"bar_start\":");
	put_time(&l, e->bar_start_ns);
	PUT(&l, ",\"revision\":");
	put_u64(&l, e->revision);
	PUT(&l, ",\"final\":");
	put_bool(&l, e->flags & BAR_FINAL);
	PUT(&l, ",\"state\":");
	put_word(&l, bar_state_name(e->state));
	PUT(&l, ",\"vwap\":");
	put_f64(&l, e->vwap);
	PUT(&l, ",\"trade_count\":");
	put_u64(&l, e->trade_count);
	PUT(&l, ",\"spread_method\":");
	put_word(&l, spread_method_name(e->spread_method));
	put_outlier_reason(&l, e->outlier_reason);
	PUT(&l, ",\"event\":\"NORMALIZED_BAR_READY\",\"cause\":");
	put_word(&l, bar_cause_name(e->cause));
	PUT(&l, ",\"price_type\":");
	put_word(&l, price_type_name(e->price_type));
	PUT(&l, ",\"partial\":");
	put_bool(&l, e->flags & BAR_PARTIAL);
	PUT(&l, ",\"crossed\":");
	put_bool(&l, e->flags & BAR_CROSSED);
	PUT(&l, ",\"halted\":");
	put_bool(&l, e->flags & BAR_HALTED);
	PUT(&l, ",\"late_ticks\":");
	put_u64(&l, e->late_ticks);
	PUT(&l, ",\"first_pos\":");
	put_u64(&l, e->first_pos);
	PUT(&l, ",\"last_pos\":");
	put_u64(&l, e->last_pos);
	put_chain(&l, e->chain);
	put_tail(&l, &e->head, ctx);
	return (size_t)(l.at - buf);
}

static void put_values(struct line *l, const double *value, unsigned n,
		       const char *suffix)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			PUT(l, ",");
		PUT(l, "\"");
		put_text(l, tier1_name((enum tier1_value)i));
		put_text(l, suffix);
		PUT(l, "\":");
		put_f64(l, value[i]);
	}
}

/* Names of the values whose window is full. */
static void put_warm(struct line *l, uint64_t warm)
{
	bool first = true;

	PUT(l, ",\"warm\":[");
	for (unsigned i = 0; i < TIER1_N; i++) {
		if (!(warm >> i & 1))
			continue;
		if (!first)
			PUT(l, ",");
		first = false;
		put_word(l, tier1_name((enum tier1_value)i));
	}
	PUT(l, "]");
}

static void put_vector(struct line *l, const struct event_tier1 *e)
{
	PUT(l, ",\"is_ml_ready\":");
	put_bool(l, e->flags & TIER1_ML_READY);
	PUT(l, ",\"norm\":");
	put_word(l, e->flags & TIER1_NORM_ROBUST ? "robust" : "mean");
	PUT(l, ",\"bars_seen\":");
	put_u64(l, e->bars_seen);
	PUT(l, ",\"values\":{");
	put_values(l, e->value, TIER1_N, "");
	PUT(l, "},\"norms\":{");
	put_values(l, e->norm, TIER1_ML_N, "_norm");
	PUT(l, "}");
	put_warm(l, e->warm);
}

static void put_indicators(struct line *l, const struct event_tier1 *e)
{
	struct buf b = {0};

	PUT(l, ",\"bars_seen\":");
	put_u64(l, e->bars_seen);
	PUT(l, ",\"block\":");
	put_u64(l, event_tier1_part(e));
	PUT(l, ",\"indicators\":");
	event_indicators_json(&b, e);
	put(l, (const char *)b.data, b.len);
	buf_free(&b);
}

/* The worst line: names of 24, numbers of 24, and what else there is. */
_Static_assert(1024 + TIER1_N * (2 * 28 + 26) + TIER1_ML_N * (34 + 26) < EVENT_JSON_MAX,
	       "raise EVENT_JSON_MAX with the number of values");

size_t event_json_tier1(char *buf, const struct event_tier1 *e,
			const struct event_json_ctx *ctx)
{
	struct line l = {.at = buf};

	PUT(&l, "{\"event\":\"FEATURE_TIER1_READY\",\"symbol\":");
	put_name(&l, e->symbol, SYMBOL_MAX);
	PUT(&l, ",\"timeframe\":");
	put_word(&l, timeframe_name(e->timeframe_s));
	PUT(&l, ",\"time\":");
	put_time(&l, e->head.event_ns);
	PUT(&l, ",\"price_type\":");
	put_word(&l, price_type_name(e->price_type));
	PUT(&l, ",\"bar_seq\":");
	put_u64(&l, e->bar_seq);
	PUT(&l, ",\"bar_revision\":");
	put_u64(&l, e->bar_revision);
	PUT(&l, ",\"feature_version\":");
	put_hex64(&l, e->feature_version);
	PUT(&l, ",\"schema_version\":");
	put_u64(&l, e->schema_version);
	if (event_tier1_part(e) == 0)
		put_vector(&l, e);
	else
		put_indicators(&l, e);
	put_chain(&l, e->chain);
	put_tail(&l, &e->head, ctx);
	return (size_t)(l.at - buf);
}

size_t event_json_status(char *buf, const struct event_status *e,
			 const struct event_json_ctx *ctx)
{
	struct line l = {.at = buf};

	PUT(&l, "{\"event\":\"SYMBOL_STATUS\",\"symbol\":");
	put_name(&l, e->symbol, SYMBOL_MAX);
	PUT(&l, ",\"time\":");
	put_time(&l, e->head.event_ns);
	PUT(&l, ",\"state\":");
	put_word(&l, symbol_state_name(e->state));
	PUT(&l, ",\"detail\":");
	put_u64(&l, e->detail);
	PUT(&l, ",\"source\":");
	put_source(&l, e->source_id, ctx);
	PUT(&l, ",\"text\":");
	put_quoted(&l, e->text, sizeof(e->text));
	put_chain(&l, e->chain);
	put_tail(&l, &e->head, ctx);
	return (size_t)(l.at - buf);
}

size_t event_json_heartbeat(char *buf, const struct frame_heartbeat *hb,
			    enum event_kind kind, const struct event_json_ctx *ctx)
{
	struct line l = {.at = buf};

	PUT(&l, "{\"event\":\"HEARTBEAT\",\"kind\":");
	put_word(&l, event_kind_word(kind));
	PUT(&l, ",\"symbol\":");
	put_name(&l, hb->symbol, SYMBOL_MAX);
	if (hb->timeframe_s) {
		PUT(&l, ",\"timeframe\":");
		put_word(&l, timeframe_name(hb->timeframe_s));
	}
	PUT(&l, ",\"last_seq\":");
	put_u64(&l, hb->last_seq);
	PUT(&l, ",\"pos\":");
	put_u64(&l, hb->pos);
	PUT(&l, ",\"publish_time\":");
	put_time(&l, ctx->publish_ns);
	PUT(&l, ",\"epoch\":");
	put_u64(&l, ctx->epoch);
	PUT(&l, "}");
	return (size_t)(l.at - buf);
}

size_t event_json_any(char *buf, enum event_kind kind, const void *event,
		      const struct event_json_ctx *ctx)
{
	switch (kind) {
	case EVENT_TICK:
		return event_json_tick(buf, event, ctx);
	case EVENT_BAR:
		return event_json_bar(buf, event, ctx);
	case EVENT_TIER1:
		return event_json_tier1(buf, event, ctx);
	case EVENT_STATUS:
		return event_json_status(buf, event, ctx);
	case EVENT_NEWS:
		return event_json_news(buf, event, ctx);
	case EVENT_TIER2:
	case EVENT_JOB:
	case EVENT_HEARTBEAT:
	case EVENT_KINDS:
		break;
	}
	return 0;
}
