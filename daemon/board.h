/*
 * board - what the page shows of the symbols, a frame of JSON at a time.
 *
 * Ticks cost nothing here: their newest are read from the bus's buffers when a frame
 * is made, so only while somebody looks.  Of bars the newest of each symbol's smallest
 * timeframe is kept as it is published.
 *
 * A row, an array: id, symbol, last, change in percent, bid, ask, bar state, bar end
 * (s), bar revision, buffer depth, drops, lag (ms), ticks, bars, source.  Change is
 * against the open of the first bar of the current UTC day since the daemon started.
 *
 * Loop thread.
 */
#pragma once
#include "base/jsonw.h"
#include "base/role.h"
#include "bus/bus.h"
#include "bus/symtab.h"
#include "daemon/publisher.h"

struct board;

struct board_env {
	const struct bus *bus;             /* borrowed */
	const struct symtab *symbols;      /* borrowed */
	const struct symtab *sources;      /* borrowed */
	const struct publisher *publisher; /* borrowed */
	uint32_t symbols_max;
	bool wall; /* lag is against the wall clock; else against the newest tick */
};

/** 0 or -ENOMEM. */
ON_LOOP int board_new(const struct board_env *env, struct board **out);
ON_LOOP void board_free(struct board *b);
/** A bar is published. */
ON_LOOP void board_bar(struct board *b, const struct event_bar *bar);
/**
 * Write the member "rows": symbols that had a tick or a bar since the last call with
 * @full false; with @full true all of them.
 */
ON_LOOP void board_rows(struct board *b, struct jsonw *w, bool full, int64_t now_ns);
