/* html - the report as one page that needs nothing else: no script, no network. */
#pragma once
#include "report/report.h"

/**
 * Add the page to @out.  Charts are drawn for the first @charts rows that have a price;
 * the tables hold all rows.  Same report, same bytes.
 */
void report_html(const struct report *r, size_t charts, struct buf *out);
