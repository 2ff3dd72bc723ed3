/* vendor_test - what the tests of adapters share: an ask, an answer, its rows. */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "feeds/vendor.h"

typedef int (*parse_fn)(const struct vendor_settings *s, const struct vendor_ask *a,
			const char *next, const char *body, size_t len,
			struct vendor_page *out);

/** Every time there is, so that only the tests of ranges think of ranges. */
static inline struct vendor_ask ask_all(enum vendor_what what,
					const char *const *symbols, size_t n)
{
	return (struct vendor_ask){.what = what,
				   .symbols = symbols,
				   .n_symbols = n,
				   .start_ns = INT64_MIN + 1,
				   .end_ns = INT64_MAX,
				   .step_s = 60};
}

/** Parse a copy of exactly its size, so that AddressSanitizer sees a byte too far. */
static inline int parse_text(parse_fn parse, const struct vendor_ask *a,
			     const char *text, struct vendor_page *out)
{
	struct vendor_settings s = {0};
	size_t len = strlen(text);
	char *copy = malloc(len + !len);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	rc = parse(&s, a, "", copy, len, out);
	free(copy);
	return rc;
}

static inline const struct hist_bar *bar_at(const struct vendor_page *p, size_t i)
{
	assert_true((i + 1) * sizeof(struct vendor_bar) <= p->bars.len);
	return &((const struct vendor_bar *)p->bars.data)[i].bar;
}

static inline uint32_t bar_symbol(const struct vendor_page *p, size_t i)
{
	assert_true((i + 1) * sizeof(struct vendor_bar) <= p->bars.len);
	return ((const struct vendor_bar *)p->bars.data)[i].symbol;
}

static inline size_t bars_of(const struct vendor_page *p)
{
	return p->bars.len / sizeof(struct vendor_bar);
}

static inline const struct feed_tick *tick_at(const struct vendor_page *p, size_t i)
{
	assert_true((i + 1) * sizeof(struct feed_tick) <= p->ticks.len);
	return (const struct feed_tick *)p->ticks.data + i;
}

static inline size_t ticks_of(const struct vendor_page *p)
{
	return p->ticks.len / sizeof(struct feed_tick);
}

static inline bool page_is_empty(const struct vendor_page *p)
{
	return p->bars.len + p->ticks.len + p->articles.len + p->actions.len == 0 &&
	       p->next[0] == '\0';
}

/** Every prefix of a good answer is refused and leaves nothing. */
static inline void no_prefix_is_taken(parse_fn parse, const struct vendor_ask *a,
				      const char *text)
{
	struct vendor_page p = {0};
	size_t len = strlen(text);

	for (size_t n = 0; n < len; n++) {
		char *cut = strndup(text, n);

		assert_non_null(cut);
		vendor_page_reset(&p);
		assert_int_equal(parse_text(parse, a, cut, &p), -EBADMSG);
		assert_true(page_is_empty(&p));
		free(cut);
	}
	vendor_page_free(&p);
}
