/*
 * symbolmeta - what is known of symbols beside their bars: DIR/metadata/symbols.csv.
 *
 *	symbol,market_cap,sector
 *	AAPL,large,Technology
 *	BRK/B,large,
 *
 * Columns are whatever keys were ever put, by name; rows by symbol.  Texts without line
 * ends and quotes; one with a comma stands in quotes.  Nothing of it is interpreted.
 */
#pragma once
#include "base/buf.h"
#include "proto/symbol.h"

#define SYMBOLMETA_KEY_MAX   32
#define SYMBOLMETA_VALUE_MAX 255

struct symbolmeta {
	char symbol[SYMBOL_MAX + 1];
	char key[SYMBOLMETA_KEY_MAX + 1];
	char value[SYMBOLMETA_VALUE_MAX + 1]; /* "": not known (any more) */
};

/** -EINVAL: a sentence.  A key is of small letters, digits and _, and not "symbol". */
int symbolmeta_make(const char *symbol, const char *key, const char *value,
		    struct symbolmeta *out);
/** Add the items of a file to @out (struct symbolmeta); 1: there is no such file. */
int symbolmeta_read(const char *path, struct buf *out);
/** Merge @n items; the later word about a symbol's key counts.  @tmp is a new path in
   the archive's own place.  @out_symbols: of how many something is known then. */
int symbolmeta_put(const char *dir, const char *tmp, const struct symbolmeta *items,
		   size_t n, size_t *out_symbols);
