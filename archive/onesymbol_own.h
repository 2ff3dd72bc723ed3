/* onesymbol_own - what onesymbol.c and adjust.c share: one symbol's bars of one
 * question. */
#pragma once
#include "archive/archive_own.h"
#include "archive/onesymbol.h"
#include <glob.h>

#define ONE INT64_C(1000000000) /* second, in ns */

struct series {
	struct archive *a;
	const struct enquiry *q;
	const char *symbol;
	uint32_t from_s; /* of the bars in the files */
	uint32_t to_s;
	int64_t start_ns; /* of the bars in the files that are needed */
	int64_t end_ns;
	glob_t files;
	/* What the files say of the maker in the range. */
	unsigned makers;
	char maker[4][40]; /* source, feed, adjust, price_type */
	bool has_doubles;  /* revisions, or missing bars */
	bool is_adjusted;  /* on read */
};

/** Of ".../year=2024/month=01/data.parquet": 202401. */
int32_t onesymbol_month(const char *path);
/** Append " AND source = ..." of the maker. */
void onesymbol_maker_sql(const struct series *s, struct buf *sql);
/** Append what to select of its bars; @out_is_raw as onesymbol_sql()'s. (adjust.c) */
int onesymbol_adjust_sql(struct series *s, struct buf *sql, bool *out_is_raw);
