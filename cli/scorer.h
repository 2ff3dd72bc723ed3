/* scorer - the scorer of headlines on the user's side, with VADER's lexicon from where
 * tools/setup-news puts it. */
#pragma once
#include "analysis/sentiment.h"

/**
 * A scorer of @flavour; VADER's lexicon is read from @path (NULL: the usual place).
 * `finance` goes without it when it is not there, and says so on standard error.
 * CLI_OK, or an exit code after the reason has been printed.
 */
int scorer_open(enum sentiment_flavour flavour, const char *path,
		struct sentiment **out);
/** @n of them, one for each thread; those that were made are freed when it fails. */
int scorer_open_many(enum sentiment_flavour flavour, const char *path, size_t n,
		     struct sentiment **out);
