/*
 * jsonl - ticks from JSON lines: one object per line, fields by key or by dotted
 * path ("data.p", "conditions.0").  Its own scanner, because numbers must stay
 * exact; numbers may also stand in strings.  A recorder's receive time in front
 * of the object ("1723075200123456789 {...}") is the path "@".
 *
 * Defects are reported to sink->bad, and reading goes on.
 */
#pragma once
#include "feeds/feed.h"
#include "feeds/lines.h"
#include "feeds/mapping.h"

#define JSONL_DEPTH_MAX 16

struct jsonl;

/** Borrows both until jsonl_free(). */
int jsonl_new(struct lines *lines, struct mapping *mapping, struct jsonl **out);
void jsonl_free(struct jsonl *j);
/** Like csv_step(). */
int jsonl_step(struct jsonl *j, const struct feed_sink *sink, size_t budget);
const struct feed_counts *jsonl_counts(const struct jsonl *j);
/** One line's texts, for tests and the fuzzer: 0 or MAPPING_BAD with @why. */
int jsonl_scan(struct jsonl *j, const char *text, size_t len,
	       struct mapping_text out[MAP_FIELDS], char why[FEED_WHY_MAX]);
