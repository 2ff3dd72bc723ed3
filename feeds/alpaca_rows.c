/*
 * alpaca_rows - Alpaca's answers: an object of arrays by symbol, and a token.
 */
#include "feeds/alpaca.h"
#include <string.h>

/* The index of a key among the ask's symbols; n_symbols: nobody asked for it. */
static uint32_t find_symbol(const struct vendor_ask *a, const struct json_key *k)
{
	uint32_t i = 0;

	while (i < a->n_symbols && !json_walk_is(k, a->symbols[i]))
		i++;
	return i;
}

static void skip_rows(struct json_walk *w, struct vendor_bars *r)
{
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		json_walk_skip(w);
		r->page->skipped++;
	}
}

static void rows_by_symbol(struct json_walk *w, struct vendor_bars *r)
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
			vendor_read_bar(w, r);
	}
}

static void read_token(struct json_walk *w, struct vendor_page *out)
{
	if (json_walk_text(w, out->next, sizeof(out->next)) == sizeof(out->next) - 1)
		json_walk_fail(w, "a page token is longer than 2046 bytes");
}

int alpaca_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *body, size_t len, struct vendor_page *out)
{
	static const char *const names[VENDOR_WHATS] = {"bars", "trades", "quotes",
							"news", "corporate_actions"};
	struct vendor_bars bars = {.ask = a, .page = out, .time = json_walk_time};
	bool is_there = false;
	struct json_walk w;
	struct json_key k;

	(void)s;
	json_walk_begin(&w, body, len);
	if (!json_walk_object(&w))
		json_walk_fail(&w, "it is null");
	while (json_walk_key(&w, &k)) {
		if (json_walk_is(&k, names[a->what])) {
			is_there = true;
			rows_by_symbol(&w, &bars);
		} else if (json_walk_is(&k, "next_page_token")) {
			read_token(&w, out);
		} else if (json_walk_is(&k, "currency")) {
			json_walk_text(&w, out->currency, sizeof(out->currency));
		} else {
			json_walk_skip(&w);
		}
	}
	if (!is_there)
		json_walk_fail(&w, "the rows are missing");
	return vendor_parsed("Alpaca", &w, out);
}
