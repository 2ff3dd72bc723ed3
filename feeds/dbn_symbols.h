/*
 * dbn_symbols - what an instrument's number is called, and when.
 *
 * Spans say that number I was symbol S in [from, to): the metadata of a file, by date.
 * Names say it from here on: live.  Channels are the pairs of publisher and instrument
 * that were met, with the name in force and the counting of ordinals: what is looked up
 * for every record.  All are bounded, and no lookup walks further than a few steps.
 */
#pragma once
#include "proto/symbol.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dbn_kind { DBN_KIND_TRADE = 0, DBN_KIND_QUOTE, DBN_KIND_STATUS, DBN_KINDS };

struct dbn_ordinal {
	int64_t event_ns;
	uint32_t seq;
	uint32_t n;
};

struct dbn_channel {
	uint64_t key; /* publisher << 32 | instrument; a name: see the source */
	int64_t from_ns, to_ns;
	uint32_t generation; /* of the names when this was looked up; 0: free */
	bool is_valid;       /* the symbol is one of ours */
	char symbol[SYMBOL_MAX];
	struct dbn_ordinal ordinal[DBN_KINDS];
};

struct dbn_symbols;

/** @limit bounds channels and names together. */
int dbn_symbols_new(uint32_t limit, struct dbn_symbols **out);
void dbn_symbols_free(struct dbn_symbols *s);
/**
 * Number @instrument is @text in [from, to).  Where spans of one number overlap, the
 * one that begins last counts.  The caller bounds how many, and calls _sort() after the
 * last.
 */
void dbn_symbols_add(struct dbn_symbols *s, uint32_t instrument, int64_t from_ns,
		     int64_t to_ns, const char *text, size_t len);
void dbn_symbols_sort(struct dbn_symbols *s);
/** ... from here on, whatever was said before.  0, -E2BIG or -ENOMEM. */
int dbn_symbols_set(struct dbn_symbols *s, uint32_t instrument, const char *text,
		    size_t len);
/** Every instrument is called so; @text is valid. */
void dbn_symbols_all(struct dbn_symbols *s, const char *text);

/** Outcome of dbn_symbols_find(): the number has no name at that time. */
enum { DBN_SYMBOLS_NONE = 1 };

/**
 * The channel at @ns, borrowed until the next call.  0, DBN_SYMBOLS_NONE, -E2BIG or
 * -ENOMEM.
 */
int dbn_symbols_find(struct dbn_symbols *s, uint16_t publisher, uint32_t instrument,
		     int64_t ns, struct dbn_channel **out);
