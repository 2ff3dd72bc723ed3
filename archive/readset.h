/*
 * readset - the files that a question reads, and whether they are still the same.
 *
 * A file is replaced by rename, so whoever opens it has the old one or the new one.
 * DuckDB opens it more than once, by name: for its columns, and again for each thread's
 * rows.  What it found in the old file's footer it then looks for in the new file, and
 * mostly fails, but not always.  So an answer counts only when no file that it may have
 * read was replaced from before it began until it was there.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

struct readset {
	struct buf patterns; /* each with its NUL */
	uint64_t mark;
};

/** Files that match @pattern, now or later, are read. */
void readset_add(struct readset *r, const char *pattern);
void readset_mark(struct readset *r);
/** True: all of them are what they were at the mark. */
bool readset_is_same(const struct readset *r);
void readset_free(struct readset *r);
