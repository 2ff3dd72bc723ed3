/* chart - what is drawn: a symbol, its line in a table, and how symbols go together. */
#pragma once
#include "report/summary.h"

/** Price with Bollinger's bands, volume, RSI and sentiment of @s, which has a price. */
void chart_symbol(struct buf *out, const struct report *r,
		  const struct report_symbol *s);
/** The newest closes as a small line. */
void chart_spark(struct buf *out, const struct report_symbol *s);
/** Average sentiment of the rows that have news, at most @max of them. */
void chart_sentiment(struct buf *out, const struct report *r, size_t max);
/** Cells with numbers, orange (-1) over white to blue (+1). */
void chart_correlation(struct buf *out, const struct report_correlation *c);
