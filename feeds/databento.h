/*
 * databento - the parts of its adapter: questions and errors in databento.c, answers in
 * databento_rows.c, names in databento_symbology.c.  Outside, feeds/vendor.h's
 * databento_ops is all there is.
 */
#pragma once
#include "feeds/vendor_parts.h"

/** Rows of a page.  Ours: Databento would send any number, and a page is held in
 * memory. */
#define DATABENTO_BARS_MAX  200000
#define DATABENTO_TICKS_MAX 100000

/** What an answer says in which no symbol was found begins so. */
#define DATABENTO_UNKNOWN "no symbol of the question is known"

/** As vendor_ops.parse. */
int databento_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		    const char *next, const char *body, size_t len,
		    struct vendor_page *out);

/** Do days of this dataset begin at midnight in New York? */
bool databento_is_newyork(const char *dataset);
/**
 * The days that begin in the ask's range, [*out_first, *out_after) since 1970; the one
 * before when none does: its bar is then not in the range and left out.  -ENOENT: the
 * system has no time zones.
 */
int databento_days(const struct vendor_settings *s, const struct vendor_ask *a,
		   int64_t *out_first, int64_t *out_after);

/** "Number INSTRUMENT was SYMBOL from FROM to before TO": dates like 20201228. */
struct databento_name {
	char symbol[SYMBOL_MAX + 1];
	uint32_t instrument;
	int32_t from, to;
};
/** Which numbers the ask's symbols had in its range. */
int databento_resolve_request(const struct vendor_settings *s,
			      const struct vendor_ask *a, struct vendor_request *out);
/**
 * The answer: struct databento_name in @names, and names of SYMBOL_MAX + 1 bytes in
 * @not_found.  0 or -EBADMSG, then both are as before.
 */
int databento_resolve_parse(const char *body, size_t len, struct buf *names,
			    struct buf *not_found);
