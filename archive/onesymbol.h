/*
 * onesymbol - one symbol's bars of a question, as a SELECT: its newest revisions in the
 * range, of one maker, adjusted for corporate actions (archive/actions.h), made
 * coarser.
 *
 * Coarser bars follow semantics A.1: intervals closed left from midnight UTC on; the
 * first open, the highest high, the lowest low, the last close, exact sums of volume
 * and trade_count, vwap weighted by volume.  A coarser bar is in the range when its
 * bar_start is, and is then made of all its bars.
 */
#pragma once
#include "archive/enquiry.h"

/**
 * Append a SELECT with the columns timestamp and q's fields.  1: the symbol has no bars
 * in the range; -ENOENT: it has none at all.  @out_is_raw: an adjustment was asked for,
 * and nobody put the symbol's corporate actions here.
 */
int onesymbol_sql(struct archive *a, const struct enquiry *q, const char *symbol,
		  struct buf *sql, bool *out_is_raw);
/** Append the SELECT of enquiry_bars(); -ENOENT: there are none. */
int onesymbol_joined_sql(struct archive *a, const struct enquiry *q, struct buf *sql);
