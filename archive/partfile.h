/*
 * partfile - the file of a partition: how it is written, and what state it is in.
 */
#pragma once
#include "archive/archive.h"
#include "archive/layout.h"

#define PARTFILE_ROW_GROUP 61440 /* more than a month of minutes */

/** Append the columns of a file, in their order. */
void partfile_names_sql(struct buf *sql, const struct kind *k);
/** End a "COPY (SELECT ...": into @tmp. */
void partfile_to_sql(struct buf *sql, const char *tmp);
/** What was written is read back before it replaces anything. */
int partfile_describe(struct duck *d, const struct kind *k, const char *path,
		      struct layout_state *out);
/**
 * The state of the file that is there; 1: none is.  -EBADMSG: it is not what its
 * manifest says.  @out_version: of its columns; 0: it has no
 * manifest, or one that says what a crash kept from coming.
 */
int partfile_present(struct duck *d, const struct kind *k, const char *dir,
		     const char *file, struct layout_state *out, uint64_t *out_version);
