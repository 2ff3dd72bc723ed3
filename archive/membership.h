/*
 * membership - who belongs to an index since when: DIR/metadata/indices/NAME.csv.
 *
 *	symbol,added_date
 *	AAPL,2016-01-04T00:00:00Z
 *
 * Sorted by symbol.  What comes is added to what is there; of two dates of a symbol the
 * earlier one stays, so that the same members again leave the same bytes.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stdint.h>

struct membership {
	char symbol[SYMBOL_MAX + 1];
	int64_t added_ns;
};

/** Add the members of NAME.csv to @out (struct membership); 1: there is no such file.
    -EBADMSG: a line is none. */
int membership_read(const char *dir, const char *name, struct buf *out);
/**
 * Add @n members.  @tmp is a new path in the archive's own place.  @out_total and
 * @out_added: members afterwards, and how many of them are new.
 */
int membership_put(const char *dir, const char *name, const char *tmp,
		   const struct membership *members, size_t n, size_t *out_total,
		   size_t *out_added);
