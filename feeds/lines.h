/*
 * lines - the lines of a file, a pipe or standard input, plain or gzip.
 *
 * LF and CR LF end a line; the last one need not be ended.  gzip is recognised
 * by its first bytes, also when several members follow each other.  Memory is
 * bounded by line_max: a longer line is skipped and reported with its number.
 * One thread at a time; blocks where the descriptor does.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINES_MAX_DEFAULT (64u << 10)

struct lines;

struct line {
	const char *text; /* borrowed until the next call; no line end, no NUL */
	size_t len;
	uint64_t number; /* of its first line, from 1 */
};

/** Outcomes of lines_next(). */
enum {
	LINES_END = 1,
	LINES_LONG, /* line->number was longer than line_max and is skipped */
	LINES_OPEN, /* quoted only: the quote opened in this line is never closed */
};

/** "-" is standard input.  Negated errno with a sentence. */
int lines_open(const char *path, size_t line_max, struct lines **out);
/** Reads @fd, which it owns from here on, also when it fails. */
int lines_open_fd(int fd, size_t line_max, struct lines **out);
void lines_close(struct lines *l);

/**
 * The next line.  With @is_quoted, a line end inside double quotes (opened at
 * the beginning of a field delimited by @delimiter) belongs to the record.  A
 * quote that is not closed within line_max is LINES_OPEN for its first line
 * alone, and reading goes on behind that line: nothing is swallowed.
 *
 * 0 or an outcome; -EBADMSG (gzip damaged or cut off), -EIO and the like.
 */
int lines_next(struct lines *l, bool is_quoted, char delimiter, struct line *out);

/**
 * @line, just given, is one record of several lines and makes no sense: go on behind
 * its first line instead, in case a stray quote had swallowed the others.
 */
void lines_reread(struct lines *l, const struct line *line);

/**
 * What follows, unpacked, as it is and not in lines.  A look finds at least @want
 * bytes, unless the file ends before, and leaves them there; else (@want 0) they are
 * given away.  *out_n 0: the end.  0, or as lines_next().
 */
int lines_bytes(struct lines *l, size_t want, const char **out, size_t *out_n);

/** Bytes consumed of the file as it lies on disk, and its size (0: unknown). */
void lines_progress(const struct lines *l, uint64_t *out_read, uint64_t *out_total);
