/*
 * analysis_line - what the process that computes a job says of its rows, a line each:
 *
 *	begin 17	from here on it is at this row: should it die, then maybe of it
 *	leave 17	no longer, and it comes back: its bars are read, say
 *	done 17		it is made, or
 *	failed 18 pricing: there is no bar of it
 *
 * Rows are numbered from 1.  The process is ours and may be damaged all the same: a
 * line that is none of these, or too long, is -EINVAL, and whoever reads ends it.
 * Reasons are made printable and cut.
 */
#pragma once
#include "store/histjobs.h"

#define ANALYSIS_LINE_MAX 1024 /* with its line end */

enum analysis_word { ROW_BEGIN = 0, ROW_LEAVE, ROW_DONE, ROW_FAILED };

struct analysis_line {
	uint32_t row; /* from 1 */
	enum analysis_word word;
	char reason[HISTJOBS_REASON_MAX]; /* of ROW_FAILED */
};

/** One line without its end: 0 or -EINVAL. */
int analysis_line_parse(const char *text, size_t len, struct analysis_line *out);

/** Bytes in any pieces. */
struct analysis_lines {
	char held[ANALYSIS_LINE_MAX];
	size_t n;
};

typedef int (*analysis_line_fn)(void *arg, const struct analysis_line *line);
/** Call @fn with every line that is complete now: 0, -EINVAL, or what @fn returned. */
int analysis_lines_take(struct analysis_lines *l, const char *data, size_t len,
			analysis_line_fn fn, void *arg);

/** Copy @len bytes as text that can be shown: what is no UTF-8 or no character to print
    becomes '?'; cut at @cap - 1 bytes, between characters. */
void analysis_printable(const char *text, size_t len, char *out, size_t cap);
