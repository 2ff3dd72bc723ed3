/*
 * html - see html.h: the sections of the page, top down.
 *
 * The page forbids itself everything but its own style sheet (Content-Security-Policy),
 * so that nothing in a headline could fetch or run anything, were it not escaped.
 */
#include "report/html.h"
#include "report/chart.h"
#include "report/compute.h"
#include "report/markup.h"
#include <stdio.h>
#include <string.h>

static const char style[] = {
#include "report/report_css.inc"
};

#define WHOLE (REPORT_PRICING | REPORT_TECHNICAL | REPORT_NEWS)

struct page {
	const struct report *r;
	struct buf *out;
	struct report_summary sum;
	size_t charts; /* that may be drawn */
};

static void put(struct page *p, const char *text)
{
	buf_add(p->out, text, strlen(text));
}

/* ---- the top ---- */

static void begin(struct page *p)
{
	put(p,
	    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	    "'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
	    "'none'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>");
	buf_printf(p->out, "Market report, %s, ", report_flow_name(p->r->flow));
	markup_date(p->out, p->sum.newest_ns, true);
	put(p, "</title>\n<style>");
	buf_add(p->out, style, sizeof(style));
	put(p, "</style>\n</head>\n<body>\n<header>\n<h1>Market report</h1>\n<p>");
	buf_printf(p->out, "%s flow, data up to ", report_flow_name(p->r->flow));
	markup_date(p->out, p->sum.newest_ns, true);
	buf_printf(p->out,
		   " UTC, status <strong "
		   "class=\"%s\">%s</strong></p>\n</header>\n<main>\n",
		   report_status(p->r, &p->sum), report_status(p->r, &p->sum));
}

static void begin_tile(struct page *p, const char *name)
{
	buf_printf(p->out, "<div><dt>%s</dt><dd>", name);
}

static void end_tile(struct page *p)
{
	put(p, "</dd></div>\n");
}

static void tile_count(struct page *p, const char *name, uint64_t n)
{
	begin_tile(p, name);
	buf_printf(p->out, "%llu", (unsigned long long)n);
	end_tile(p);
}

static void tile_number(struct page *p, const char *name, double v, int digits,
			bool sign)
{
	begin_tile(p, name);
	markup_number(p->out, v, digits, sign);
	end_tile(p);
}

static void put_tiles(struct page *p)
{
	put(p, "<section aria-label=\"Summary\">\n<dl class=\"tiles\">\n");
	tile_count(p, "symbols", p->r->n);
	tile_count(p, "with a result", p->sum.analyzed);
	if (p->r->parts & REPORT_TECHNICAL)
		tile_number(p, "average RSI", p->sum.avg_rsi, 1, false);
	if (p->r->parts & REPORT_NEWS) {
		tile_count(p, "articles", p->sum.articles);
		tile_number(p, "average sentiment", p->sum.avg_sentiment, 3, true);
		tile_count(p, "positive", p->sum.positive);
		tile_count(p, "negative", p->sum.negative);
	}
	tile_count(p, "not complete", p->sum.failed);
	put(p, "</dl>\n</section>\n");
}

/* ---- tables ---- */

/* @names: "Symbol|Close|..."; all but the first are numbers unless they begin with '<'.
 */
static void begin_table(struct page *p, const char *label, const char *names)
{
	bool first = true;

	buf_printf(p->out,
		   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
		   "aria-label=\"%s\">\n<table>\n<thead><tr>",
		   label);
	while (*names != '\0') {
		size_t len = strcspn(names, "|");
		bool is_text = first || *names == '<';

		buf_printf(p->out, "<th scope=\"col\"%s>%.*s</th>",
			   is_text ? " class=\"text\"" : "",
			   (int)(len - (*names == '<')), names + (*names == '<'));
		names += len + (names[len] == '|');
		first = false;
	}
	put(p, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct page *p)
{
	put(p, "</tbody>\n</table>\n</div>\n");
}

static void begin_row(struct page *p, const char *symbol, size_t chart)
{
	put(p, "<tr><th scope=\"row\" class=\"text\">");
	if (chart > 0)
		buf_printf(p->out, "<a href=\"#c%zu\">", chart);
	markup_text(p->out, symbol);
	put(p, chart > 0 ? "</a></th>" : "</th>");
}

static void cell_text(struct page *p, const char *text)
{
	put(p, "<td class=\"text\">");
	markup_text(p->out, text);
	put(p, "</td>");
}

static void cell_price(struct page *p, double v)
{
	put(p, "<td>");
	markup_price(p->out, v);
	put(p, "</td>");
}

/* Signed: its colour says what its sign does. */
static void cell_signed(struct page *p, double v, bool is_percent, double threshold)
{
	buf_printf(p->out, "<td class=\"%s\">",
		   v >= threshold && v > 0    ? "rise"
		   : v <= -threshold && v < 0 ? "fall"
					      : "even");
	if (is_percent)
		markup_percent(p->out, v);
	else
		markup_number(p->out, v, 2, true);
	put(p, "</td>");
}

static void cell_number(struct page *p, double v, int digits)
{
	put(p, "<td>");
	markup_number(p->out, v, digits, false);
	put(p, "</td>");
}

static void row_of_prices(struct page *p, const struct report_symbol *s)
{
	double last = s->n > 0 ? s->bars[s->n - 1].close : NAN;
	double before = s->n > 1 ? s->bars[s->n - 2].close : NAN;

	cell_price(p, last);
	cell_signed(p, last / before - 1, true, 0);
	put(p, "<td>");
	chart_spark(p->out, s);
	put(p, "</td>");
}

static void put_row(struct page *p, const struct report_symbol *s, size_t chart)
{
	begin_row(p, s->symbol, chart);
	if (p->r->parts & REPORT_PRICING)
		row_of_prices(p, s);
	if (p->r->parts & REPORT_TECHNICAL) {
		cell_price(p, report_column(s, REPORT_SMA_20));
		cell_price(p, report_column(s, REPORT_BAND_LOWER));
		cell_price(p, report_column(s, REPORT_BAND_UPPER));
		cell_number(p, report_column(s, REPORT_RSI_14), 1);
	}
	if (p->r->parts & REPORT_NEWS) {
		buf_printf(p->out, "<td>%llu</td>",
			   (unsigned long long)s->news.articles);
		cell_signed(p, s->news.articles > 0 ? s->news.average : NAN, false,
			    SENTIMENT_THRESHOLD);
	}
	if (p->r->parts & REPORT_PRICING) {
		put(p, "<td class=\"text\">");
		if (s->best >= 0)
			markup_text(p->out, s->series[s->best].source);
		put(p, "</td>");
	}
	put(p, "</tr>\n");
}

static void put_rows(struct page *p)
{
	char names[160];
	size_t chart = 0;

	(void)snprintf(names, sizeof(names), "Symbol%s%s%s%s",
		       p->r->parts & REPORT_PRICING ? "|Close|Change|<Trend" : "",
		       p->r->parts & REPORT_TECHNICAL
			       ? "|SMA 20|Lower band|Upper band|RSI 14"
			       : "",
		       p->r->parts & REPORT_NEWS ? "|Articles|Sentiment" : "",
		       p->r->parts & REPORT_PRICING ? "|<Source" : "");
	put(p, "<section>\n<h2>Symbols</h2>\n");
	begin_table(p, "Symbols", names);
	for (size_t i = 0; i < p->r->n; i++) {
		const struct report_symbol *s = &p->r->rows[i];
		bool is_drawn = s->n > 0 && chart < p->charts;

		chart += is_drawn;
		if (report_row_is_there(p->r, s))
			put_row(p, s, is_drawn ? chart : 0);
	}
	end_table(p);
	put(p, "</section>\n");
}

/* ---- what is held ---- */

static void put_total(struct page *p, const struct report_total *t)
{
	put(p, "<dl class=\"tiles\">\n");
	begin_tile(p, "value");
	markup_price(p->out, t->value);
	put(p, " ");
	markup_text(p->out, t->currency);
	end_tile(p);
	begin_tile(p, "change");
	markup_number(p->out, t->change, 2, true);
	end_tile(p);
	tile_number(p, "gain", t->gain, 2, true);
	begin_tile(p, "gain of cost");
	markup_percent(p->out, t->gain_share);
	end_tile(p);
	if (p->r->parts & REPORT_NEWS)
		tile_number(p, "sentiment by value", t->avg_sentiment, 3, true);
	if (p->r->parts & REPORT_TECHNICAL)
		tile_number(p, "RSI by value", t->avg_rsi, 1, false);
	put(p, "</dl>\n");
}

static void put_holding(struct page *p, const struct report_holding *x)
{
	begin_row(p, x->position->symbol, 0);
	cell_number(p, x->position->quantity, 2);
	cell_price(p, x->value);
	put(p, "<td>");
	markup_number(p->out, 100 * x->weight, 1, false);
	put(p, "</td>");
	cell_price(p, x->cost);
	cell_signed(p, x->gain, false, 0);
	cell_signed(p, x->change, false, 0);
	cell_text(p, x->currency);
	put(p, "</tr>\n");
}

static void put_portfolio(struct page *p)
{
	struct report_holdings h;
	const struct report_holding *x;
	const struct portfolio_refusal *bad;
	size_t n;

	report_hold(p->r, &h);
	put(p, "<section>\n<h2>Holdings</h2>\n");
	for (size_t i = 0; i < h.n_totals; i++)
		put_total(p, &h.total[i]);
	begin_table(p, "Holdings",
		    "Symbol|Quantity|Value|Weight %|Cost|Gain|Change|<Currency");
	x = report_holding_at(&h, 0, &n);
	for (size_t i = 0; i < n; i++)
		put_holding(p, &x[i]);
	end_table(p);
	bad = portfolio_refusals(p->r->portfolio, &n);
	for (size_t i = 0; i < n; i++) {
		buf_printf(p->out, "<p class=\"failed\">Line %llu was not taken: ",
			   (unsigned long long)bad[i].line);
		markup_text(p->out, bad[i].reason);
		put(p, "</p>\n");
	}
	put(p, "</section>\n");
	report_holdings_free(&h);
}

/* ---- charts ---- */

static void put_article(struct page *p, const struct report_symbol *s,
			const struct report_article *a)
{
	const char *url = report_text(s, a->url);
	bool is_link = markup_is_link(url);

	put(p, "<li><span class=\"");
	put(p, a->compound >= SENTIMENT_THRESHOLD    ? "rise"
	       : a->compound <= -SENTIMENT_THRESHOLD ? "fall"
						     : "even");
	put(p, "\">");
	markup_number(p->out, a->compound, 2, true);
	put(p, "</span> ");
	if (is_link) {
		put(p, "<a rel=\"noopener noreferrer\" href=\"");
		markup_text(p->out, url);
		put(p, "\">");
	}
	put(p, "<bdi>");
	markup_text(p->out, report_text(s, a->headline));
	put(p, is_link ? "</bdi></a> <small>" : "</bdi> <small>");
	markup_date(p->out, a->time_ns, true);
	put(p, " <bdi>");
	markup_text(p->out, report_text(s, a->source));
	put(p,
	    a->is_repeat ? "</bdi>, repeated</small></li>\n" : "</bdi></small></li>\n");
}

static void put_articles(struct page *p, const struct report_symbol *s)
{
	size_t n, shown;
	const struct report_article *a = report_articles(s, &n);

	shown = n < p->r->articles ? n : p->r->articles;
	if (shown == 0)
		return;
	put(p, "<ul class=\"news\">\n");
	for (size_t i = n; i-- > n - shown;)
		put_article(p, s, &a[i]);
	put(p, "</ul>\n");
}

static void put_source(struct page *p, const struct report_symbol *s)
{
	put(p, "<p class=\"why\">");
	markup_text(p->out, s->series[s->best].source);
	put(p, ": ");
	markup_text(p->out, s->why);
	if (s->series[s->best].borrowed > 0) {
		put(p, "; goes on where ");
		markup_text(p->out, s->series[s->best].continues);
		put(p, " ends");
	}
	for (size_t k = 0; k < s->n_series; k++) {
		int64_t compared_ns;

		if ((int)k == s->best)
			continue;
		put(p, "; ");
		markup_text(p->out, s->series[k].source);
		put(p, " ");
		markup_percent(p->out,
			       report_deviation(s, &s->series[k], &compared_ns));
	}
	put(p, "</p>\n");
}

static void put_charts(struct page *p)
{
	size_t chart = 0;

	put(p, "<section>\n<h2>Charts</h2>\n<div class=\"cards\">\n");
	for (size_t i = 0; i < p->r->n && chart < p->charts; i++) {
		const struct report_symbol *s = &p->r->rows[i];

		if (s->n == 0)
			continue;
		buf_printf(p->out, "<article id=\"c%zu\">\n<h3>", ++chart);
		markup_text(p->out, s->symbol);
		put(p, " <span>");
		markup_price(p->out, s->bars[s->n - 1].close);
		put(p, " ");
		markup_text(p->out, s->series[s->best].currency);
		put(p, "</span></h3>\n");
		chart_symbol(p->out, p->r, s);
		put_source(p, s);
		put_articles(p, s);
		put(p, "</article>\n");
	}
	put(p, "</div>\n</section>\n");
}

/* Without prices there is no chart to put headlines under. */
static void put_headlines(struct page *p)
{
	put(p, "<section>\n<h2>Headlines</h2>\n<div class=\"cards\">\n");
	for (size_t i = 0; i < p->r->n; i++) {
		if (p->r->rows[i].news.articles == 0)
			continue;
		put(p, "<article>\n<h3>");
		markup_text(p->out, p->r->rows[i].symbol);
		put(p, "</h3>\n");
		put_articles(p, &p->r->rows[i]);
		put(p, "</article>\n");
	}
	put(p, "</div>\n</section>\n");
}

static void put_sentiment(struct page *p)
{
	put(p,
	    "<section>\n<h2>Sentiment</h2>\n<p>Mean of the articles' scores, -1 to 1 "
	    "(articles).");
	if (p->sum.with_news > p->charts)
		buf_printf(p->out, " The first %zu symbols.", p->charts);
	put(p, "</p>\n<div class=\"card\">\n");
	chart_sentiment(p->out, p->r, p->charts);
	put(p, "</div>\n</section>\n");
}

static void put_correlation(struct page *p, const struct report_correlation *c)
{
	put(p, "<section>\n<h2>Correlation of returns</h2>\n<p>Orange is -1, white 0, "
	       "blue 1.");
	if (p->sum.priced > c->n)
		buf_printf(p->out, " The first %zu symbols.", c->n);
	put(p, "</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	       "aria-label=\"Correlation\">\n");
	chart_correlation(p->out, c);
	put(p, "</div>\n</section>\n");
}

/* Side by side while the square is small. */
static void put_together(struct page *p)
{
	struct report_correlation c;
	bool square;

	report_correlate(p->r, &c);
	square = (p->r->parts & WHOLE) == WHOLE && c.n >= 2;
	if (p->charts == 0)
		return;
	put(p, c.n <= 14 ? "<div class=\"pair\">\n" : "<div>\n");
	if (p->sum.with_news > 0)
		put_sentiment(p);
	if (square)
		put_correlation(p, &c);
	put(p, "</div>\n");
}

/* ---- the end ---- */

static void put_failed(struct page *p)
{
	static const char *const parts[REPORT_PARTS] = {"pricing", "technical", "news"};

	if (p->sum.failed == 0)
		return;
	put(p, "<section>\n<h2>What is not there</h2>\n");
	begin_table(p, "What is not there", "Symbol|<Part|<Reason");
	for (size_t i = 0; i < p->r->n; i++) {
		for (size_t k = 0; k < REPORT_PARTS; k++) {
			if (p->r->rows[i].failed[k][0] == '\0')
				continue;
			begin_row(p, p->r->rows[i].symbol, 0);
			cell_text(p, parts[k]);
			cell_text(p, p->r->rows[i].failed[k]);
			put(p, "</tr>\n");
		}
	}
	end_table(p);
	put(p, "</section>\n");
}

void report_html(const struct report *r, size_t charts, struct buf *out)
{
	struct page p = {.r = r, .out = out, .charts = charts};

	report_sum_up(r, &p.sum);
	begin(&p);
	put_tiles(&p);
	if (r->portfolio != NULL)
		put_portfolio(&p);
	put_rows(&p);
	put_together(&p);
	if (p.sum.priced > 0 && charts > 0)
		put_charts(&p);
	else if (p.sum.with_news > 0)
		put_headlines(&p);
	put_failed(&p);
	put(&p, "</main>\n<footer><p>Made by tickbusctl report from what vendors sent; "
		"no advice.</p></footer>\n</body>\n</html>\n");
}
