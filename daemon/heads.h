/*
 * heads - the newest event of every derived stream and its place in the chain: two
 * derivations with the same heads made the same events (proto/event.h, event_chain()).
 */
#pragma once
#include "bus/symtab.h"
#include "proto/event.h"
#include "workers/params.h"
#include <stddef.h>

struct heads;
struct jsonw;

/** 0 or -ENOMEM; @params and @symbols are borrowed. */
int heads_new(const struct params *params, const struct symtab *symbols,
	      uint32_t symbols_max, struct heads **out);
void heads_free(struct heads *h);
void heads_note(struct heads *h, enum event_kind kind, const void *event);

struct head {
	uint64_t seq, chain;
	uint32_t timeframe_s; /* tier2, else 0 */
	uint8_t kind;
	char name[SYMBOL_MAX + 1]; /* symbol, or universe */
};

/**
 * Streams that have an event, by kind and then in order of first acceptance; *@out is
 * the caller's to free.  Returns how many; 0 with NULL when there is no memory.
 */
size_t heads_list(const struct heads *h, struct head **out);
/** An array "heads" of @n of them. */
void heads_json(struct jsonw *w, const struct head *list, size_t n);
