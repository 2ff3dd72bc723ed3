/*
 * polygon - the parts of its adapter: questions in polygon.c, answers in
 * polygon_rows.c, polygon_ticks.c and polygon_news.c.  Outside, feeds/vendor.h's
 * polygon_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

#define POLYGON_ACTIONS_MAX 1000 /* rows of a page */

/** As vendor_ops.parse. */
int polygon_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		  const char *next, const char *body, size_t len,
		  struct vendor_page *out);
/**
 * The path and query of a next_url, without its host and without any key in it; false
 * when it is no URL or does not fit.
 */
bool polygon_next(const char *url, char out[VENDOR_NEXT_MAX]);

/** Not crypto, a currency, an option, an index ("X:BTCUSD", "BTC/USD"). */
bool polygon_is_stock(const char *symbol);
/** "BTC/USD" is X:BTCUSD, "EUR/USD" C:EURUSD there; others are spelled as ours. */
void polygon_spell(const char *symbol, char out[SYMBOL_MAX + 3]);
/** Where one of the two lists of corporate actions is asked for. */
int polygon_actions_target(const struct vendor_ask *a, bool dividends, struct buf *t);
/** Behind the last page of a list of actions: the other list, or "". */
int polygon_list_after(const struct vendor_ask *a, const char *now,
		       char out[VENDOR_NEXT_MAX]);

/** One element of the results of news, splits or dividends. */
void polygon_read_article(struct json_walk *w, struct vendor_page *out);
void polygon_read_action(struct json_walk *w, struct vendor_page *out);
