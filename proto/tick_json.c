/*
 * tick_json - the request's frame is walked when it is opened, each tick once
 * more when its turn comes.
 */
#include "proto/tick_json.h"
#include "base/decimal.h"
#include "base/timetext.h"
#include "proto/ingest_head.h"
#include "proto/json_scan.h"
#include <stdio.h>

_Static_assert(TICK_JSON_DEPTH_MAX == JSON_SCAN_DEPTH_MAX, "one limit");

/* ---- one tick ----------------------------------------------------------- */

/* What went wrong first; later keys are still read for the quarantine's sake. */
struct verdict {
	enum reject_reason reason;
	char *text; /* INGEST_TEXT_MAX */
};

static void refuse(struct verdict *v, enum reject_reason reason, const char *key,
		   const char *what)
{
	if (v->reason)
		return;
	v->reason = reason;
	(void)snprintf(v->text, INGEST_TEXT_MAX, "%s %s", key, what);
}

enum field_type { PRICE, SIZE, TIME, SEQ, SYMBOL, COND, TYPE, ACTION, FLAGS };

static const struct field {
	const char *key;
	enum field_type type;
	size_t offset;
} fields[] = {
	{"symbol", SYMBOL, offsetof(struct ingest_tick, symbol)},
	{"time", TIME, offsetof(struct ingest_tick, event_ns)},
	{"price", PRICE, offsetof(struct ingest_tick, price_e9)},
	{"size", SIZE, offsetof(struct ingest_tick, size_e8)},
	{"bid", PRICE, offsetof(struct ingest_tick, bid_e9)},
	{"ask", PRICE, offsetof(struct ingest_tick, ask_e9)},
	{"bid_size", SIZE, offsetof(struct ingest_tick, bid_size_e8)},
	{"ask_size", SIZE, offsetof(struct ingest_tick, ask_size_e8)},
	{"source_seq", SEQ, offsetof(struct ingest_tick, source_seq)},
	{"ref_seq", SEQ, offsetof(struct ingest_tick, ref_seq)},
	{"cond", COND, offsetof(struct ingest_tick, cond)},
	{"type", TYPE, offsetof(struct ingest_tick, type)},
	{"action", ACTION, offsetof(struct ingest_tick, action)},
	{"flags", FLAGS, offsetof(struct ingest_tick, flags)},
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

static const struct field *find(const struct json_token *key)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (json_scan_is(key, fields[i].key))
			return &fields[i];
	return NULL;
}

/* Prices have 9 decimals and sizes 8; both come as numbers or as strings. */
static void read_decimal(const struct field *f, const struct json_token *t,
			 int64_t *out, struct verdict *v)
{
	bool is_price = f->type == PRICE;
	enum reject_reason range =
		is_price ? REJECT_PRICE_OUT_OF_RANGE : REJECT_SIZE_OUT_OF_RANGE;
	enum reject_reason negative =
		is_price ? REJECT_PRICE_NOT_POSITIVE : REJECT_SIZE_NEGATIVE;
	enum reject_reason nan =
		is_price ? REJECT_PRICE_NOT_A_NUMBER : REJECT_MALFORMED;
	int64_t value = 0;

	if (t->type == JSON_NULL)
		return;
	if (t->type != JSON_NUMBER && t->type != JSON_STRING) {
		refuse(v, t->type == JSON_WORD ? nan : REJECT_MALFORMED, f->key,
		       "is not a number");
		return;
	}
	switch (decimal_parse_exp(t->text, t->len, is_price ? 9 : 8, &value)) {
	case 0:
		if (value == VALUE_NULL) /* a real number, not our mark for none */
			refuse(v, negative, f->key, "is negative");
		else
			*out = value;
		break;
	case DECIMAL_RANGE:
		refuse(v, t->text[0] == '-' ? negative : range, f->key,
		       "is out of range");
		break;
	case DECIMAL_INEXACT:
		refuse(v, range, f->key,
		       is_price ? "has more than 9 decimals"
				: "has more than 8 decimals");
		break;
	default:
		refuse(v, nan, f->key, "is not a number");
	}
}

static bool is_digits(const struct json_token *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->text[i] < '0' || t->text[i] > '9')
			return false;
	return t->len > 0;
}

/* RFC 3339 as a string, or nanoseconds since 1970 as a number or a string. */
static void read_time(const struct json_token *t, int64_t *out, struct verdict *v)
{
	int64_t ns = 0;
	int rc = 1;

	if ((t->type == JSON_NUMBER || t->type == JSON_STRING) && is_digits(t))
		rc = decimal_parse(t->text, t->len, 0, &ns);
	else if (t->type == JSON_STRING)
		rc = timetext_parse(t->text, t->len, &ns);
	if (rc == 0)
		*out = ns;
	else
		refuse(v, REJECT_TIME_INVALID, "time",
		       "is neither RFC 3339 nor nanoseconds since 1970");
}

static void read_name(const struct field *f, const struct json_token *t, char *out,
		      struct verdict *v)
{
	size_t max = f->type == SYMBOL ? SYMBOL_MAX
				       : sizeof(((struct ingest_tick *)0)->cond);
	enum reject_reason why =
		f->type == SYMBOL ? REJECT_SYMBOL_MALFORMED : REJECT_MALFORMED;
	char text[SYMBOL_MAX] = {0};
	size_t len;

	if (t->type != JSON_STRING || !json_scan_text(t, text, max, &len)) {
		refuse(v, why, f->key, "is no string or too long");
		return;
	}
	memcpy(out, text, max);
}

static void read_word(const struct field *f, const struct json_token *t, uint8_t *out,
		      struct verdict *v)
{
	static const struct {
		enum field_type type;
		const char *word;
		uint8_t value;
	} words[] = {
		{TYPE, "tick", RECORD_TICK},       {TYPE, "clock", RECORD_CLOCK},
		{ACTION, "new", TICK_NEW},         {ACTION, "cancel", TICK_CANCEL},
		{ACTION, "correct", TICK_CORRECT},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].type == f->type && json_scan_is(t, words[i].word)) {
			*out = words[i].value;
			return;
		}
	refuse(v, REJECT_MALFORMED, f->key, "is none of the known words");
}

/* A list of words: ["no_last","halt"]. */
static void read_flags(const struct json_token *t, uint8_t *out, struct verdict *v)
{
	static const char *const words[] = {"no_last", "no_range", "no_volume", "halt",
					    "resumed"};
	struct json_scan s = {.at = t->text + 1, .end = t->text + t->len};
	struct json_token word;
	unsigned flags = 0;

	if (t->type != JSON_ARRAY) {
		refuse(v, REJECT_MALFORMED, "flags", "is not a list of words");
		return;
	}
	while (!json_scan_char(&s, ']')) {
		unsigned i = 0;

		(void)json_scan_char(&s, ',');
		(void)json_scan_value(&s, &word);
		while (i < 5 && !json_scan_is(&word, words[i]))
			i++;
		if (i == 5) {
			refuse(v, REJECT_MALFORMED, "flags", "holds an unknown word");
			return;
		}
		flags |= 1u << i;
	}
	*out = (uint8_t)flags;
}

_Static_assert(TICK_NO_LAST == 1 && TICK_NO_RANGE == 2 && TICK_NO_VOLUME == 4 &&
		       TICK_HALT == 8 && TICK_RESUMED == 16,
	       "read_flags() lists them in this order");

static void read_field(const struct field *f, const struct json_token *t,
		       struct ingest_tick *out, struct verdict *v)
{
	void *to = (char *)out + f->offset;

	switch (f->type) {
	case PRICE:
	case SIZE:
		read_decimal(f, t, to, v);
		break;
	case TIME:
		read_time(t, to, v);
		break;
	case SEQ:
		if (!json_scan_u64(t, to))
			refuse(v, REJECT_MALFORMED, f->key, "is no sequence number");
		break;
	case SYMBOL:
	case COND:
		read_name(f, t, to, v);
		break;
	case TYPE:
	case ACTION:
		read_word(f, t, to, v);
		break;
	case FLAGS:
		read_flags(t, to, v);
		break;
	}
}

/* @text is sound JSON: the steps below cannot fail on structure. */
static void read_tick(const struct json_token *value, struct ingest_tick *out,
		      struct verdict *v)
{
	struct json_scan s = {.at = value->text + 1, .end = value->text + value->len};
	uint32_t seen = 0;

	ingest_tick_init(out);
	if (value->type != JSON_OBJECT) {
		refuse(v, REJECT_MALFORMED, "tick", "is not an object");
		return;
	}
	while (!json_scan_char(&s, '}')) {
		struct json_token key, t;
		const struct field *f;
		uint32_t bit;

		(void)json_scan_char(&s, ',');
		if (!json_scan_key(&s, &key) || !json_scan_value(&s, &t))
			break;
		f = find(&key);
		if (f == NULL) {
			refuse(v, REJECT_MALFORMED, "tick", "has an unknown key");
			continue;
		}
		bit = 1u << (f - fields);
		if (seen & bit)
			refuse(v, REJECT_MALFORMED, f->key, "stands there twice");
		else
			read_field(f, &t, out, v);
		seen |= bit;
	}
}

int tick_json_read(const char *text, size_t len, struct ingest_tick *out,
		   enum reject_reason *out_reason, char out_text[INGEST_TEXT_MAX])
{
	struct verdict v = {REJECT_NONE, out_text};
	struct json_scan s = {.at = text, .end = text + len};
	struct json_token t;
	bool sound = json_scan_value(&s, &t);

	json_scan_blank(&s);
	out_text[0] = '\0';
	ingest_tick_init(out);
	if (sound && s.at == s.end)
		read_tick(&t, out, &v);
	else
		refuse(&v, REJECT_MALFORMED, "line", "is not one JSON value");
	*out_reason = v.reason;
	return v.reason ? INGEST_BAD : 0;
}

/* ---- the request -------------------------------------------------------- */

static int count_ticks(const struct json_token *ticks, struct ingest_request *req)
{
	struct json_scan s = {.at = ticks->text + 1, .end = ticks->text + ticks->len};
	struct json_token t;
	uint32_t n = 0;

	req->at = s.at;
	req->end = s.end;
	while (!json_scan_char(&s, ']')) {
		(void)json_scan_char(&s, ',');
		if (++n > INGEST_TICKS_MAX || !json_scan_value(&s, &t))
			return ingest_malformed(req, REJECT_MALFORMED,
						"it holds too many ticks");
	}
	req->n = n;
	return 0;
}

struct head {
	struct json_token producer, source, first_seq, ticks, news;
};

static int read_head(struct json_scan *s, struct ingest_request *req, struct head *h)
{
	const struct {
		const char *key;
		struct json_token *to;
	} known[] = {{"producer", &h->producer},
		     {"source", &h->source},
		     {"first_seq", &h->first_seq},
		     {"ticks", &h->ticks},
		     {"news", &h->news}};
	struct json_token key, value;
	bool first = true;

	while (!json_scan_char(s, '}')) {
		struct json_token *to = NULL;

		if ((!first && !json_scan_char(s, ',')) || !json_scan_key(s, &key) ||
		    !json_scan_value(s, &value))
			return ingest_malformed(req, REJECT_MALFORMED,
						"it is not JSON");
		first = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (json_scan_is(&key, known[i].key))
				to = known[i].to;
		if (to == NULL || to->type)
			return ingest_malformed(
				req, REJECT_MALFORMED,
				"a key is unknown or stands there twice");
		*to = value;
	}
	json_scan_blank(s);
	if (s->at != s->end)
		return ingest_malformed(req, REJECT_MALFORMED, "text after its end");
	return 0;
}

int tick_json_open(const char *text, size_t len, struct ingest_request *out)
{
	struct json_scan s = {.at = text, .end = text + len};
	struct head h = {0};
	int rc;

	out->is_json = true;
	if (!json_scan_char(&s, '{'))
		return ingest_malformed(out, REJECT_MALFORMED,
					"it is not a JSON object");
	rc = read_head(&s, out, &h);
	if (rc)
		return rc;
	out->is_news = h.news.type == JSON_ARRAY;
	if (h.producer.type != JSON_STRING || h.source.type != JSON_STRING ||
	    (out->is_news ? h.ticks.type != 0 || h.first_seq.type != 0
			  : h.ticks.type != JSON_ARRAY ||
				    !json_scan_u64(&h.first_seq, &out->first_seq)))
		return ingest_malformed(
			out, REJECT_MALFORMED,
			"it needs producer, source, first_seq and ticks, or "
			"producer, source and news");
	rc = ingest_set_head(out, h.producer.text, h.producer.len, h.source.text,
			     h.source.len);
	if (rc == 0)
		rc = count_ticks(out->is_news ? &h.news : &h.ticks, out);
	return rc ? rc : ingest_check_range(out);
}

bool tick_json_element(struct ingest_request *req, struct json_token *out)
{
	struct json_scan s = {.at = req->at, .end = req->end};

	if (req->i == req->n)
		return false;
	(void)json_scan_char(&s, ',');
	if (!json_scan_value(&s, out)) { /* tick_json_open() has seen the whole text */
		req->i = req->n;
		return false;
	}
	req->at = s.at;
	req->i++;
	req->raw = out->text;
	req->raw_len = out->len;
	req->bad_text[0] = '\0';
	return true;
}

int tick_json_next(struct ingest_request *req, struct ingest_tick *out)
{
	struct verdict v = {REJECT_NONE, req->bad_text};
	struct json_token t;

	if (!tick_json_element(req, &t))
		return INGEST_END;
	read_tick(&t, out, &v);
	req->bad_reason = v.reason;
	return v.reason ? INGEST_BAD : 0;
}
