/*
 * polygon_rows - Polygon's answers: a status, rows (none: the key is missing), and
 * where the next page is.
 */
#include "base/err.h"
#include "feeds/polygon.h"
#include "feeds/polygon_ticks.h"
#include <stdio.h>
#include <string.h>

struct rows {
	const struct vendor_ask *ask;
	struct vendor_page *page;
	const struct tz *newyork;
	bool is_stock; /* sizes of quotes are lots, of currencies and coins they are not
			*/
};

bool polygon_is_stock(const char *symbol)
{
	return strpbrk(symbol, ":/") == NULL;
}

void polygon_spell(const char *symbol, char out[SYMBOL_MAX + 3])
{
	const char *slash = strchr(symbol, '/');
	int base;

	if (!slash || strlen(symbol) > SYMBOL_MAX) {
		(void)snprintf(out, SYMBOL_MAX + 3, "%s", symbol);
		return;
	}
	base = (int)(slash - symbol);
	(void)snprintf(out, SYMBOL_MAX + 3, "%s%.*s%s",
		       vendor_is_money_pair(symbol) ? "C:" : "X:", base, symbol,
		       slash + 1);
}

bool polygon_next(const char *url, char out[VENDOR_NEXT_MAX])
{
	const char *host = strstr(url, "://"), *from, *end;
	size_t n = 0;

	from = host ? strchr(host + 3, '/') : url;
	if (!from || *from != '/')
		return false;
	end = strchrnul(from, '#');
	while (from < end) {
		/* Parameter by parameter: a key must not come back in clear. */
		const char *stop = from + 1 + strcspn(from + 1, "?&#");

		if (strncmp(from + 1, "apiKey=", 7) != 0) {
			if (n + (size_t)(stop - from) >= VENDOR_NEXT_MAX)
				return false;
			memcpy(out + n, from, (size_t)(stop - from));
			/* The first that stays opens the query. */
			if (*from == '&' && !memchr(out, '?', n))
				out[n] = '?';
			n += (size_t)(stop - from);
		}
		from = stop;
	}
	for (size_t i = 0; i < n; i++)
		if (out[i] <= ' ' || out[i] > '~')
			return false;
	out[n] = '\0';
	return true;
}

static void keep(struct rows *r, const struct feed_tick *t)
{
	struct feed_tick *to = vendor_page_tick(r->page);

	*to = *t;
	vendor_tick_symbol(to, r->ask->symbols[0]);
}

static void tick(struct json_walk *w, struct rows *r)
{
	struct polygon_raw raw;
	struct feed_tick t;
	bool is_any;

	polygon_raw_history(w, &raw);
	if (w->why)
		return;
	is_any = r->ask->what == VENDOR_TRADES
			 ? polygon_trade(&raw, r->newyork, &t) && !polygon_is_note(&raw)
			 : polygon_quote(&raw, r->is_stock, &t);
	if (!is_any || !vendor_in_range(r->ask, raw.time_ns)) {
		r->page->skipped++;
		return;
	}
	keep(r, &t);
	/* A trade that was withdrawn later is two ticks: it came, and it was void. */
	if (r->ask->what == VENDOR_TRADES && polygon_void(&raw, &t))
		keep(r, &t);
}

static void read_results(struct json_walk *w, struct rows *r)
{
	struct vendor_bars bars = {
		.ask = r->ask, .page = r->page, .time = vendor_read_ms};

	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		switch (r->ask->what) {
		case VENDOR_BARS:
			vendor_read_bar(w, &bars);
			break;
		case VENDOR_TRADES:
		case VENDOR_QUOTES:
			tick(w, r);
			break;
		case VENDOR_NEWS:
			polygon_read_article(w, r->page);
			break;
		case VENDOR_ACTIONS:
			polygon_read_action(w, r->page);
			break;
		case VENDOR_WHATS:
			json_walk_skip(w);
		}
	}
}

static void read_next(struct json_walk *w, struct vendor_page *out)
{
	char url[VENDOR_NEXT_MAX + VENDOR_URL_MAX];
	size_t len = json_walk_text(w, url, sizeof(url));

	if (len > 0 && (len == sizeof(url) - 1 || !polygon_next(url, out->next)))
		json_walk_fail(w, "next_url is no URL of at most 2048 bytes");
}

static void read_answer(struct json_walk *w, struct rows *r)
{
	char status[32] = "";
	struct json_key k;

	if (!json_walk_object(w))
		json_walk_fail(w, "it is null");
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "results"))
			read_results(w, r);
		else if (json_walk_is(&k, "status"))
			json_walk_text(w, status, sizeof(status));
		else if (json_walk_is(&k, "next_url"))
			read_next(w, r->page);
		else
			json_walk_skip(w);
	}
	/* DELAYED is a success with late data. */
	if (strcmp(status, "OK") != 0 && strcmp(status, "DELAYED") != 0)
		json_walk_fail(w, "its status is neither OK nor DELAYED");
}

int polygon_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		  const char *next, const char *body, size_t len,
		  struct vendor_page *out)
{
	struct rows r = {.ask = a, .page = out};
	struct tz *newyork = NULL;
	struct json_walk w;
	int rc;

	(void)s;
	if (a->what == VENDOR_TRADES) {
		rc = tz_load("America/New_York", &newyork);
		if (rc < 0)
			return err_prefix(rc, "trades need the exchange's hours");
	}
	r.newyork = newyork;
	r.is_stock = polygon_is_stock(a->symbols[0]);
	json_walk_begin(&w, body, len);
	read_answer(&w, &r);
	tz_free(newyork);
	rc = vendor_parsed(&w, out);
	if (rc < 0 || a->what != VENDOR_ACTIONS || out->next[0] != '\0')
		return rc;
	rc = polygon_list_after(a, next, out->next);
	if (rc < 0)
		vendor_page_reset(out);
	return rc;
}
