/*
 * barcols - vendors' bars as columns of whole numbers, for whoever wants many: no name
 * is said twice and no decimal is printed and read.
 *
 *	{"time_ns": [..], "open_e9": [..], "high_e9": [..], "low_e9": [..],
 *	 "close_e9": [..], "volume_e8": [..], "vwap_e9": [..], "trades": [..]}
 *
 * All columns are of one length, null is what is not known (VALUE_NULL).  Values are
 * those of struct hist_bar, so nothing is lost on the way.  Pure; any thread.
 */
#pragma once
#include "base/jsonw.h"
#include "proto/hist.h"
#include "proto/json_scan.h"

/** As a member @key of the object that is open (NULL: as the value itself). */
void barcols_write(struct jsonw *w, const char *key, const struct hist_bar *bars,
		   size_t n);
/** Append the bars to @out (struct hist_bar).  -EINVAL: it is none of the above (a
    column is missing, of another length, or holds what is no number); nothing is
    appended then. */
int barcols_read(const struct json_token *columns, struct buf *out);
/** The double next to the decimal, as a reader of its text has it; NaN for
    VALUE_NULL. */
double barcols_price(int64_t value_e9);
double barcols_size(int64_t value_e8);
