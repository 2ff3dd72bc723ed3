/*
 * filter - which events a subscriber wants: kinds and symbols.
 *
 * A zeroed filter wants nothing.  The set of symbols is all of them, also those
 * that are not known yet, or a bitmap of ids that grows as ids are added.
 */
#pragma once
#include "proto/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_KIND(kind)  (1u << (kind))
#define FILTER_KINDS_ALL   ((1u << EVENT_KINDS) - 1)
#define FILTER_SYMBOLS_MAX (1u << 28)

struct filter {
	uint32_t kinds; /* OR of FILTER_KIND() */
	bool all_symbols;
	uint64_t *bits; /* owned; by id, for ids < 64 * words */
	size_t words;
};

void filter_deinit(struct filter *f);
/** 0, -ENOMEM, -EINVAL for an id beyond FILTER_SYMBOLS_MAX. */
int filter_add(struct filter *f, uint32_t symbol);
/** No longer @symbol; does nothing to a filter that wants all of them. */
void filter_remove(struct filter *f, uint32_t symbol);
/** @to gets a copy of its own.  0 or -ENOMEM. */
int filter_copy(struct filter *to, const struct filter *from);

static inline bool filter_has_symbol(const struct filter *f, uint32_t symbol)
{
	size_t word = symbol / 64;

	return f->all_symbols ||
	       (word < f->words && (f->bits[word] >> (symbol % 64) & 1) != 0);
}

static inline bool filter_has(const struct filter *f, enum event_kind kind,
			      uint32_t symbol)
{
	return (f->kinds & FILTER_KIND(kind)) != 0 && filter_has_symbol(f, symbol);
}
