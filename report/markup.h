/*
 * markup - text and numbers as a page may hold them.
 *
 * Whatever vendors and producers wrote goes through markup_text(): nothing of it can
 * become a tag, an attribute or a script.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

/** Add @text, fit for an element or a quoted attribute; what is no UTF-8 and controls
    become U+FFFD. */
void markup_text(struct buf *out, const char *text);
/** Is it an address that a reader may follow: http or https, and no blanks? */
bool markup_is_link(const char *url);
/** A price: more digits the smaller it is, thousands parted from 10,000 on.  NaN is a
 * dash, as below. */
void markup_price(struct buf *out, double v);
/** "+1.25 %" of 0.0125. */
void markup_percent(struct buf *out, double v);
/** With @digits behind the point; @sign: also a plus. */
void markup_number(struct buf *out, double v, int digits, bool sign);
/** "1.2M" */
void markup_amount(struct buf *out, double v);
/** "2024-01-31", or with @time "2024-01-31 15:30", UTC. */
void markup_date(struct buf *out, int64_t ns, bool time);
