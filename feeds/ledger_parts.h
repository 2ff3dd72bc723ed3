/* ledger_parts - the ledger's inside, for ledger.c and ledger_save.c alone. */
#pragma once
#include "feeds/ledger.h"

#define LEDGER_NEVER INT64_MIN

struct ledger_symbol {
	char name[SYMBOL_MAX + 1];
	int64_t end_ns;   /* of its spans; LEDGER_NEVER: it never flowed */
	struct buf spans; /* struct ledger_span */
};

struct ledger {
	struct ledger_symbol *symbols; /* owned */
	size_t n;
	bool is_on;
	int64_t on_ns;   /* since when */
	int64_t good_ns; /* everything before is in the log */
};

/** At the end; an empty one is left out. */
void ledger_add(struct ledger_symbol *s, const struct ledger_span *span);
