/*
 * asker - questions to a vendor from the command line, for tests: what comes goes to
 * standard output as lines of JSON.
 *
 * One thread.
 */
#pragma once
#include "base/buf.h"
#include "feeds/fetcher.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct asker {
	struct http_params http;
	struct fetcher_params fetch;
	const struct vendor_ops *vendor; /* the real one */
	struct vendor_ops ops;           /* that one, with the first request given */
	const char *target;              /* NULL: the adapter's own question */
	const char *form;
	uint32_t pages; /* end after so many; 0: all */
	bool is_quiet;  /* no rows */
	bool is_resolving;
	struct buf line;
};

/** One line per row, then one for the page. */
void asker_print_page(struct asker *a, size_t index, const struct fetch_news *n);
void asker_print_end(struct asker *a, size_t index, const struct fetch_news *n,
		     const char *end, int64_t took_ns);
void asker_print_counts(struct asker *a, const struct fetch_counts *c, int64_t took_ns);
/** Ask for Databento's numbers of the symbols in place of rows. */
void asker_resolve(struct vendor_ops *ops);
