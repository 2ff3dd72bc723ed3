/* duck_own - what the files of the keeper of DuckDB share. */
#pragma once
#include "archive/duck.h"
#include <duckdb.h>

struct duck {
	duckdb_database db;
	duckdb_connection con;
};

/** The error of a result, as negated errno with a sentence. */
int duck_failed(duckdb_result *r);

/** Interrupts what @d does after @limit_ms, from a thread of its own, until it is
    stopped. */
struct duck_watch;
int duck_watch_start(struct duck *d, uint64_t limit_ms, struct duck_watch **out);
/** @rc of what was watched; -ETIMEDOUT becomes a sentence.  Frees @w. */
int duck_watch_stop(struct duck_watch *w, int rc);
