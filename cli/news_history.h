/*
 * news_history - the articles that the daemon keeps in history.db, as it would be told
 * of them by their vendors: each once, the oldest first.
 */
#pragma once
#include "cli/cli.h"
#include <stddef.h>

struct news_history_wish {
	char **symbols;
	size_t n;
	const char *start, *end; /* NULL: all that is kept */
};

/** Takes one article, as article_write() makes it: 0, or an exit code that ends it. */
typedef int (*news_history_fn)(void *arg, const char *source, const char *text,
			       size_t len);

/** CLI_OK, or an exit code after the reason was printed, or what @fn said.  *@out_n:
    how many there are. */
int news_history_each(struct cli *c, const struct news_history_wish *w,
		      news_history_fn fn, void *arg, size_t *out_n);
