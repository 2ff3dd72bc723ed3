/*
 * csv - ticks from delimited text (RFC 4180: quotes, doubled quotes, line ends
 * inside quotes).  The first line is the header unless columns are mapped by
 * number.  A line with a defect is reported to sink->bad, and reading goes on.
 */
#pragma once
#include "feeds/feed.h"
#include "feeds/lines.h"
#include "feeds/mapping.h"

#define CSV_COLUMNS_MAX 256

struct csv;

/** Borrows both until csv_free(). */
int csv_new(struct lines *lines, struct mapping *mapping, struct csv **out);
void csv_free(struct csv *c);
/**
 * Read up to @budget lines.  0: more may come; FEED_END; what the sink
 * returned; -EINVAL: the header lacks what a tick needs.
 */
int csv_step(struct csv *c, const struct feed_sink *sink, size_t budget);
const struct feed_counts *csv_counts(const struct csv *c);
