/*
 * barrow - a row of the archive: a bar, whoever made it, as its file holds it.
 *
 * Prices and volumes become doubles here, the nearest to what was exact, as the
 * origin's files have them: up to 4 million with nine decimals the exact value comes
 * back by rounding.  The exact ones stay in the log and in history.db.
 */
#pragma once
#include "proto/event.h"
#include "proto/hist.h"

#define BARROW_OWN "tickbus" /* feed of bars that we made, of a source's ticks */

struct barrow {
	char symbol[SYMBOL_MAX + 1];
	uint32_t step_s;
	int64_t start_ns;
	double open; /* NaN is NULL, here and below */
	double high;
	double low;
	double close;
	double volume;
	double trade_count;
	double vwap;
	double log_return_1;
	double spread_estimate;
	uint32_t revision;
	bool final;
	bool judged;   /* the clean layer saw it: the four below are known */
	uint8_t flags; /* BAR_x */
	uint8_t state; /* enum bar_state */
	uint8_t spread_method;
	uint8_t outlier_reason;
	uint8_t price_type;
	char adjust[8]; /* "raw", "split", "all" */
	char source[SOURCE_MAX + 1];
	char feed[HIST_FEED_MAX + 1];
};

/** Bars of a vendor are final and of revision 0.  -EINVAL: it cannot be archived. */
int barrow_of_hist(const struct hist_series *s, const struct hist_bar *b,
		   struct barrow *out);
int barrow_of_event(const struct event_bar *b, struct barrow *out);
/** "raw" ...; HIST_ALL + 1 when unknown. */
const char *barrow_adjust_name(unsigned adjust);
unsigned barrow_adjust_parse(const char *s);
