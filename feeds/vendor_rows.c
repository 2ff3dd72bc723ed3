/* vendor_rows - what adapters make of JSON: rows of a page, and their parts. */
#include "base/clock.h"
#include "base/err.h"
#include "base/plaintext.h"
#include "base/timetext.h"
#include "feeds/vendor_parts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

void vendor_page_reset(struct vendor_page *p)
{
	p->bars.len = 0;
	p->ticks.len = 0;
	p->articles.len = 0;
	p->actions.len = 0;
	p->skipped = 0;
	p->currency[0] = '\0';
	p->next[0] = '\0';
}

void vendor_page_free(struct vendor_page *p)
{
	buf_free(&p->bars);
	buf_free(&p->ticks);
	buf_free(&p->articles);
	buf_free(&p->actions);
	*p = (struct vendor_page){0};
}

static void *row(struct buf *rows, size_t size)
{
	void *at = buf_reserve(rows, size);

	memset(at, 0, size);
	rows->len += size;
	return at;
}

struct vendor_bar *vendor_page_bar(struct vendor_page *p)
{
	return row(&p->bars, sizeof(struct vendor_bar));
}

struct feed_tick *vendor_page_tick(struct vendor_page *p)
{
	return row(&p->ticks, sizeof(struct feed_tick));
}

void vendor_tick_begin(struct feed_tick *t, int64_t event_ns)
{
	*t = (struct feed_tick){.arrival_ns = event_ns};
	t->rec = (struct record){.event_ns = event_ns,
				 .price_e9 = VALUE_NULL,
				 .size_e8 = VALUE_NULL,
				 .bid_e9 = VALUE_NULL,
				 .ask_e9 = VALUE_NULL,
				 .bid_size_e8 = VALUE_NULL,
				 .ask_size_e8 = VALUE_NULL,
				 .type = RECORD_TICK};
}

void vendor_quote_side(int64_t price_e9, int64_t size_e8, int64_t lot,
		       int64_t *out_price_e9, int64_t *out_size_e8)
{
	if (price_e9 == VALUE_NULL || price_e9 == 0)
		return;
	*out_price_e9 = price_e9;
	if (size_e8 != VALUE_NULL && !__builtin_mul_overflow(size_e8, lot, &size_e8))
		*out_size_e8 = size_e8;
}

void vendor_tick_symbol(struct feed_tick *t, const char *symbol)
{
	memcpy(t->symbol, symbol, symbol_field_len(symbol, SYMBOL_MAX));
}

struct hist_article *vendor_page_article(struct vendor_page *p)
{
	return row(&p->articles, sizeof(struct hist_article));
}

struct hist_action *vendor_page_action(struct vendor_page *p)
{
	struct hist_action *a = row(&p->actions, sizeof(*a));

	a->numerator_e9 = a->denominator_e9 = a->amount_e9 = VALUE_NULL;
	return a;
}

int64_t vendor_read_ms(struct json_walk *w)
{
	int64_t ns = json_walk_decimal(w, 0);

	if (ns != VALUE_NULL && __builtin_mul_overflow(ns, NS_PER_MS, &ns))
		json_walk_fail(w, "a time is out of range");
	return ns;
}

int64_t vendor_read_volume(struct json_walk *w)
{
	struct json_walk from = *w;
	int64_t v = json_walk_rounded(w, 8);
	struct json_token t;

	if (!w->why || from.why || !json_walk_token(&from, &t) || t.type != JSON_NUMBER)
		return v;
	*w = from;
	return VALUE_NULL;
}

int32_t vendor_date_number(int64_t days)
{
	unsigned month, day;
	int year;

	timetext_civil(days, &year, &month, &day);
	return (int32_t)(year * 10000 + (int)(month * 100 + day));
}

static bool is_money(const char *code)
{
	static const char known[] = "AUD BRL CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF "
				    "ILS INR JPY KRW MXN NOK NZD PLN SEK SGD THB TRY "
				    "TWD USD ZAR ";

	for (size_t i = 0; i + 4 <= sizeof(known); i += 4)
		if (memcmp(known + i, code, 3) == 0)
			return true;
	return false;
}

bool vendor_is_money_pair(const char *symbol)
{
	return strnlen(symbol, 8) == 7 && symbol[3] == '/' && is_money(symbol) &&
	       is_money(symbol + 4);
}

int32_t vendor_read_date(struct json_walk *w)
{
	char text[16], stamp[40];
	int64_t ns;

	if (json_walk_text(w, text, sizeof(text)) == 0)
		return 0;
	(void)snprintf(stamp, sizeof(stamp), "%sT00:00:00Z", text);
	if (timetext_parse(stamp, strlen(stamp), &ns) != 0) {
		json_walk_fail(w, "a date is not like 2024-06-10");
		return 0;
	}
	return vendor_date_number(ns / NS_PER_S / DAY_S);
}

void vendor_read_plain(struct json_walk *w, char *out, size_t cap)
{
	char text[8192];

	json_walk_text(w, text, sizeof(text));
	plaintext(text);
	plaintext_cut(text, out, cap);
}

void vendor_read_symbols(struct json_walk *w, struct hist_article *out)
{
	const uint32_t most = sizeof(out->symbols) / sizeof(out->symbols[0]);

	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		char symbol[SYMBOL_MAX + 2];
		size_t len = json_walk_text(w, symbol, sizeof(symbol));

		if (out->n_symbols < most && symbol_valid(symbol, len))
			memcpy(out->symbols[out->n_symbols++], symbol, len);
	}
}

static void read_bar_fields(struct json_walk *w, const struct vendor_bars *how,
			    struct hist_bar *b)
{
	bool is_exact = how->ask->adjust == HIST_RAW;
	int64_t (*price)(struct json_walk *, unsigned) =
		is_exact ? json_walk_decimal : json_walk_rounded;
	struct json_key k;

	while (json_walk_key(w, &k)) {
		switch (k.id) {
		case JSON_KEY1('t'):
			b->start_ns = how->time(w);
			break;
		case JSON_KEY1('o'):
			b->open_e9 = price(w, 9);
			break;
		case JSON_KEY1('h'):
			b->high_e9 = price(w, 9);
			break;
		case JSON_KEY1('l'):
			b->low_e9 = price(w, 9);
			break;
		case JSON_KEY1('c'):
			b->close_e9 = price(w, 9);
			break;
		case JSON_KEY1('v'):
			b->volume_e8 = vendor_read_volume(w);
			break;
		case JSON_KEY2('v', 'w'):
			b->vwap_e9 = json_walk_rounded(w, 9);
			break;
		case JSON_KEY1('n'):
			b->trades = json_walk_decimal(w, 0);
			break;
		default:
			json_walk_skip(w);
		}
	}
}

void vendor_read_bar(struct json_walk *w, const struct vendor_bars *how)
{
	struct hist_bar b = {VALUE_NULL, VALUE_NULL, VALUE_NULL, VALUE_NULL,
			     VALUE_NULL, VALUE_NULL, VALUE_NULL, VALUE_NULL};
	struct vendor_bar *out;

	if (!json_walk_object(w)) {
		json_walk_fail(w, "a bar is null");
		return;
	}
	read_bar_fields(w, how, &b);
	if (w->why)
		return;
	if (b.start_ns == VALUE_NULL) {
		json_walk_fail(w, "a bar has no time");
		return;
	}
	if (!vendor_in_range(how->ask, b.start_ns) || b.open_e9 == VALUE_NULL ||
	    b.high_e9 == VALUE_NULL || b.low_e9 == VALUE_NULL ||
	    b.close_e9 == VALUE_NULL) {
		how->page->skipped++;
		return;
	}
	out = vendor_page_bar(how->page);
	out->symbol = how->symbol;
	out->bar = b;
}

int vendor_parsed(struct json_walk *w, struct vendor_page *out)
{
	char where[128];

	if (json_walk_end(w))
		return 0;
	json_walk_where(w, where, sizeof(where));
	vendor_page_reset(out);
	return err_set(-EBADMSG, "the answer cannot be read: %s (%s)", w->why, where);
}
