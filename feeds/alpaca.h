/*
 * alpaca - the parts of its adapter: questions in alpaca.c, answers in alpaca_rows.c.
 * Outside, feeds/vendor.h's alpaca_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

/** "BTC/USD" and the like have routes and sizes of their own. */
bool alpaca_is_crypto(const char *symbol);
/** As vendor_ops.parse. */
int alpaca_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *body, size_t len, struct vendor_page *out);
