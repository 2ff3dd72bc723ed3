/*
 * yahoo - the parts of its adapter: questions in yahoo.c, answers in yahoo_chart.c and
 * yahoo_news.c.  Outside, feeds/vendor.h's yahoo_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

#define YAHOO_SYMBOL_MAX (SYMBOL_MAX + 3)

/**
 * Our name as Yahoo spells it:
 *
 *	BRK.B             BRK-B      a class of shares
 *	VOD.L, WSU.DE     the same   an exchange
 *	BTC/USD           BTC-USD
 *	EUR/USD C:EURUSD  EURUSD=X
 *	I:GSPC            ^GSPC      an index
 *	F:GC              GC=F       a future
 */
void yahoo_spell(const char *symbol, char out[YAHOO_SYMBOL_MAX]);
/** The reverse, as far as there is one; false: no symbol of ours. */
bool yahoo_unspell(const char *theirs, char out[SYMBOL_MAX + 1]);

/** "1m", "1d"; NULL: Yahoo has no such bars, or none that can be trusted. */
const char *yahoo_interval(uint32_t step_s);

/** Behind a chart's bars and actions, and a search's news; as vendor_ops.parse. */
int yahoo_parse_chart(const struct vendor_ask *a, const char *body, size_t len,
		      struct vendor_page *out);
int yahoo_parse_news(const struct vendor_ask *a, const char *body, size_t len,
		     struct vendor_page *out);
