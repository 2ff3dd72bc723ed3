/*
 * portfolio - what is held: how much of a symbol, and what was paid for it.
 *
 * Lots of the same symbol are one position.  Money is in the currency of the prices;
 * sums are made per currency, for nobody here knows rates of exchange.
 */
#pragma once
#include "base/buf.h"
#include "proto/symbol.h"
#include <stddef.h>
#include <stdint.h>

/** Of a position; more is a slip of the pen. */
#define PORTFOLIO_NUMBER_MAX 1e15

struct portfolio_position {
	char symbol[SYMBOL_MAX + 1];
	double quantity; /* below 0: sold short */
	double cost;     /* paid for all of it; NaN: not known of every lot */
};

/** A line that was not taken. */
struct portfolio_refusal {
	uint64_t line;
	char reason[160];
};

struct portfolio {
	struct buf
		positions; /* owned; struct portfolio_position, in order of the file */
	struct buf refusals; /* owned; struct portfolio_refusal */
};

/** Add a lot to its position.  0 or -EINVAL with a sentence: no symbol, too large. */
int portfolio_add(struct portfolio *p, const char *symbol, double quantity,
		  double cost);
void portfolio_refuse(struct portfolio *p, uint64_t line, const char *reason);
/** Position of @symbol, or NULL. */
const struct portfolio_position *portfolio_find(const struct portfolio *p,
						const char *symbol);
const struct portfolio_position *portfolio_positions(const struct portfolio *p,
						     size_t *out_n);
const struct portfolio_refusal *portfolio_refusals(const struct portfolio *p,
						   size_t *out_n);
void portfolio_free(struct portfolio *p);
