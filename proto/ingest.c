/*
 * ingest - SBE requests and what can be judged of a tick alone; JSON requests
 * are read by tick_json.c, replies are in ingest_reply.c.
 */
#include "proto/ingest.h"
#include "base/err.h"
#include "proto/article.h"
#include "proto/ingest_head.h"
#include "proto/json_scan.h"
#include "proto/tick_json.h"
#include <assert.h>
#include <errno.h>

_Static_assert(ARTICLE_REASON_MAX == INGEST_TEXT_MAX, "one sentence");

bool ingest_producer_valid(const char *s, size_t len)
{
	static const char others[] = "._:@/-";

	if (len == 0 || len > INGEST_PRODUCER_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			    (c >= '0' && c <= '9');

		if (!word && (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return true;
}

void ingest_tick_init(struct ingest_tick *t)
{
	*t = (struct ingest_tick){.price_e9 = VALUE_NULL,
				  .size_e8 = VALUE_NULL,
				  .bid_e9 = VALUE_NULL,
				  .ask_e9 = VALUE_NULL,
				  .bid_size_e8 = VALUE_NULL,
				  .ask_size_e8 = VALUE_NULL,
				  .type = RECORD_TICK};
}

void ingest_tick_of(struct ingest_tick *t, const struct record *r,
		    const char symbol[SYMBOL_MAX])
{
	ingest_tick_init(t);
	t->event_ns = r->event_ns;
	t->type = r->type;
	if (r->type == RECORD_CLOCK)
		return;
	t->price_e9 = r->price_e9;
	t->size_e8 = r->size_e8;
	t->bid_e9 = r->bid_e9;
	t->ask_e9 = r->ask_e9;
	t->bid_size_e8 = r->bid_size_e8;
	t->ask_size_e8 = r->ask_size_e8;
	t->source_seq = r->source_seq;
	t->ref_seq = r->ref_seq;
	memcpy(t->cond, r->cond, sizeof(t->cond));
	t->action = (uint8_t)record_action(r);
	t->flags = (uint8_t)record_flags(r);
	memcpy(t->symbol, symbol, SYMBOL_MAX);
}

int ingest_malformed(struct ingest_request *req, enum reject_reason reason,
		     const char *what)
{
	req->bad_reason = reason;
	return err_set(INGEST_MALFORMED, "ingest request: %s", what);
}

/* A field of text ends where its NULs begin; what hides behind them is an error. */
static bool padded(const char *field, size_t max)
{
	for (size_t i = symbol_field_len(field, max); i < max; i++)
		if (field[i] != '\0')
			return false;
	return true;
}

int ingest_set_head(struct ingest_request *req, const char *producer,
		    size_t producer_len, const char *source, size_t source_len)
{
	if (!ingest_producer_valid(producer, producer_len))
		return ingest_malformed(req, REJECT_MALFORMED,
					"producer is not [A-Za-z0-9._:@/-]{1,32}");
	if (!source_valid(source, source_len))
		return ingest_malformed(req, REJECT_SOURCE_MALFORMED,
					"source is not [a-z0-9._-]{1,16}");
	memcpy(req->producer, producer, producer_len);
	memcpy(req->source, source, source_len);
	return 0;
}

int ingest_check_range(struct ingest_request *req)
{
	if (req->n == 0)
		return ingest_malformed(req, REJECT_MALFORMED, "it holds no tick");
	if (req->n > INGEST_TICKS_MAX)
		return ingest_malformed(req, REJECT_MALFORMED,
					"it holds too many ticks");
	if (req->is_news)
		return 0;
	if (req->first_seq == 0 || req->first_seq > UINT64_MAX - req->n)
		return ingest_malformed(
			req, REJECT_MALFORMED,
			"first_seq is 0 or the last sequence overflows");
	return 0;
}

static int open_sbe(struct sbe_cursor *c, struct ingest_request *out)
{
	struct ingest_root root;
	struct sbe_head h;
	struct sbe_group g;
	int rc;

	if (sbe_head_read(c, &h) || h.template_id != SBE_INGEST_REQUEST)
		return ingest_malformed(out, REJECT_MALFORMED,
					"neither JSON nor an SBE ingest request");
	if (sbe_block_read(c, h.block_length, &root, sizeof(root)) ||
	    sbe_group_read(c, &g))
		return ingest_malformed(out, REJECT_MALFORMED, "it is cut short");
	if (!padded(root.producer, INGEST_PRODUCER_MAX) ||
	    !padded(root.source, SOURCE_MAX))
		return ingest_malformed(out, REJECT_MALFORMED,
					"bytes behind a name's end");
	rc = ingest_set_head(out, root.producer,
			     symbol_field_len(root.producer, INGEST_PRODUCER_MAX),
			     root.source, symbol_field_len(root.source, SOURCE_MAX));
	if (rc)
		return rc;
	if (root.flags != 0)
		return ingest_malformed(out, REJECT_MALFORMED, "unknown flags");
	if (g.block_length < sizeof(struct ingest_tick) ||
	    sbe_left(c) != (size_t)g.block_length * g.n)
		return ingest_malformed(out, REJECT_MALFORMED,
					"its ticks do not fill it exactly");
	out->first_seq = root.first_seq;
	out->n = g.n;
	out->stride = g.block_length;
	out->at = (const char *)c->at;
	out->end = (const char *)c->end;
	return ingest_check_range(out);
}

static bool looks_like_json(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r'))
		i++;
	return i < len && (s[i] == '{' || s[i] == '[');
}

int ingest_open(const void *data, size_t len, struct ingest_request *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct sbe_cursor peek = c;
	struct sbe_head h;
	bool is_sbe = sbe_head_read(&peek, &h) == 0;

	*out = (struct ingest_request){0};
	out->is_json = !is_sbe && looks_like_json(data, len);
	if (len > INGEST_BYTES_MAX)
		return ingest_malformed(out, REJECT_MALFORMED,
					"it is larger than 1 MiB");
	if (out->is_json)
		return tick_json_open(data, len, out);
	return open_sbe(&c, out);
}

int ingest_next_article(struct ingest_request *req, struct hist_article *out)
{
	char why[ARTICLE_REASON_MAX];
	struct json_token t;

	if (!tick_json_element(req, &t))
		return INGEST_END;
	req->bad_reason = article_read(t.text, t.len, out, why);
	memcpy(req->bad_text, why, sizeof(why));
	return req->bad_reason != REJECT_NONE ? INGEST_BAD : 0;
}

int ingest_next(struct ingest_request *req, struct ingest_tick *out)
{
	if (req->is_json)
		return tick_json_next(req, out);
	if (req->i == req->n)
		return INGEST_END;
	req->raw = req->at;
	req->raw_len = req->stride;
	memcpy(out, req->at, sizeof(*out));
	req->at += req->stride;
	req->i++;
	return 0;
}

static enum reject_reason check_price(int64_t price_e9)
{
	if (price_e9 == VALUE_NULL)
		return REJECT_NONE;
	if (price_e9 <= 0)
		return REJECT_PRICE_NOT_POSITIVE;
	return price_e9 > INGEST_PRICE_MAX_E9 ? REJECT_PRICE_OUT_OF_RANGE : REJECT_NONE;
}

static enum reject_reason check_size(int64_t size_e8)
{
	if (size_e8 == VALUE_NULL)
		return REJECT_NONE;
	if (size_e8 < 0)
		return REJECT_SIZE_NEGATIVE;
	return size_e8 > INGEST_SIZE_MAX_E8 ? REJECT_SIZE_OUT_OF_RANGE : REJECT_NONE;
}

static enum reject_reason check_values(const struct ingest_tick *t)
{
	const int64_t prices[] = {t->price_e9, t->bid_e9, t->ask_e9};
	const int64_t sizes[] = {t->size_e8, t->bid_size_e8, t->ask_size_e8};
	enum reject_reason why;

	for (size_t i = 0; i < 3; i++) {
		why = check_price(prices[i]);
		if (why)
			return why;
	}
	for (size_t i = 0; i < 3; i++) {
		why = check_size(sizes[i]);
		if (why)
			return why;
	}
	return REJECT_NONE;
}

/* Does the tick carry what its action needs? */
static enum reject_reason check_action(const struct ingest_tick *t)
{
	bool priced = t->price_e9 != VALUE_NULL;
	bool quoted = t->bid_e9 != VALUE_NULL || t->ask_e9 != VALUE_NULL;

	switch (t->action) {
	case TICK_NEW:
		if (priced || quoted || (t->flags & (TICK_HALT | TICK_RESUMED)))
			return REJECT_NONE;
		return REJECT_NO_PRICE;
	case TICK_CANCEL:
		return t->ref_seq ? REJECT_NONE : REJECT_REFERENCE_MISSING;
	case TICK_CORRECT:
		if (t->ref_seq == 0)
			return REJECT_REFERENCE_MISSING;
		return priced ? REJECT_NONE : REJECT_NO_PRICE;
	}
	return REJECT_MALFORMED;
}

/* Conditions go out as text again: printable ASCII, then NULs. */
static bool cond_valid(const char cond[8])
{
	size_t len = symbol_field_len(cond, 8);

	for (size_t i = 0; i < len; i++)
		if (cond[i] < 0x20 || cond[i] > 0x7e)
			return false;
	return padded(cond, 8);
}

enum reject_reason ingest_check(const struct ingest_tick *t)
{
	const unsigned known = TICK_NO_LAST | TICK_NO_RANGE | TICK_NO_VOLUME |
			       TICK_HALT | TICK_RESUMED;
	enum reject_reason why;

	if (t->type != RECORD_TICK && t->type != RECORD_CLOCK)
		return REJECT_MALFORMED;
	if (t->event_ns <= 0 || t->event_ns >= INGEST_TIME_MAX_NS)
		return REJECT_TIME_INVALID;
	if (t->type == RECORD_CLOCK) /* says the time and nothing else */
		return t->symbol[0] || t->action || t->flags ? REJECT_MALFORMED
							     : REJECT_NONE;

	if (!padded(t->symbol, SYMBOL_MAX) ||
	    !symbol_valid(t->symbol, symbol_field_len(t->symbol, SYMBOL_MAX)))
		return REJECT_SYMBOL_MALFORMED;
	if ((t->flags & ~known) || !cond_valid(t->cond))
		return REJECT_MALFORMED;
	why = check_values(t);
	return why ? why : check_action(t);
}

void ingest_record(const struct ingest_tick *t, uint32_t symbol_id, uint16_t source_id,
		   int64_t recv_ns, struct record *out)
{
	assert(ingest_check(t) == REJECT_NONE);
	*out = (struct record){
		.event_ns = t->event_ns,
		.recv_ns = recv_ns,
		.price_e9 = t->price_e9,
		.size_e8 = t->size_e8,
		.bid_e9 = t->bid_e9,
		.ask_e9 = t->ask_e9,
		.bid_size_e8 = t->bid_size_e8,
		.ask_size_e8 = t->ask_size_e8,
		.source_seq = t->source_seq,
		.ref_seq = t->ref_seq,
		.symbol_id = symbol_id,
		.source_id = source_id,
		.type = t->type,
		.action_flags = record_pack((enum tick_action)t->action, t->flags),
	};
	memcpy(out->cond, t->cond, sizeof(out->cond));
	if (t->type == RECORD_CLOCK) { /* values of a clock record mean nothing */
		out->price_e9 = out->size_e8 = out->bid_e9 = out->ask_e9 = VALUE_NULL;
		out->bid_size_e8 = out->ask_size_e8 = VALUE_NULL;
		out->source_seq = out->ref_seq = 0;
		memset(out->cond, 0, sizeof(out->cond));
	}
}

#define GROUP_AT (sizeof(struct sbe_head) + sizeof(struct ingest_root))

int ingest_writer_init(struct ingest_writer *w, struct buf *out, const char *producer,
		       const char *source, uint64_t first_seq)
{
	struct ingest_root root = {.first_seq = first_seq};
	size_t producer_len = strnlen(producer, INGEST_PRODUCER_MAX + 1);
	size_t source_len = strnlen(source, SOURCE_MAX + 1);
	uint8_t *to;

	if (!ingest_producer_valid(producer, producer_len))
		return err_set(-EINVAL,
			       "producer '%.40s' is not [A-Za-z0-9._:@/-]{1,32}",
			       producer);
	if (!source_valid(source, source_len))
		return err_set(-EINVAL, "source '%.20s' is not [a-z0-9._-]{1,16}",
			       source);
	memcpy(root.producer, producer, producer_len);
	memcpy(root.source, source, source_len);

	*w = (struct ingest_writer){.out = out, .start = out->len};
	to = buf_reserve(out, GROUP_AT + sizeof(struct sbe_group));
	sbe_head_write(to, SBE_INGEST_REQUEST, sizeof(root));
	memcpy(to + sizeof(struct sbe_head), &root, sizeof(root));
	sbe_group_write(to + GROUP_AT, sizeof(struct ingest_tick), 0);
	out->len += GROUP_AT + sizeof(struct sbe_group);
	return 0;
}

int ingest_writer_add(struct ingest_writer *w, const struct ingest_tick *t)
{
	if (w->n == INGEST_TICKS_MAX)
		return INGEST_FULL;
	buf_add(w->out, t, sizeof(*t));
	w->n++;
	sbe_group_write(w->out->data + w->start + GROUP_AT, sizeof(*t), w->n);
	return 0;
}
