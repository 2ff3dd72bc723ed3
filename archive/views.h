/*
 * views - what a SELECT sees: bars_1s ... bars_1d, ticks, features, matrices and
 * news; and of the metadata symbols, actions and members.
 *
 * Each holds what is archived and what is live (archive/archive.h), of each thing the
 * newest word and once: a bar's and a vector's highest revision, a matrix' highest
 * version of its time.  A view of which there are no files is there and empty.
 */
#pragma once
#include "archive/archive.h"

/**
 * Make those that @sql names (NULL: all) in @d, anew, over the files that are there
 * now: each has to look into its files for their columns.  All as well when it cannot
 * be said which those are.  @pick: over no files but those that @sql can want
 * (archive/pick.h); the views are good for @sql alone then.
 */
int views_make(struct archive *a, struct duck *d, const char *sql, bool pick);
/** Those that were made are gone: the names in a SELECT are those of tables then. */
int views_drop(struct archive *a, struct duck *d);
void views_drop_meta_sql(struct buf *sql);
/** Append the pattern of a view's files that are closed; 1: it is none of these. */
int views_files(const struct archive *a, const char *name, struct buf *out);
/** Of these, what is known of symbols and indices: symbols, actions, members. */
int views_make_meta(struct archive *a, struct duck *d, const struct buf *names);
/** @names: each with its NUL; empty: all. */
bool views_is_named(const struct buf *names, const char *name);
