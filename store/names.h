/*
 * names - the rows of a table of names (symbols, sources): loaded at open, new
 * ones saved with the commit that first uses them.
 *
 * A name that entered the table in memory with a refused batch keeps its id and
 * is saved with the next batch that is not refused.
 */
#pragma once
#include "store/tickstore.h"

struct sq;

struct names {
	struct store_names table; /* the functions and the table itself: borrowed */
	struct sq *db;
	struct sq_stmt *put; /* owned */
	const char *what;    /* "symbol" or "source": also the table's name */
	uint64_t store_id;
	uint32_t saved; /* one past the highest id that has a row */
	uint32_t sent;  /* the same, once the open transaction is committed */
};

int names_open(struct names *n, struct sq *db, const char *what,
	       const struct store_names *table);
void names_close(struct names *n);
/** -EBADMSG: a row is damaged, or there are not @count of them. */
int names_load(struct names *n, uint64_t store_id, uint64_t count);
/** Are there names without a row? */
bool names_has_new(const struct names *n);
/** Number of rows after names_save(). */
uint64_t names_rows(const struct names *n);
int names_save(struct names *n);
void names_committed(struct names *n);
