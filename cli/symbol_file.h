/*
 * symbol_file - lists of symbols in files: a column of a CSV file with a header, or a
 * text with names between blanks, commas and line ends ('#' to the end of a line is a
 * remark).  What a symbol may be is the daemon's to say.
 */
#pragma once
#include "base/buf.h"
#include "feeds/lines.h"
#include <stdbool.h>
#include <stddef.h>

#define SYMBOL_FILE_MAX 10000 /* names */

/**
 * Add the names in @path to @out, each with its NUL.  0, or a negated errno with a
 * sentence (-ENOENT, -EINVAL: no such column; -E2BIG: too many).
 */
int symbol_file_csv(const char *path, const char *column, struct buf *out);
int symbol_file_text(const char *path, struct buf *out);
/** "/x/sp500-2025.csv" names the index "sp500_2025". */
void symbol_file_index(const char *path, char *out, size_t size);
/** The next field of a CSV record, unquoted into @out; false: there is none. */
bool symbol_file_field(const char **at, const char *end, struct buf *out);
/** Which column of the header is called @name (case aside); -EINVAL with those that
 * there are. */
int symbol_file_column(const char *path, const struct line *head, const char *name);
