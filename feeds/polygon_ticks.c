/* polygon_ticks - two readers of names, one maker per kind. */
#include "feeds/polygon_ticks.h"
#include "base/decimal.h"
#include "feeds/conditions.h"
#include "feeds/tickid.h"
#include "feeds/vendor_parts.h"
#include <string.h>

#define ROUND_LOT 100

static void begin_raw(struct polygon_raw *out)
{
	*out = (struct polygon_raw){.time_ns = VALUE_NULL,
				    .price_e9 = VALUE_NULL,
				    .size_e8 = VALUE_NULL,
				    .bid_e9 = VALUE_NULL,
				    .ask_e9 = VALUE_NULL,
				    .bid_size_e8 = VALUE_NULL,
				    .ask_size_e8 = VALUE_NULL};
}

static void add_condition(struct json_walk *w, struct polygon_raw *out)
{
	uint64_t n = json_walk_u64(w);

	if (out->n_cond < POLYGON_CONDS_MAX)
		out->cond[out->n_cond++] = n;
}

/* A list; in quotes of the stream a single number. */
static void conditions(struct json_walk *w, struct polygon_raw *out)
{
	if (json_walk_peek(w) == JSON_NUMBER) {
		add_condition(w, out);
		return;
	}
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w))
		add_condition(w, out);
}

static void side_key(struct json_walk *w, const struct json_key *k,
		     struct polygon_raw *out)
{
	if (json_walk_is(k, "bid_price"))
		out->bid_e9 = json_walk_decimal(w, 9);
	else if (json_walk_is(k, "bid_size"))
		out->bid_size_e8 = json_walk_decimal(w, 8);
	else if (json_walk_is(k, "ask_price"))
		out->ask_e9 = json_walk_decimal(w, 9);
	else if (json_walk_is(k, "ask_size"))
		out->ask_size_e8 = json_walk_decimal(w, 8);
	else
		json_walk_skip(w);
}

static void history_key(struct json_walk *w, const struct json_key *k,
			struct polygon_raw *out, int64_t *participant_ns)
{
	if (json_walk_is(k, "sip_timestamp"))
		out->time_ns = json_walk_decimal(w, 0);
	else if (json_walk_is(k, "participant_timestamp"))
		*participant_ns = json_walk_decimal(w, 0);
	else if (json_walk_is(k, "price"))
		out->price_e9 = json_walk_decimal(w, 9);
	else if (json_walk_is(k, "size"))
		out->size_e8 = json_walk_rounded(w, 8);
	else if (json_walk_is(k, "conditions"))
		conditions(w, out);
	else if (json_walk_is(k, "exchange"))
		out->venue = json_walk_u64(w);
	else if (json_walk_is(k, "id"))
		json_walk_text(w, out->id, sizeof(out->id));
	else if (json_walk_is(k, "sequence_number"))
		out->sequence = json_walk_u64(w);
	else if (json_walk_is(k, "tape"))
		out->tape = json_walk_u64(w);
	else if (json_walk_is(k, "trf_id"))
		out->trf = json_walk_u64(w);
	else if (json_walk_is(k, "correction"))
		out->correction = json_walk_u64(w);
	else
		side_key(w, k, out);
}

void polygon_raw_history(struct json_walk *w, struct polygon_raw *out)
{
	int64_t participant_ns = VALUE_NULL;
	struct json_key k;

	begin_raw(out);
	if (!json_walk_object(w)) {
		json_walk_fail(w, "a row is null");
		return;
	}
	while (json_walk_key(w, &k))
		history_key(w, &k, out, &participant_ns);
	/* Currencies and coins have no tape, so no time of it. */
	if (out->time_ns == VALUE_NULL)
		out->time_ns = participant_ns;
	if (out->time_ns == VALUE_NULL)
		json_walk_fail(w, "a row has no time");
}

static void stream_quote_key(struct json_walk *w, const struct json_key *k,
			     struct polygon_raw *out)
{
	switch (k->id) {
	case JSON_KEY2('b', 'p'):
		out->bid_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY2('b', 's'):
		out->bid_size_e8 = json_walk_decimal(w, 8);
		break;
	case JSON_KEY2('a', 'p'):
		out->ask_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY2('a', 's'):
		out->ask_size_e8 = json_walk_decimal(w, 8);
		break;
	default:
		if (json_walk_is(k, "sym"))
			json_walk_text(w, out->symbol, sizeof(out->symbol));
		else if (json_walk_is(k, "trfi"))
			out->trf = json_walk_u64(w);
		else
			json_walk_skip(w);
	}
}

static void stream_key(struct json_walk *w, const struct json_key *k,
		       struct polygon_raw *out)
{
	switch (k->id) {
	case JSON_KEY1('t'):
		out->time_ns = vendor_read_ms(w);
		break;
	case JSON_KEY1('p'):
		out->price_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY1('s'):
		out->size_e8 = json_walk_rounded(w, 8);
		break;
	case JSON_KEY1('c'):
		conditions(w, out);
		break;
	case JSON_KEY1('x'):
		out->venue = json_walk_u64(w);
		break;
	case JSON_KEY1('i'):
		/* A trade's id; a quote's indicators are a list. */
		if (json_walk_peek(w) == JSON_STRING)
			json_walk_text(w, out->id, sizeof(out->id));
		else
			json_walk_skip(w);
		break;
	case JSON_KEY1('q'):
		out->sequence = json_walk_u64(w);
		break;
	case JSON_KEY1('z'):
		out->tape = json_walk_u64(w);
		break;
	default:
		stream_quote_key(w, k, out);
	}
}

void polygon_raw_stream(struct json_walk *w, struct polygon_raw *out)
{
	struct json_key k;

	begin_raw(out);
	if (!json_walk_object(w)) {
		json_walk_fail(w, "an event is null");
		return;
	}
	while (json_walk_key(w, &k))
		stream_key(w, &k, out);
	if (out->time_ns == VALUE_NULL)
		json_walk_fail(w, "an event has no time");
}

/* "12,37": as many whole numbers as fit. */
static void print_conditions(const struct polygon_raw *raw, char cond[8])
{
	size_t at = 0;

	for (unsigned i = 0; i < raw->n_cond; i++) {
		char text[DECIMAL_TEXT_MAX];
		size_t len = decimal_print_u64(text, raw->cond[i]);

		if (at + (at > 0) + len > 8)
			return;
		if (at > 0)
			cond[at++] = ',';
		memcpy(cond + at, text, len);
		at += len;
	}
}

static void begin(const struct polygon_raw *raw, struct feed_tick *t)
{
	vendor_tick_begin(t, raw->time_ns);
	print_conditions(raw, t->rec.cond);
}

static uint64_t id_of(const struct polygon_raw *raw)
{
	size_t len = strlen(raw->id);

	if (len == 0)
		return 0;
	return tickid_text((unsigned)raw->venue, (unsigned)raw->trf, raw->id, len);
}

bool polygon_trade(const struct polygon_raw *raw, const struct tz *newyork,
		   struct feed_tick *t)
{
	bool is_regular = conditions_is_regular(newyork, raw->time_ns);
	unsigned flags = 0;

	begin(raw, t);
	for (unsigned i = 0; i < raw->n_cond; i++)
		flags |= conditions_number((unsigned)raw->tape, raw->cond[i],
					   is_regular);
	t->rec.price_e9 = raw->price_e9;
	t->rec.size_e8 = raw->size_e8;
	t->rec.source_seq = id_of(raw);
	t->rec.action_flags = record_pack(TICK_NEW, flags);
	return raw->price_e9 != VALUE_NULL;
}

bool polygon_quote(const struct polygon_raw *raw, bool in_lots, struct feed_tick *t)
{
	int64_t lot = in_lots ? ROUND_LOT : 1;

	begin(raw, t);
	vendor_quote_side(raw->bid_e9, raw->bid_size_e8, lot, &t->rec.bid_e9,
			  &t->rec.bid_size_e8);
	vendor_quote_side(raw->ask_e9, raw->ask_size_e8, lot, &t->rec.ask_e9,
			  &t->rec.ask_size_e8);
	t->rec.source_seq = raw->sequence ? tickid_number(0, 0, raw->sequence) : 0;
	return t->rec.bid_e9 != VALUE_NULL || t->rec.ask_e9 != VALUE_NULL;
}

/*
 * The tape's correction codes: 1 was corrected (this row has the corrected values),
 * 7 was an error, 8 was canceled; 10 to 12 are the notes that say so.
 */
bool polygon_void(const struct polygon_raw *raw, struct feed_tick *t)
{
	begin(raw, t);
	t->rec.source_seq = t->rec.ref_seq = id_of(raw);
	t->rec.action_flags = record_pack(TICK_CANCEL, 0);
	return (raw->correction == 7 || raw->correction == 8) && raw->id[0] != '\0';
}

bool polygon_is_note(const struct polygon_raw *raw)
{
	return raw->correction >= 10 && raw->correction <= 12;
}
