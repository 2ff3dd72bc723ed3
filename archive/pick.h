/*
 * pick - which files a question can want, by what it says of symbol, year, month and
 * day, before any of them is opened: to look into thousands of them for their columns
 * takes longer than most answers.
 *
 * DuckDB is asked: the question is planned over two empty files, whose partitions lie
 * before and behind all others, and what the plan would leave out files by is then held
 * against the paths that are there.  A condition that both empty files meet is not in
 * the plan, and what is not understood is left out: then more files are read, never
 * fewer.
 */
#pragma once
#include "archive/archive.h"

/** Append the empty files of a kind as SQL: "'path', 'path'". */
int pick_empties(struct archive *a, struct duck *d, enum kinds kind, struct buf *out);
/**
 * Append a condition on symbol or universe, year, month and day that holds for every
 * file that @sql can want, its views being over the empty files.  1: there is none.
 */
int pick_where(struct duck *d, const char *sql, struct buf *out);
/**
 * The files of a kind that match @patterns (SQL, as above) and @where, as SQL in @out,
 * *@out_n of them.  1: too many to name.
 */
int pick_files(struct duck *d, enum kinds kind, const char *patterns, const char *where,
	       struct buf *out, size_t *out_n);
