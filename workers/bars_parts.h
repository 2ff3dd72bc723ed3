/*
 * bars_parts - what bars.c (time, trades, quotes) and bars_amend.c (cancels,
 * corrections, halts) know in common; nobody else includes it.
 */
#pragma once
#include "workers/amend.h"
#include "workers/arbiter.h"
#include "workers/bars.h"
#include "workers/series.h"

struct bars {
	int64_t due_ns; /* smallest of the series' */
	uint32_t n_series;
	bool undecided; /* a series is still PRICE_AUTO */
	bool any_source;
	uint16_t source_id;      /* the configured one, once seen; 0: not yet */
	struct arbiter *arbiter; /* owned; NULL: there is nothing to choose */
	uint64_t wants;          /* bit per enum price_type */
	int64_t pool_start_ns;   /* see bars_pool.c; start >= end: closed */
	int64_t pool_end_ns;
	struct slot *pool; /* owned; one per price type; NULL: do without */
	uint8_t pool_type[PRICE_TYPES_MAX];
	uint8_t n_pools;
	bool pooled; /* there is something in it */
	struct amends amends;
	struct tick_key last_quote; /* the greatest so far */
	struct series_env env;
	struct session session;
	struct series series[];
};

/** Work out again what the series together want to see. */
void bars_note_wants(struct bars *b);
/** After a change to @slot of @s: publish what that makes due. */
void bars_settle(struct bars *b, struct series *s, struct slot *slot,
		 enum bar_cause cause);
/** Hand what is in the pool to the open bars. */
void bars_pool_flush(struct bars *b);
/** The same, and take nothing more until bars_pool_open(). */
void bars_pool_close(struct bars *b);
/** After a tick at @event_ns inside the session: pool those that follow, if possible.
 */
void bars_pool_open(struct bars *b, int64_t event_ns);
/** A cancel or a correction. */
void bars_amend(struct bars *b, const struct record *r);
/** Forget amendments older than the window; those without a trade are reported. */
void bars_expire(struct bars *b);
/** Is this tick of the source that makes the bars?  Tells when another was chosen. */
bool bars_source_takes(struct bars *b, const struct record *r);
/** Time has come to @now_ns: the chosen source may have fallen silent. */
void bars_source_time(struct bars *b, int64_t now_ns);
/** TICK_HALT or TICK_RESUMED. */
void bars_halt(struct bars *b, const struct record *r);
