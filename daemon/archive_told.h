/*
 * archive_told - what of a vendor's series the archive was told, by month, so that
 *years which have not changed are not read again for one new day: DIR/.told/HASH.
 *
 *	tickbus-archive-told 1 bars|alpaca|sip|AAPL|60|0
 *	202401 3f0a8c11
 *
 * A line is a month and the sum over its chunks in history.db.  The file is replaced as
 * a whole after the helper has said that everything is there: what a crash leaves is
 * told again, and what cannot be read too.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stddef.h>
#include <stdint.h>

struct archive_month {
	int32_t month; /* 202401 */
	uint32_t sum;
	int64_t from_ns; /* of its chunks; not kept in the file */
	int64_t to_ns;
};

/** Add one more chunk of a series to @months (struct archive_month), ascending. */
void archive_told_add(struct buf *months, int64_t from_ns, int64_t to_ns, uint32_t sum);
/** Append the months (struct archive_month) that were told of @key; none: nothing is
    known. */
void archive_told_read(const char *dir, const char *key, struct buf *out);
int archive_told_write(const char *dir, const char *key, const struct buf *months);
/**
 * Of @now the next range of months at or behind *@at that @then lacks or has otherwise,
 * months that follow each other as one; *@at is moved behind it.  1: there is none.
 */
int archive_told_next(const struct buf *now, const struct buf *then, size_t *at,
		      int64_t *from_ns, int64_t *to_ns);
