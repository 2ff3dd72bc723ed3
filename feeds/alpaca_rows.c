/*
 * alpaca_rows - Alpaca's answers: an object of arrays by symbol, and a token; news
 * and corporate actions are lists of their own.
 */
#include "base/err.h"
#include "feeds/alpaca.h"
#include "feeds/alpaca_ticks.h"
#include <assert.h>
#include <string.h>

struct rows {
	const struct vendor_ask *ask;
	struct vendor_page *page;
	void (*read)(struct json_walk *w, struct rows *r); /* one row */
	struct alpaca_how how;
	uint32_t symbol; /* index into the ask's, of the array being read */
};

bool alpaca_is_crypto(const char *symbol)
{
	return strchr(symbol, '/') != NULL;
}

/* The index of a key among the ask's symbols; n_symbols: nobody asked for it. */
static uint32_t find_symbol(const struct vendor_ask *a, const struct json_key *k)
{
	uint32_t i = 0;

	while (i < a->n_symbols && !json_walk_is(k, a->symbols[i]))
		i++;
	return i;
}

static void bar(struct json_walk *w, struct rows *r)
{
	struct vendor_bars bars = {.ask = r->ask,
				   .page = r->page,
				   .time = json_walk_time,
				   .symbol = r->symbol};

	vendor_read_bar(w, &bars);
}

static void keep(struct rows *r, const struct feed_tick *t)
{
	struct feed_tick *to = vendor_page_tick(r->page);

	*to = *t;
	vendor_tick_symbol(to, r->ask->symbols[r->symbol]);
}

/* A trade that was withdrawn later is two ticks, as the stream would have had it. */
static void trade(struct json_walk *w, struct rows *r)
{
	struct alpaca_raw raw;
	struct feed_tick t;

	alpaca_raw_read(w, &r->how, &raw);
	if (w->why)
		return;
	if (!vendor_in_range(r->ask, raw.time_ns) || !alpaca_trade(&raw, &r->how, &t)) {
		r->page->skipped++;
		return;
	}
	keep(r, &t);
	if (alpaca_is_void(&raw) && alpaca_cancel(&raw, &t))
		keep(r, &t);
}

static void quote(struct json_walk *w, struct rows *r)
{
	struct alpaca_raw raw;
	struct feed_tick t;

	alpaca_raw_read(w, &r->how, &raw);
	if (w->why)
		return;
	if (!vendor_in_range(r->ask, raw.time_ns) || !alpaca_quote(&raw, &r->how, &t)) {
		r->page->skipped++;
		return;
	}
	keep(r, &t);
}

static void skip_rows(struct json_walk *w, struct rows *r)
{
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		json_walk_skip(w);
		r->page->skipped++;
	}
}

static void rows_by_symbol(struct json_walk *w, struct rows *r)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		r->symbol = find_symbol(r->ask, &k);
		if (r->symbol == r->ask->n_symbols) {
			skip_rows(w, r);
			continue;
		}
		if (!json_walk_array(w))
			continue;
		while (json_walk_element(w))
			r->read(w, r);
	}
}

static void read_rows(struct json_walk *w, struct rows *r)
{
	switch (r->ask->what) {
	case VENDOR_BARS:
		r->read = bar;
		break;
	case VENDOR_TRADES:
		r->read = trade;
		break;
	case VENDOR_QUOTES:
		r->read = quote;
		break;
	case VENDOR_NEWS:
		alpaca_read_news(w, r->ask, r->page);
		return;
	case VENDOR_ACTIONS:
		alpaca_read_actions(w, r->page);
		return;
	case VENDOR_WHATS:
		return;
	}
	rows_by_symbol(w, r);
}

static void read_token(struct json_walk *w, struct vendor_page *out)
{
	if (json_walk_text(w, out->next, sizeof(out->next)) == sizeof(out->next) - 1)
		json_walk_fail(w, "a page token is longer than 2046 bytes");
}

static void read_answer(struct json_walk *w, struct rows *r)
{
	static const char *const names[VENDOR_WHATS] = {"bars", "trades", "quotes",
							"news", "corporate_actions"};
	const char *rows;
	bool is_there = false;
	struct json_key k;

	assert(r->ask->what < VENDOR_WHATS);
	rows = names[r->ask->what];
	if (!json_walk_object(w))
		json_walk_fail(w, "it is null");
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, rows)) {
			is_there = true;
			read_rows(w, r);
		} else if (json_walk_is(&k, "next_page_token")) {
			read_token(w, r->page);
		} else if (json_walk_is(&k, "currency")) {
			json_walk_text(w, r->page->currency, sizeof(r->page->currency));
		} else {
			json_walk_skip(w);
		}
	}
	if (!is_there)
		json_walk_fail(w, "the rows are missing");
}

int alpaca_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *body, size_t len,
		 struct vendor_page *out)
{
	struct rows r = {.ask = a, .page = out};
	struct tz *newyork = NULL;
	struct json_walk w;

	(void)s;
	(void)next;
	if (a->what == VENDOR_TRADES) {
		int rc = tz_load("America/New_York", &newyork);

		if (rc < 0)
			return err_prefix(rc, "trades need the exchange's hours");
	}
	r.how.newyork = newyork;
	r.how.is_crypto = alpaca_is_crypto(a->symbols[0]);
	json_walk_begin(&w, body, len);
	read_answer(&w, &r);
	tz_free(newyork);
	return vendor_parsed(&w, out);
}
