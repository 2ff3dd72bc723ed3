/*
 * ledger - what we know of a feed's past, per symbol: no hole that is not explained.
 *
 *	09:30        09:41:07   09:41:31                            10:12:40
 *	  |---- live ----|-- open --|------------- live -----------------|
 *	                       |
 *	                       +--> refilled (n ticks), quiet (the vendor has none),
 *	                            lost (and why)
 *
 * Spans of a symbol lie end to end in event time.  What a stream brings is good up
 * to the newest tick that is in the log; between that and the moment the stream flows
 * again everything is open until it is settled.  A symbol begins when its feed first
 * flowed with it.  Neighbours alike are one span; of each symbol the newest
 * LEDGER_SPANS_MAX are kept, and what is open is never forgotten.
 *
 * Pure; one thread.  Whoever saves it does so after the ticks it counts are in the log
 * (daemon/live_feed.h): it may know less than the log, never more.
 */
#pragma once
#include "base/buf.h"
#include "proto/symbol.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_SPANS_MAX 96
#define LEDGER_WHY_MAX   96

#define LEDGER_KINDS(X)                                                                \
	X(LIVE, "live", "came by the stream")                                          \
	X(REFILLED, "refilled", "fetched from the vendor's history")                   \
	X(QUIET, "quiet", "the vendor's history has nothing there")                    \
	X(LOST, "lost", "cannot be had; the reason is given")                          \
	X(OPEN, "open", "missing, and still to be fetched")

#define X(id, label, help) LEDGER_##id,
enum ledger_kind { LEDGER_KINDS(X) LEDGER_KINDS_N };
#undef X

struct ledger_span {
	int64_t from_ns;
	int64_t to_ns;            /* exclusive, > from_ns */
	uint64_t ticks;           /* refilled: how many were not in the log yet */
	uint8_t kind;             /* enum ledger_kind */
	char why[LEDGER_WHY_MAX]; /* lost, and open after an attempt: a sentence */
};

struct ledger;

const char *ledger_kind_name(unsigned kind);

/** Nothing is known yet.  0 or -ENOMEM. */
int ledger_new(const char *const *symbols, size_t n, struct ledger **out);
void ledger_free(struct ledger *l);
size_t ledger_symbols(const struct ledger *l);
const char *ledger_symbol(const struct ledger *l, size_t i);

/** Symbols of which nothing is known yet begin at @ns: from there on they are owed. */
void ledger_begin(struct ledger *l, int64_t ns);
/** Up to where symbol @i is explained; INT64_MIN: nothing is known yet. */
int64_t ledger_end_ns(const struct ledger *l, size_t i);
/** The stream flows from @ns (event time) on: what lies before, up to where it was
    good, is open. */
void ledger_on(struct ledger *l, int64_t ns);
/** Everything before @ns is in the log.  Ignored unless the stream flows. */
void ledger_good(struct ledger *l, int64_t ns);
/** It does not flow any more. */
void ledger_off(struct ledger *l);
bool ledger_is_on(const struct ledger *l);
/** Up to where the stream is good; INT64_MIN: it never was. */
int64_t ledger_good_ns(const struct ledger *l);

/** The spans of symbol @i, oldest first, without the one that still grows. */
const struct ledger_span *ledger_spans(const struct ledger *l, size_t i, size_t *out_n);
/** The one that grows; false: there is none. */
bool ledger_growing(const struct ledger *l, struct ledger_span *out);
/** Open spans of all symbols. */
size_t ledger_open_count(const struct ledger *l);
/** All open spans lie in [*out_from, *out_to); false: there are none. */
bool ledger_open_hull(const struct ledger *l, int64_t *out_from, int64_t *out_to);

/** What is open of symbol @i in [@from_ns, @to_ns) is so now. */
void ledger_settle(struct ledger *l, size_t i, const struct ledger_span *s);
/** What is open of symbol @i there stays so, because of @why. */
void ledger_note(struct ledger *l, size_t i, int64_t from_ns, int64_t to_ns,
		 const char *why);

/** Append it to @out. */
void ledger_save(const struct ledger *l, struct buf *out);
/**
 * Take over what was saved of the symbols that @l has; others are forgotten, those
 * that were not there begin anew.  0 or -EBADMSG, then @l is as before.
 */
int ledger_load(struct ledger *l, const void *data, size_t len);
/** The same with the symbols as they were saved. */
int ledger_read(const void *data, size_t len, struct ledger **out);
