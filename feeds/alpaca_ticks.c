/* alpaca_ticks - one reader of all keys (none means two things), one maker per kind. */
#include "feeds/alpaca_ticks.h"
#include "feeds/conditions.h"
#include "feeds/tickid.h"
#include "feeds/vendor_parts.h"
#include <string.h>

/* 2025-11-03 in New York: from then on quotes count shares, before round lots. */
#define SHARES_SINCE_NS INT64_C(1762146000000000000)
#define ROUND_LOT       100

/* The first character of a text; 0 for null. */
static char letter(struct json_walk *w)
{
	char text[8];

	json_walk_text(w, text, sizeof(text));
	/* What cannot be printed may not get into a record. */
	return text[0] == '\0' || (text[0] >= ' ' && text[0] <= '~') ? text[0] : '?';
}

static void conditions(struct json_walk *w, struct alpaca_raw *out)
{
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		char c = letter(w);

		if (c != '\0' && out->n_cond < ALPACA_CONDS_MAX)
			out->cond[out->n_cond++] = c;
	}
}

static int64_t size(struct json_walk *w, const struct alpaca_how *how)
{
	return how->is_crypto ? json_walk_rounded(w, 8) : json_walk_decimal(w, 8);
}

static uint64_t number(struct json_walk *w, bool *has)
{
	*has = json_walk_peek(w) != JSON_NULL;
	return json_walk_u64(w);
}

static void quote_key(struct json_walk *w, const struct alpaca_how *how, uint32_t key,
		      struct alpaca_raw *out)
{
	switch (key) {
	case JSON_KEY2('b', 'p'):
		out->bid_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY2('a', 'p'):
		out->ask_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY2('b', 's'):
		out->bid_size_e8 = size(w, how);
		break;
	case JSON_KEY2('a', 's'):
		out->ask_size_e8 = size(w, how);
		break;
	default:
		json_walk_skip(w);
	}
}

static void amend_key(struct json_walk *w, const struct alpaca_how *how, uint32_t key,
		      struct alpaca_raw *out)
{
	switch (key) {
	case JSON_KEY2('o', 'i'):
		out->old_id = number(w, &out->has_old_id);
		break;
	case JSON_KEY2('c', 'i'):
		out->id = number(w, &out->has_id);
		break;
	case JSON_KEY2('c', 'p'):
		out->price_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY2('c', 's'):
		out->size_e8 = size(w, how);
		break;
	case JSON_KEY2('c', 'c'):
		conditions(w, out);
		break;
	case JSON_KEY2('s', 'c'):
		json_walk_text(w, out->status, sizeof(out->status));
		break;
	case JSON_KEY1('u'):
		json_walk_text(w, out->update, sizeof(out->update));
		break;
	default:
		quote_key(w, how, key, out);
	}
}

static void raw_key(struct json_walk *w, const struct alpaca_how *how, uint32_t key,
		    struct alpaca_raw *out)
{
	switch (key) {
	case JSON_KEY1('t'):
		out->time_ns = json_walk_time(w);
		break;
	case JSON_KEY1('x'):
		out->venue = letter(w);
		break;
	case JSON_KEY1('p'):
		out->price_e9 = json_walk_decimal(w, 9);
		break;
	case JSON_KEY1('s'):
		out->size_e8 = size(w, how);
		break;
	case JSON_KEY1('c'):
		conditions(w, out);
		break;
	case JSON_KEY1('i'):
		out->id = number(w, &out->has_id);
		break;
	case JSON_KEY1('z'):
		out->tape = letter(w);
		break;
	case JSON_KEY1('S'):
		json_walk_text(w, out->symbol, sizeof(out->symbol));
		break;
	default:
		amend_key(w, how, key, out);
	}
}

void alpaca_raw_read(struct json_walk *w, const struct alpaca_how *how,
		     struct alpaca_raw *out)
{
	struct json_key k;

	*out = (struct alpaca_raw){.time_ns = VALUE_NULL,
				   .price_e9 = VALUE_NULL,
				   .size_e8 = VALUE_NULL,
				   .bid_e9 = VALUE_NULL,
				   .ask_e9 = VALUE_NULL,
				   .bid_size_e8 = VALUE_NULL,
				   .ask_size_e8 = VALUE_NULL};
	if (!json_walk_object(w)) {
		json_walk_fail(w, "a row is null");
		return;
	}
	while (json_walk_key(w, &k))
		raw_key(w, how, k.id, out);
	if (out->time_ns == VALUE_NULL)
		json_walk_fail(w, "a row has no time");
}

static void begin(const struct alpaca_raw *raw, struct feed_tick *t)
{
	vendor_tick_begin(t, raw->time_ns);
	memcpy(t->rec.cond, raw->cond,
	       raw->n_cond < sizeof(t->rec.cond) ? raw->n_cond : sizeof(t->rec.cond));
}

static uint64_t id_of(const struct alpaca_raw *raw, uint64_t id)
{
	return tickid_number((unsigned char)raw->venue, 0, id);
}

static unsigned flags_of(const struct alpaca_raw *raw, const struct alpaca_how *how)
{
	bool is_regular = true;
	unsigned flags = 0;

	if (memchr(raw->cond, 'T', raw->n_cond) != NULL)
		is_regular = conditions_is_regular(how->newyork, raw->time_ns);
	for (unsigned i = 0; i < raw->n_cond; i++)
		flags |= conditions_letter(raw->tape, raw->cond[i], is_regular);
	return flags;
}

bool alpaca_trade(const struct alpaca_raw *raw, const struct alpaca_how *how,
		  struct feed_tick *t)
{
	begin(raw, t);
	t->rec.price_e9 = raw->price_e9;
	t->rec.size_e8 = raw->size_e8;
	t->rec.source_seq = raw->has_id ? id_of(raw, raw->id) : 0;
	t->rec.action_flags = record_pack(TICK_NEW, flags_of(raw, how));
	return raw->price_e9 != VALUE_NULL;
}

bool alpaca_quote(const struct alpaca_raw *raw, const struct alpaca_how *how,
		  struct feed_tick *t)
{
	bool in_lots = !how->is_crypto && raw->time_ns < SHARES_SINCE_NS;
	int64_t lot = in_lots ? ROUND_LOT : 1;

	begin(raw, t);
	vendor_quote_side(raw->bid_e9, raw->bid_size_e8, lot, &t->rec.bid_e9,
			  &t->rec.bid_size_e8);
	vendor_quote_side(raw->ask_e9, raw->ask_size_e8, lot, &t->rec.ask_e9,
			  &t->rec.ask_size_e8);
	return t->rec.bid_e9 != VALUE_NULL || t->rec.ask_e9 != VALUE_NULL;
}

bool alpaca_is_void(const struct alpaca_raw *raw)
{
	return strcmp(raw->update, "canceled") == 0 ||
	       strcmp(raw->update, "incorrect") == 0;
}

bool alpaca_cancel(const struct alpaca_raw *raw, struct feed_tick *t)
{
	begin(raw, t);
	t->rec.source_seq = t->rec.ref_seq = raw->has_id ? id_of(raw, raw->id) : 0;
	t->rec.action_flags = record_pack(TICK_CANCEL, 0);
	return raw->has_id;
}

bool alpaca_correction(const struct alpaca_raw *raw, const struct alpaca_how *how,
		       struct feed_tick *t)
{
	begin(raw, t);
	t->rec.price_e9 = raw->price_e9;
	t->rec.size_e8 = raw->size_e8;
	t->rec.source_seq = raw->has_id ? id_of(raw, raw->id) : 0;
	t->rec.ref_seq = raw->has_old_id ? id_of(raw, raw->old_id) : 0;
	t->rec.action_flags = record_pack(TICK_CORRECT, flags_of(raw, how));
	return raw->price_e9 != VALUE_NULL && raw->has_old_id;
}

/*
 * Tapes A and B: 2 halt, 3 resume.  Tape C: H halt, P pause (limit up, limit down),
 * Q quotes may be sent again but nothing trades yet, T trading goes on.
 */
bool alpaca_status(const struct alpaca_raw *raw, struct feed_tick *t)
{
	bool is_utp = raw->tape == 'C';
	char code = raw->status[1] == '\0' ? raw->status[0] : '\0';
	bool halts = is_utp ? code == 'H' || code == 'P' : code == '2';
	bool resumes = is_utp ? code == 'T' : code == '3';

	begin(raw, t);
	t->rec.action_flags = record_pack(TICK_NEW, halts ? TICK_HALT : TICK_RESUMED);
	return halts || resumes;
}
