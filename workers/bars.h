/*
 * bars - the normaliser of one symbol: ticks in log order in, bars of every timeframe
 * and price type out (semantics A.1, A.2).
 *
 * Log time = max(event time of the ticks taken, time of clock records).  What comes out
 * before a call returns is a function of the calls alone.  Bars of all series share one
 * sequence, +1 each; head.pos and head.recv_ns are those of the record that brought the
 * emission about.
 *
 * Which ticks make what:
 *	last   trades, by their permissions (TICK_NO_x); volume, trade_count and vwap
 *are of the trades that may count in volume mid    (bid + ask) >> 1 of ticks with both
 *sides, crossed ones too (BAR_CROSSED) bid, ask  every tick with that side; volume
 *stays 0, trade_count counts quotes auto   last or mid, by the first tick that has a
 *price or both sides A bar whose trades may set neither last nor range is missing, and
 *keeps its volume. A bar with some but not all of the four prices has NULL for the
 *others, and rule 2c of validation flags it.
 *
 * Cancels and corrections change bars that are not final.  Sums are always exact; when
 *a withdrawn trade may have set a price and the history does not reach back to the
 *bar's first trade, the price stays and counts.edges_kept and SYMBOL_CANCEL_LOST say
 *so.
 */
#pragma once
#include "base/state.h"
#include "bus/symtab.h"
#include "proto/record.h"
#include "workers/bars_counts.h"
#include "workers/out.h"
#include "workers/params.h"
#include "workers/source_life.h"

struct bars;

/** Everything but @name is borrowed until bars_free(); 0 or -ENOMEM. */
int bars_new(const struct params *p, const struct symbol_params *sp, uint32_t symbol_id,
	     const char *name, const struct symtab *sources,
	     const struct source_life *life, struct bars **out);
void bars_free(struct bars *b);
/** A RECORD_TICK of this symbol. */
void bars_tick(struct bars *b, const struct item *it, const struct out *out);
/** Time has reached @now_ns. */
void bars_clock(struct bars *b, uint64_t pos, int64_t now_ns, int64_t recv_ns,
		const struct out *out);
/**
 * Time had reached @now_ns before the next tick, and bars_due() lay beyond it: what
 * comes from before it is late.
 */
void bars_reached(struct bars *b, int64_t now_ns);
/** Earliest log time at which bars_clock() would do something; INT64_MAX: none. */
int64_t bars_due(const struct bars *b);
/**
 * The symbol goes on after a pause or a fault: its grids ended with the pause and begin
 * anew with the next tick; bars that were open then are published in time.
 */
void bars_restart(struct bars *b);
/** Save or load all that it remembers; for one of the same symbol and parameters. */
void bars_state(struct state *st, struct bars *b);
/** Sequence of its newest bar event. */
uint64_t bars_seq(const struct bars *b);
/** The next bar event is number @seq + 1. */
void bars_renumber(struct bars *b, uint64_t seq);
const struct bars_counts *bars_counts(const struct bars *b);
/** Bytes held, for the memory budget. */
size_t bars_bytes(const struct bars *b);
