/*
 * metalines - the small CSV files of the archive's metadata: a header, then lines that
 * are all understood, or none is taken.
 */
#pragma once
#include "base/buf.h"

/** What a file must look like. */
struct metalines_shape {
	const char *header; /* its first line begins so */
	const char *what;   /* of an error: "member" */
	size_t size;        /* of what a line becomes */
	/** Read @line (its end included, which it may change) into @out, or < 0. */
	int (*read)(char *line, void *out);
};

#define METALINES_BYTES 200 /* of a line */
#define METALINES_SIZE  256 /* of what it becomes, at most */

/** Append what the lines of @path become.  0; 1: there is no such file; -EBADMSG. */
int metalines_read(const char *path, const struct metalines_shape *shape,
		   struct buf *out);
