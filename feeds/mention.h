/*
 * mention - which of the known symbols a headline or a category names.
 *
 *	$AAPL                       a cashtag: no letter or digit before the '$'
 *	(NASDAQ: AAPL)              an exchange in parentheses, then symbols; more may
 *	(NYSE: BRK.B; OTC: RHHBY)     follow after ',' or ';', with an exchange or
 *	(Nasdaq:AAPL, MSFT)           without
 *
 * A word alone is no mention: "ALL" and "IT" are symbols too.  Symbols are compared as
 * they are, case counts; exchanges are those of the table in mention.c, any case.
 *
 * Pure.  Any thread.
 */
#pragma once
#include "proto/hist.h"
#include <stddef.h>

struct mention_known {
	const char *const *names; /* borrowed; ascending */
	size_t n;
};

/** Add to @a, each once and 32 at most, what its text @title names. */
void mention_title(const struct mention_known *k, const char *title,
		   struct hist_article *a);
/** The same of a category: a symbol alone, "$AAPL" or "NASDAQ:AAPL". */
void mention_category(const struct mention_known *k, const char *category,
		      struct hist_article *a);
/** Add one symbol, if it is not there and there is room. */
void mention_add(struct hist_article *a, const char *name);
