/* compute - the parts of a row, one thread each; of report.c and who shows rows. */
#pragma once
#include "base/jsonw.h"
#include "report/report.h"
#include <math.h>

/** Choose the bars of @s. */
void report_price(const struct report *r, struct report_symbol *s);
/** Their indicators. */
void report_technical(const struct report *r, struct report_symbol *s);
/** Score the articles and sum them up. */
void report_news(const struct report *r, struct report_symbol *s,
		 struct sentiment *scorer);

/** Write its row of every list that the flow has: json.c only strings them together. */
void report_row_json(const struct report *r, struct report_symbol *s);

/** Our bar of that time, or NULL. */
const struct report_bar *report_bar_at(const struct report_symbol *s, int64_t time_ns);
/** By how much the close of @x differs from ours, 0.01 = 1 %, at the newest time that
    both have (@out_ns); NaN: there is none. */
double report_deviation(const struct report_symbol *s, const struct report_series *x,
			int64_t *out_ns);
