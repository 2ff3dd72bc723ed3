/*
 * vendor_fuzz - any bytes as a vendor's answer: a page is complete or empty, its rows
 * are of symbols and times that were asked for, and what is refused has a reason.  The
 * first byte chooses the question.
 */
#pragma once
#include "base/err.h"
#include "feeds/vendor.h"
#include "proto/symbol.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const fuzz_symbols[] = {"AA", "BRK.B"};

static inline void fuzz_require(bool ok)
{
	if (!ok)
		abort();
}

static inline void fuzz_rows(const struct vendor_ask *a, const struct vendor_page *p)
{
	const struct vendor_bar *b = (const struct vendor_bar *)p->bars.data;
	const struct feed_tick *t = (const struct feed_tick *)p->ticks.data;
	const struct hist_article *n = (const struct hist_article *)p->articles.data;
	const struct hist_action *x = (const struct hist_action *)p->actions.data;

	for (size_t i = 0; i < p->bars.len / sizeof(*b); i++)
		fuzz_require(b[i].symbol < a->n_symbols &&
			     b[i].bar.start_ns >= a->start_ns &&
			     b[i].bar.start_ns < a->end_ns &&
			     b[i].bar.open_e9 != VALUE_NULL &&
			     b[i].bar.close_e9 != VALUE_NULL);
	for (size_t i = 0; i < p->ticks.len / sizeof(*t); i++)
		fuzz_require(symbol_valid(t[i].symbol,
					  symbol_field_len(t[i].symbol, SYMBOL_MAX)) &&
			     t[i].rec.type == RECORD_TICK &&
			     t[i].rec.event_ns >= a->start_ns &&
			     t[i].rec.event_ns < a->end_ns);
	for (size_t i = 0; i < p->articles.len / sizeof(*n); i++)
		fuzz_require(n[i].id[0] != '\0' && n[i].n_symbols <= 32 &&
			     memchr(n[i].headline, '\0', sizeof(n[i].headline)) !=
				     NULL);
	for (size_t i = 0; i < p->actions.len / sizeof(*x); i++)
		fuzz_require(x[i].kind >= ACTION_SPLIT && x[i].kind <= ACTION_OTHER &&
			     symbol_valid(x[i].symbol, strlen(x[i].symbol)));
}

static inline void fuzz_page(const struct vendor_ops *ops, struct vendor_ask *a,
			     const uint8_t *data, size_t size)
{
	static struct vendor_page p;
	struct vendor_settings s = {0};
	struct vendor_problem why = {0};
	int rc;

	a->symbols = fuzz_symbols;
	a->start_ns = 0;
	a->end_ns = INT64_C(4102444800000000000);
	vendor_page_reset(&p);
	rc = ops->parse(&s, a, "", (const char *)data, size, &p);
	fuzz_require(rc == 0 || rc == -EBADMSG);
	fuzz_require(memchr(p.next, '\0', sizeof(p.next)) != NULL);
	if (rc == 0) {
		fuzz_rows(a, &p);
		return;
	}
	fuzz_require(p.bars.len + p.ticks.len + p.articles.len + p.actions.len == 0 &&
		     p.next[0] == '\0' && err_text()[0] != '\0');
	for (long status = 200; status < 600; status += 101) {
		ops->problem(&s, status, "", (const char *)data, size, &why);
		fuzz_require(why.verdict >= VENDOR_RETRY &&
			     why.verdict <= VENDOR_GARBLED && why.why[0] != '\0');
		for (const char *c = why.why; *c; c++)
			fuzz_require(*c >= ' ' && *c <= '~');
	}
}
