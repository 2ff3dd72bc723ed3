/* live_source - see live_source.h: the rows by their names, and the articles. */
#include "cli/live_source.h"
#include "base/err.h"
#include "base/timetext.h"
#include "proto/article.h"
#include "proto/event.h"
#include "proto/timeframe.h"
#include <stdlib.h>
#include <string.h>

#define HEADLINE_MAX 1024

/* ---- rows ---- */

static int by_symbol(const void *a, const void *b, void *arg)
{
	const struct report *r = arg;

	return strcmp(r->rows[*(const uint32_t *)a].symbol,
		      r->rows[*(const uint32_t *)b].symbol);
}

size_t live_row(const struct live_source *l, const char *symbol)
{
	size_t low = 0, high = l->r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(l->r->rows[l->by_name[middle]].symbol, symbol);

		if (order == 0)
			return l->by_name[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

static bool make_tables(struct live_source *l)
{
	size_t n = l->r->n;

	l->by_name = calloc(n, sizeof(*l->by_name));
	l->price_type = calloc(n, sizeof(*l->price_type));
	l->news = calloc(n, sizeof(*l->news));
	if (l->by_name == NULL || l->price_type == NULL || l->news == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		l->by_name[i] = i;
		l->price_type[i] = UINT8_MAX;
	}
	qsort_r(l->by_name, n, sizeof(*l->by_name), by_symbol, l->r);
	return true;
}

void live_source_free(struct live_source *l)
{
	for (size_t i = 0; l->news != NULL && i < l->r->n; i++) {
		buf_free(&l->news[i].items);
		buf_free(&l->news[i].text);
	}
	free(l->by_name);
	free(l->price_type);
	free(l->news);
	*l = (struct live_source){.r = NULL};
}

/* ---- articles ---- */

static uint32_t keep_text(struct live_news *n, const char *text)
{
	uint32_t at = (uint32_t)n->text.len;

	buf_add(&n->text, text, strlen(text) + 1);
	return at;
}

static uint64_t hex_of(const struct json_token *row, const char *key)
{
	struct json_token t;
	char text[20];

	return query_member(row, key, &t)
		       ? strtoull(query_text(&t, text, sizeof(text)), NULL, 16)
		       : 0;
}

/* Catch-up says its time as text, the archive as a number. */
static bool time_of(const struct json_token *row, const char *key, int64_t *out)
{
	struct json_token t;
	uint64_t ns;

	if (query_member(row, key, &t))
		return timetext_parse(t.text, t.len, out) == 0;
	if (!query_member(row, "time_ns", &t) || !json_scan_u64(&t, &ns))
		return false;
	*out = (int64_t)ns;
	return true;
}

static void keep(struct live_news *n, struct live_article *a,
		 const struct json_token *row)
{
	char headline[HEADLINE_MAX], source[64], url[HEADLINE_MAX];

	a->order = (uint32_t)(n->items.len / sizeof(*a));
	a->headline =
		keep_text(n, query_field(row, "headline", headline, sizeof(headline)));
	a->source = keep_text(n, query_field(row, "publisher", source, sizeof(source)));
	a->url = keep_text(n, query_field(row, "url", url, sizeof(url)));
	buf_add(&n->items, a, sizeof(*a));
}

void live_take_article(struct live_source *l, const struct json_token *row)
{
	char symbol[SYMBOL_MAX + 1];
	struct live_article a = {.article = hex_of(row, "article")};
	size_t i = live_row(l, query_field(row, "symbol", symbol, sizeof(symbol)));

	if (i == SIZE_MAX || !time_of(row, "time", &a.time_ns) ||
	    a.time_ns < l->start_ns || a.time_ns >= l->end_ns)
		return;
	a.edition_ns = a.time_ns;
	keep(&l->news[i], &a, row);
}

/* The log knows it by its source and id, too. */
void live_source_add(const struct live_source *l, const struct report_symbol *s,
		     const struct json_token *row)
{
	char source[64], id[80];
	struct live_article a = {
		.article =
			article_key(query_field(row, "source", source, sizeof(source)),
				    query_field(row, "id", id, sizeof(id)))};

	if (time_of(row, "time", &a.time_ns) && time_of(row, "updated", &a.edition_ns))
		keep(&l->news[s - l->r->rows], &a, row);
}

int live_news(struct cli *c, struct live_source *l)
{
	const struct live_pages p = {"news", NULL, live_take_article};
	int rc = CLI_OK;

	if (!live_archive(c, l, LIVE_NEWS))
		rc = live_pages_each(c, l, &p, "\"oldest\"");
	return rc == CLI_NEGATIVE ? CLI_OK : rc;
}

static int by_time(const void *a, const void *b)
{
	const struct live_article *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_article(const void *a, const void *b)
{
	const struct live_article *x = a, *y = b;

	if (x->article != y->article)
		return x->article < y->article ? -1 : 1;
	if (x->edition_ns != y->edition_ns)
		return x->edition_ns < y->edition_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* A later edition takes the place of the one before, also in time.  How many are left.
 */
static size_t keep_newest(struct live_article *a, size_t n)
{
	size_t kept = 0;

	qsort(a, n, sizeof(*a), by_article);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || a[i + 1].article != a[i].article)
			a[kept++] = a[i];
	return kept;
}

void live_source_articles(const struct live_source *l, struct report_symbol *s)
{
	struct live_news *n = l->news != NULL ? &l->news[s - l->r->rows] : NULL;
	struct live_article *a;
	size_t count;

	if (n == NULL || n->items.len == 0)
		return;
	a = (struct live_article *)(void *)n->items.data;
	count = keep_newest(a, n->items.len / sizeof(*a));
	n->items.len = count * sizeof(*a);
	qsort(a, count, sizeof(*a), by_time);
	for (size_t i = 0; i < count; i++)
		report_article_push(s, a[i].time_ns,
				    (const char *)n->text.data + a[i].headline,
				    (const char *)n->text.data + a[i].source,
				    (const char *)n->text.data + a[i].url);
}

/* ---- all of it ---- */

/* Our bars are raw, of the timeframes that we know, and wanted unless others are
   named. */
static bool is_wished(const struct report *r, const struct history_wish *w)
{
	bool is_named = !r->only_named;

	for (size_t i = 0; i < r->n_sources && !is_named; i++)
		is_named = strcmp(r->sources[i], LIVE_SOURCE) == 0;
	return is_named && strcmp(w->adjust, "raw") == 0 &&
	       timeframe_parse(w->timeframe, strlen(w->timeframe)) != 0;
}

int live_source_load(struct live_source *l, struct cli *c,
		     const struct history_wish *wish, struct report *r)
{
	uint32_t parts = report_flow_parts(r->flow);
	int rc = CLI_OK;

	*l = (struct live_source){.r = r,
				  .wish = wish,
				  .start_ns = INT64_MIN,
				  .end_ns = INT64_MAX,
				  .newest_ns = INT64_MIN};
	if (wish->start != NULL)
		(void)timetext_parse_day(wish->start, &l->start_ns);
	if (wish->end != NULL)
		(void)timetext_parse_day(wish->end, &l->end_ns);
	if (!make_tables(l))
		return cli_error(CLI_INTERNAL, "no memory for %zu symbols", r->n);
	if ((parts & REPORT_PRICING) && is_wished(r, wish))
		rc = live_bars(c, l);
	if (rc == CLI_OK && (parts & REPORT_NEWS))
		rc = live_news(c, l);
	return rc;
}
