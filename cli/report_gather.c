/* report_gather - see report_gather.h. */
#include "cli/report_gather.h"
#include "base/timetext.h"
#include "cli/live_source.h"
#include "cli/worknote.h"
#include "proto/barcols.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which series there are ---- */

/* Bars of one source; of its feeds the first. */
struct source {
	char name[HIST_SOURCE_MAX + 1];
	char currency[8];
	int64_t first_ns, last_ns;
	double bars;
};

struct listing {
	const struct gather *g;
	const struct report *r;
	struct source found[REPORT_SOURCES_MAX]; /* of vendors */
	size_t n;
};

static int64_t time_of(const struct json_token *t)
{
	int64_t ns = INT64_MIN;

	(void)timetext_parse(t->text, t->len, &ns);
	return ns;
}

/* INT64_MAX: there is no end. */
static int64_t end_of(const struct gather *g)
{
	int64_t ns = INT64_MAX;

	if (g->wish.end != NULL)
		(void)timetext_parse_day(g->wish.end, &ns);
	return ns;
}

static bool is_wished(const struct listing *l, const struct json_token *row)
{
	const struct history_wish *w = &l->g->wish;
	char text[32];

	return strcmp(query_field(row, "timeframe", text, sizeof(text)),
		      w->timeframe) == 0 &&
	       strcmp(query_field(row, "adjust", text, sizeof(text)), w->adjust) == 0;
}

/* SIZE_MAX: nobody named it. */
static size_t rank_of(const struct report *r, const char *source)
{
	for (size_t i = 0; i < r->n_sources; i++)
		if (strcmp(r->sources[i], source) == 0)
			return i;
	return SIZE_MAX;
}

static int note_series(void *arg, const struct json_token *row)
{
	struct listing *l = arg;
	struct source x = {.bars = 0};
	struct json_token bars, first, last;

	if (l->n == REPORT_SOURCES_MAX || !is_wished(l, row) ||
	    !query_member(row, "bars", &bars) || !query_member(row, "first", &first) ||
	    !query_member(row, "last", &last))
		return CLI_OK;
	(void)query_field(row, "source", x.name, sizeof(x.name));
	(void)query_field(row, "currency", x.currency, sizeof(x.currency));
	x.first_ns = time_of(&first);
	x.last_ns = time_of(&last);
	x.bars = query_number(&bars, 0);
	if (x.bars < 1 || x.first_ns >= end_of(l->g) ||
	    (l->r->only_named && rank_of(l->r, x.name) == SIZE_MAX))
		return CLI_OK;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->found[i].name, x.name) == 0)
			return CLI_OK;
	l->found[l->n++] = x;
	return CLI_OK;
}

/* ---- bars ---- */

static int take_bar(void *arg, const struct hist_bar *b)
{
	const struct report_bar bar = {b->start_ns,
				       barcols_price(b->open_e9),
				       barcols_price(b->high_e9),
				       barcols_price(b->low_e9),
				       barcols_price(b->close_e9),
				       barcols_size(b->volume_e8)};

	report_series_push(arg, &bar);
	return CLI_OK;
}

/*
 * Where to begin so that @window bars come, as far as can be told from how the source's
 * bars lie on average; @more times as far back when it was too late.
 */
static int64_t begin_of(const struct gather *g, const struct source *x, size_t window,
			double more)
{
	double spacing =
		x->bars > 1 ? (double)(x->last_ns - x->first_ns) / (x->bars - 1) : 0;
	double back = spacing * (double)window * 1.2 * more;
	int64_t end = end_of(g), last = end < x->last_ns ? end : x->last_ns;

	return (double)last - (double)x->first_ns <= back ? x->first_ns
							  : last - (int64_t)back;
}

static void forget(struct report_series *x)
{
	x->bars.len = 0;
	x->refused = 0;
}

/* A source that says no is one source less, and the last that said so gives the reason
 * where none is left. */
static int take_series(const struct gather *g, struct cli *c, const struct report *r,
		       const struct source *x, struct report_symbol *s, char *reason)
{
	struct report_series *to = report_series_add(s, x->name);
	struct history_wish wish = g->wish;
	size_t n = 0, rank = rank_of(r, x->name);
	int64_t from_ns = INT64_MAX;
	char start[TIMETEXT_MAX];
	int rc = CLI_OK;

	if (to == NULL)
		return CLI_OK;
	to->rank = rank < r->n_sources ? (unsigned)rank : (unsigned)r->n_sources;
	(void)snprintf(to->currency, sizeof(to->currency), "%s", x->currency);
	wish.symbol = s->symbol;
	wish.source = x->name;
	for (double more = 1; rc == CLI_OK && n < r->window && from_ns > x->first_ns;
	     more *= 4) {
		from_ns = x->first_ns;
		if (g->wish.start == NULL) {
			from_ns = begin_of(g, x, r->window, more);
			(void)timetext_print(start, from_ns);
			wish.start = start;
		}
		forget(to);
		rc = history_source_bars(c, &wish, take_bar, to, reason);
		(void)report_series_bars(to, &n);
	}
	if (rc != CLI_NEGATIVE)
		return rc;
	buf_free(&to->bars);
	s->n_series--;
	return CLI_OK;
}

static int take_prices(const struct gather *g, struct cli *c, const struct report *r,
		       struct report_symbol *s)
{
	struct listing l = {.g = g, .r = r};
	const struct history_wish wish = {.symbol = s->symbol};
	char reason[HISTORY_REASON_MAX] = "";
	int rc = history_source_each(c, HISTORY_SERIES, &wish, note_series, &l, reason);

	for (size_t i = 0; rc == CLI_OK && i < l.n; i++)
		rc = take_series(g, c, r, &l.found[i], s, reason);
	if (s->n_series == 0 && reason[0] != '\0')
		report_fail(s, REPORT_PRICING, "%s", reason);
	return rc == CLI_NEGATIVE ? CLI_OK : rc;
}

/* ---- articles ---- */

struct taking {
	const struct live_source *live;
	const struct report_symbol *s;
};

static int take_article(void *arg, const struct json_token *row)
{
	const struct taking *t = arg;

	live_source_add(t->live, t->s, row);
	return CLI_OK;
}

/* What was fetched and what the daemon was sent, each once. */
static int take_news(const struct gather *g, struct cli *c, struct report_symbol *s)
{
	const struct history_wish wish = {
		.symbol = s->symbol, .start = g->wish.start, .end = g->wish.end};
	struct taking t = {g->live, s};
	char reason[HISTORY_REASON_MAX];
	int rc = history_source_each(c, HISTORY_ARTICLES, &wish, take_article, &t,
				     reason);

	if (rc != CLI_OK && rc != CLI_NEGATIVE)
		return rc;
	live_source_articles(g->live, s);
	if (rc == CLI_NEGATIVE && s->articles.len == 0)
		report_fail(s, REPORT_NEWS, "%s", reason);
	return CLI_OK;
}

/* ---- both ---- */

/* Of a row that the process died at, before, there is nothing. */
static void leave_out(const struct report *r, struct report_symbol *s, const char *why)
{
	static const uint32_t loaded[] = {REPORT_PRICING, REPORT_NEWS};

	for (size_t i = 0; i < sizeof(loaded) / sizeof(loaded[0]); i++)
		if (r->parts & loaded[i])
			report_fail(s, loaded[i], "%s", why);
}

int gather_load(void *arg, unsigned worker, const struct report *r,
		struct report_symbol *s)
{
	struct gather *g = arg;
	struct cli *c = &g->worker[worker];
	const char *aside = worknote_aside(c->note, (size_t)(s - r->rows));
	int rc = CLI_OK;

	if (aside != NULL) {
		leave_out(r, s, aside);
		return CLI_OK;
	}
	if (r->parts & REPORT_PRICING)
		rc = take_prices(g, c, r, s);
	if (rc == CLI_OK && (r->parts & REPORT_NEWS))
		rc = take_news(g, c, s);
	return rc;
}

int gather_open(struct gather *g, struct cli *c, size_t workers)
{
	for (size_t i = 0; i < workers; i++) {
		int rc;

		g->worker[i] = *c;
		rc = tickbus_admin_open(&c->options, &g->worker[i].admin);
		if (rc < 0)
			return cli_unavailable(c, rc);
	}
	return CLI_OK;
}

void gather_close(struct gather *g)
{
	for (size_t i = 0; i < REPORT_WORKERS_MAX; i++)
		tickbus_admin_close(g->worker[i].admin);
}

int gather_vendors(struct cli *c, struct buf *out)
{
	struct json_token rows, key, row;
	struct query_walk walk;
	struct query q;
	char name[HIST_SOURCE_MAX + 1];
	int rc = query_ask(c, "vendors", NULL, NULL, &q);

	if (rc != CLI_OK)
		return rc;
	rows = query_rows(&q.result);
	if (query_walk(&walk, &rows))
		while (query_next(&walk, &key, &row))
			if (*query_field(&row, "name", name, sizeof(name)) != '\0')
				buf_add(out, name, strlen(name) + 1);
	query_free(&q);
	return rc;
}
