/*
 * dbn_text - DBN's records as Databento writes them in JSON lines and CSV.
 *
 * Each row is written down as the record that it stands for and goes the way of a
 * record (dbn_record()), so all that dbn.h says holds.  Both spellings are understood:
 * integers of billionths and nanoseconds, and "pretty" decimals and RFC 3339 times.
 * Numbers are exact or refused.  Columns that no record of ours has are passed over.
 */
#pragma once
#include "feeds/dbn.h"

/**
 * Read a whole body.  @needs_names: more than one instrument is in it and nothing else
 * says which is which, so each row must have its symbol (map_symbols).  0, what the
 * sink returned, or -EBADMSG with row and reason.
 */
int dbn_text_json(struct dbn *d, const struct dbn_sink *sink, bool needs_names,
		  const char *body, size_t len);
int dbn_text_csv(struct dbn *d, const struct dbn_sink *sink, bool needs_names,
		 const char *body, size_t len);
