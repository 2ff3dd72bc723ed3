/*
 * news_history - see news_history.h.
 *
 * An article is in the list of every symbol that it names, always with the same text:
 * sorted by time, source and text, what is there twice stands side by side.
 */
#include "cli/news_history.h"
#include "base/buf.h"
#include "base/timetext.h"
#include "cli/history_source.h"
#include "proto/article.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	int64_t at_ns;
	char *text; /* owned */
	size_t len;
	char source[HIST_SOURCE_MAX + 1];
};

struct gather {
	struct buf entries; /* struct entry */
};

static bool take_time(const struct json_token *row, const char *key, int64_t *out)
{
	char text[64];

	(void)query_field(row, key, text, sizeof(text));
	return timetext_parse(text, strlen(text), out) == 0;
}

static void take_symbols(const struct json_token *row, struct hist_article *a)
{
	struct json_token list, name;
	struct query_walk walk;
	size_t len;

	if (!query_member(row, "symbols", &list) || !query_walk(&walk, &list))
		return;
	while (a->n_symbols < sizeof(a->symbols) / SYMBOL_MAX &&
	       query_next(&walk, NULL, &name))
		if (json_scan_text(&name, a->symbols[a->n_symbols], SYMBOL_MAX, &len))
			a->n_symbols++;
}

static int take_row(void *arg, const struct json_token *row)
{
	struct gather *g = arg;
	struct hist_article a = {0};
	struct entry e = {0};
	struct buf text = {0};

	(void)query_field(row, "id", a.id, sizeof(a.id));
	(void)query_field(row, "headline", a.headline, sizeof(a.headline));
	(void)query_field(row, "publisher", a.publisher, sizeof(a.publisher));
	(void)query_field(row, "url", a.url, sizeof(a.url));
	(void)query_field(row, "source", e.source, sizeof(e.source));
	if (!take_time(row, "time", &a.created_ns) ||
	    !take_time(row, "updated", &a.updated_ns))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no times");
	take_symbols(row, &a);
	article_write(&text, &a);
	e.at_ns = a.updated_ns;
	e.len = text.len;
	e.text = buf_text(&text);
	buf_add(&g->entries, &e, sizeof(e));
	return CLI_OK;
}

static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->source, y->source);

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return order != 0 ? order : strcmp(x->text, y->text);
}

static int give(struct gather *g, news_history_fn fn, void *arg, size_t *out_n)
{
	struct entry *e = (void *)g->entries.data;
	size_t n = g->entries.len / sizeof(*e);
	int rc = CLI_OK;

	if (n > 0)
		qsort(e, n, sizeof(*e), by_time);
	for (size_t i = 0; i < n && rc == CLI_OK; i++) {
		if (i > 0 && by_time(&e[i - 1], &e[i]) == 0)
			continue;
		rc = fn(arg, e[i].source, e[i].text, e[i].len);
		++*out_n;
	}
	return rc;
}

int news_history_each(struct cli *c, const struct news_history_wish *w,
		      news_history_fn fn, void *arg, size_t *out_n)
{
	struct gather g = {{0}};
	char reason[HISTORY_REASON_MAX];
	struct entry *e;
	int rc = CLI_OK;

	*out_n = 0;
	for (size_t i = 0; i < w->n && rc == CLI_OK; i++) {
		const struct history_wish wish = {
			.symbol = w->symbols[i], .start = w->start, .end = w->end};

		rc = history_source_each(c, HISTORY_ARTICLES, &wish, take_row, &g,
					 reason);
		if (rc == CLI_NEGATIVE)
			rc = cli_error(rc, "%s", reason);
	}
	if (rc == CLI_OK)
		rc = give(&g, fn, arg, out_n);
	e = (void *)g.entries.data;
	for (size_t i = 0; i < g.entries.len / sizeof(*e); i++)
		free(e[i].text);
	buf_free(&g.entries);
	return rc;
}
