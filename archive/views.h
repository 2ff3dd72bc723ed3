/*
 * views - what a SELECT sees: bars_1s ... bars_1d, ticks, features and matrices.
 *
 * Each holds what is archived and what is live (archive/archive.h), of each thing the
 * newest word and once: a bar's and a vector's highest revision, a matrix' highest
 * version of its time.  A view of which there are no files is there and empty.
 */
#pragma once
#include "archive/archive.h"

/** Make them in @d, anew, over the files that are there now. */
int views_make(struct archive *a, struct duck *d);
