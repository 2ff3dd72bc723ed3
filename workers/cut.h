/*
 * cut - what tier 2 must know of the bars: one line per bar, change or mark.
 *
 * Each worker writes cut items into a ring of its own, in log order; tier 2
 * merges the rings by position.  CUT_PROGRESS(pos) promises that this worker
 * will send nothing more at or below pos.
 */
#pragma once
#include "proto/event.h"

enum cut_type {
	CUT_BAR = 1,  /* a bar of a series that some universe may use */
	CUT_TIME,     /* log time has reached time_ns (clock records only) */
	CUT_SYMBOL,   /* first sight of a symbol, or its state changed: `state` */
	CUT_PROGRESS, /* everything at or below pos has been sent */
	CUT_SNAPSHOT, /* save the state as it is behind pos; from every worker */
};

struct cut_item {
	uint64_t pos;
	int64_t time_ns; /* bar_end, or the time reached */
	int64_t recv_ns; /* receive time of the record at pos */
	uint64_t bar_seq;
	double log_return; /* NaN: NULL */
	uint32_t symbol_id;
	uint32_t timeframe_s;
	uint32_t revision;
	uint8_t type;  /* enum cut_type */
	uint8_t state; /* CUT_BAR: enum bar_state; CUT_SYMBOL: enum symbol_state */
	uint8_t flags; /* bar flags */
	uint8_t price_type;
	uint8_t cause;  /* enum bar_cause */
	uint8_t replay; /* 1: re-read at start, do not publish */
	uint8_t frozen; /* CUT_BAR: SYMBOL_KILLED or SYMBOL_QUARANTINED; else 0 */
	uint8_t reserved[5];
};
_Static_assert(sizeof(struct cut_item) == 64, "one cache line");
