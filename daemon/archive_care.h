/*
 * archive_care - what is done for the archive behind a hand-over: what is older than
 * the configuration keeps goes (archive.retain_bars and its like), and what is left is
 * counted, for /metrics.
 *
 * Age is log time, so that a replay of old data keeps what today's would.  Nothing of a
 * day goes that was not closed: what was handed over as rows is whole.
 *
 * Counting reads every manifest.  It is done again when something was handed over, and
 * takes at most a twentieth of the time.
 */
#pragma once
#include "archive/kinds.h"
#include "base/role.h"
#include <stdint.h>

struct daemon;
struct archive_care;

#define ARCHIVE_COUNTED (KINDS + 1) /* the kinds of rows, and whole events */

struct archive_count {
	uint64_t files;
	uint64_t rows;
	uint64_t bytes;
};

int archive_care_new(struct archive_care **out);
void archive_care_free(struct archive_care *c); /* NULL is fine */
/**
 * Let go what is older than it may be: of days before @open_day (UTC days since 1970)
 * alone, @clock_ns being log time; of whole events nothing of which there are no rows
 * yet, those being at @rows_pos or later.  0, or < 0: not now.
 */
ON_ARCHIVE int archive_care_retain(struct archive_care *c, struct daemon *d,
				   int64_t clock_ns, int64_t open_day,
				   uint64_t rows_pos);
/** Rows of vendors' bars before are not kept; INT64_MIN: all are. */
ON_ARCHIVE int64_t archive_care_from(const struct archive_care *c, enum kinds kind);
/** Count, when it is time to.  0, or < 0: not now. */
ON_ARCHIVE int archive_care_count(struct archive_care *c, struct daemon *d);
/** What was counted last, by enum kinds; zeros before. */
ANY_THREAD void archive_care_counts(struct archive_care *c,
				    struct archive_count out[ARCHIVE_COUNTED]);
/** "bars" ... "events". */
const char *archive_care_name(unsigned kind);
