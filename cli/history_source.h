/*
 * history_source - what the daemon keeps of the past, row by row: bars, articles, and
 * which series there are.  Pages are followed; nothing is printed.
 *
 * Any thread; several at a time with the same struct cli.
 */
#pragma once
#include "cli/query.h"
#include "proto/hist.h"

#define HISTORY_REASON_MAX 256

enum history_what { HISTORY_BARS = 0, HISTORY_ARTICLES, HISTORY_SERIES };

/** NULL, but for the symbol: the daemon's default. */
struct history_wish {
	const char *symbol, *timeframe, *source, *adjust, *start, *end;
};

/** Takes one row, an object as docs/PROTOCOL.md has it: CLI_OK, or an exit code that
    ends it. */
typedef int (*history_row)(void *arg, const struct json_token *row);

/**
 * Every row of @what, oldest first.  CLI_OK, or an exit code: CLI_NEGATIVE with the
 * daemon's sentence in @reason (HISTORY_REASON_MAX bytes; there is none of it, mostly);
 * any other is said on stderr already.
 */
int history_source_each(struct cli *c, enum history_what what,
			const struct history_wish *wish, history_row fn, void *arg,
			char *reason);

/** Takes one bar: CLI_OK, or an exit code that ends it. */
typedef int (*history_bar)(void *arg, const struct hist_bar *bar);
/** The same for HISTORY_BARS, many times as fast (proto/barcols.h). */
int history_source_bars(struct cli *c, const struct history_wish *wish, history_bar fn,
			void *arg, char *reason);
