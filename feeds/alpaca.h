/*
 * alpaca - the parts of its adapter: questions in alpaca.c, answers in alpaca_rows.c,
 * alpaca_ticks.c and alpaca_news.c.
 * Outside, feeds/vendor.h's alpaca_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

/** "BTC/USD" and the like have routes and sizes of their own. */
bool alpaca_is_crypto(const char *symbol);
/** As vendor_ops.parse. */
int alpaca_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *body, size_t len,
		 struct vendor_page *out);

/** Its news know coins without the stroke: "BTCUSD". */
void alpaca_news_name(const char *symbol, char out[SYMBOL_MAX + 1]);
/** Behind the key "news" or "corporate_actions". */
void alpaca_read_news(struct json_walk *w, const struct vendor_ask *a,
		      struct vendor_page *out);
void alpaca_read_actions(struct json_walk *w, struct vendor_page *out);
/** One article, of the past or of the stream. */
void alpaca_read_article(struct json_walk *w, struct hist_article *out);
