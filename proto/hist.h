/*
 * hist - what a vendor's past looks like to us: bars, articles and corporate
 * actions as they were fetched.  Ticks have a struct of their own (feeds/feed.h).
 *
 * These are not derived values and not records of the log: they are somebody
 * else's statements about the past, kept beside the log with who said it.
 */
#pragma once
#include "proto/record.h"
#include "proto/symbol.h"
#include <stdint.h>

#define HIST_SOURCE_MAX 16 /* "alpaca", "polygon", "databento", "yahoo" */
#define HIST_FEED_MAX   16 /* "sip", "XNAS.ITCH"; "": the vendor has one */
#define HIST_TEXT_MAX   512

/** What prices and sizes were adjusted for before we got them. */
enum hist_adjust {
	HIST_RAW = 0,
	HIST_SPLIT, /* splits alone */
	HIST_ALL,   /* splits and dividends */
};

/** One bar.  Its interval is [start_ns, start_ns + the series' step). */
struct hist_bar {
	int64_t start_ns; /* UTC; of a day: its first instant in the exchange's zone */
	int64_t open_e9;
	int64_t high_e9;
	int64_t low_e9;
	int64_t close_e9;
	int64_t volume_e8; /* VALUE_NULL where unknown, as all below */
	int64_t vwap_e9;
	int64_t trades;
};
_Static_assert(sizeof(struct hist_bar) == 64, "one cache line, as it is stored");

/** Whose bars, of what: the key under which they are kept. */
struct hist_series {
	char source[HIST_SOURCE_MAX + 1];
	char feed[HIST_FEED_MAX + 1];
	char symbol[SYMBOL_MAX + 1];
	uint8_t adjust;  /* enum hist_adjust */
	uint32_t step_s; /* 60; 86400: days of the exchange */
};

/** One article; the same id with a later updated_ns is the same, edited. */
struct hist_article {
	char id[64];
	int64_t created_ns;
	int64_t updated_ns;
	uint32_t n_symbols;
	char symbols[32][SYMBOL_MAX]; /* NUL padded; more are cut off */
	char headline[HIST_TEXT_MAX];
	char summary[HIST_TEXT_MAX * 2];
	char url[HIST_TEXT_MAX];
	char publisher[64];
};

enum hist_action_kind {
	ACTION_SPLIT = 1, /* numerator new shares for denominator old ones */
	ACTION_DIVIDEND,  /* amount_e9 in currency */
	ACTION_SPIN_OFF,
	ACTION_NAME_CHANGE, /* symbol became new_symbol */
	ACTION_OTHER,
};

struct hist_action {
	uint8_t kind;    /* enum hist_action_kind */
	int32_t ex_date; /* 20240610 */
	char symbol[SYMBOL_MAX + 1];
	char new_symbol[SYMBOL_MAX + 1];
	char currency[8];
	int64_t numerator_e9; /* split 4:1 has 4 and 1; reverse 1:10 has 1 and 10 */
	int64_t denominator_e9;
	int64_t amount_e9;
};
