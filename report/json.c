/* json - the report as one JSON object: the fields by flow, the rows in their order. */
#include "base/jsonw.h"
#include "base/timetext.h"
#include "report/compute.h"
#include "report/summary.h"
#include <string.h>

static void put_time(struct jsonw *w, const char *key, int64_t ns)
{
	char text[TIMETEXT_MAX];

	if (ns == INT64_MIN)
		jsonw_null(w, key);
	else
		jsonw_strn(w, key, text, timetext_print(text, ns));
}

/* ---- technical ---- */

static void put_columns(struct jsonw *w, const struct report_symbol *s, size_t at)
{
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		const double *all = report_column_all(s, i);

		jsonw_f64(w, report_column_key(i), all != NULL ? all[at] : NAN);
	}
}

static void put_technical(struct jsonw *w, const struct report *r)
{
	jsonw_array(w, "technical_summary");
	for (size_t i = 0; i < r->n; i++) {
		const struct report_symbol *s = &r->rows[i];

		if (s->columns == NULL)
			continue;
		jsonw_object(w, NULL);
		jsonw_str(w, "ticker", s->symbol);
		put_columns(w, s, s->n - 1);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_bar(struct jsonw *w, const struct report_bar *b)
{
	put_time(w, "time", b->time_ns);
	jsonw_f64(w, "open", b->open);
	jsonw_f64(w, "high", b->high);
	jsonw_f64(w, "low", b->low);
	jsonw_f64(w, "close", b->close);
	jsonw_f64(w, "volume", b->volume);
}

/* With --history: what each bar had. */
static void put_history(struct jsonw *w, const struct report *r)
{
	jsonw_array(w, "technical_indicators");
	for (size_t i = 0; i < r->n; i++) {
		const struct report_symbol *s = &r->rows[i];

		for (size_t k = 0; s->columns != NULL && k < s->n; k++) {
			jsonw_object(w, NULL);
			jsonw_str(w, "ticker", s->symbol);
			put_bar(w, &s->bars[k]);
			put_columns(w, s, k);
			jsonw_end(w);
		}
	}
	jsonw_end(w);
}

/* ---- pricing ---- */

static void put_prices(struct jsonw *w, const struct report *r)
{
	jsonw_object(w, "prices");
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].n > 0)
			jsonw_f64(w, r->rows[i].symbol,
				  r->rows[i].bars[r->rows[i].n - 1].close);
	jsonw_end(w);
}

static void put_series(struct jsonw *w, const struct report_series *x)
{
	jsonw_str(w, "source", x->source);
	jsonw_str(w, "currency", x->currency);
	jsonw_u64(w, "bars", x->present);
	jsonw_u64(w, "bars_refused", x->refused);
}

static void put_alternative(struct jsonw *w, const struct report_symbol *s,
			    const struct report_series *x)
{
	int64_t compared_ns;
	size_t n;
	const struct report_bar *b = report_series_bars(x, &n);
	double deviation = report_deviation(s, x, &compared_ns);

	jsonw_object(w, NULL);
	put_series(w, x);
	jsonw_f64(w, "close", n > 0 ? b[n - 1].close : NAN);
	put_time(w, "time", n > 0 ? b[n - 1].time_ns : INT64_MIN);
	jsonw_f64(w, "deviation", deviation);
	put_time(w, "compared_at", compared_ns);
	jsonw_end(w);
}

static bool has_source(const struct report_symbol *s, const char *source)
{
	for (size_t k = 0; k < s->n_series; k++)
		if (strcmp(s->series[k].source, source) == 0)
			return true;
	return false;
}

static void put_price(struct jsonw *w, const struct report *r,
		      const struct report_symbol *s)
{
	const struct report_bar *newest = &s->bars[s->n - 1];

	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	jsonw_object(w, "price_data");
	jsonw_f64(w, "close", newest->close);
	jsonw_array(w, "ohlcv");
	jsonw_object(w, NULL);
	put_bar(w, newest);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	put_series(w, &s->series[s->best]);
	jsonw_u64(w, "bars_expected", s->expected);
	jsonw_str(w, "reason", s->why);
	jsonw_array(w, "alternatives");
	for (size_t k = 0; k < s->n_series; k++)
		if ((int)k != s->best)
			put_alternative(w, s, &s->series[k]);
	jsonw_end(w);
	jsonw_array(w, "missing_sources");
	for (size_t k = 0; k < r->n_sources; k++)
		if (!has_source(s, r->sources[k]))
			jsonw_str(w, NULL, r->sources[k]);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_pricing(struct jsonw *w, const struct report *r)
{
	put_prices(w, r);
	jsonw_array(w, "price_details");
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].n > 0)
			put_price(w, r, &r->rows[i]);
	jsonw_end(w);
}

/* ---- news ---- */

static double share(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : NAN;
}

static void put_articles(struct jsonw *w, const struct report *r,
			 const struct report_symbol *s)
{
	size_t n, shown;
	const struct report_article *a = report_articles(s, &n);

	shown = n < r->articles ? n : r->articles;
	jsonw_array(w, "articles");
	for (size_t i = n; i-- > n - shown;) {
		jsonw_object(w, NULL);
		put_time(w, "time", a[i].time_ns);
		jsonw_str(w, "headline", report_text(s, a[i].headline));
		jsonw_str(w, "source", report_text(s, a[i].source));
		jsonw_str(w, "url", report_text(s, a[i].url));
		jsonw_f64(w, "sentiment", a[i].compound);
		jsonw_bool(w, "repeat", a[i].is_repeat);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_totals(struct jsonw *w, const struct report_symbol *s)
{
	jsonw_u64(w, "article_count", s->news.articles);
	jsonw_f64(w, "avg_sentiment", s->news.articles > 0 ? s->news.average : NAN);
	jsonw_f64(w, "weighted_sentiment",
		  s->news.articles > 0 ? s->news.weighted : NAN);
}

static void put_news(struct jsonw *w, const struct report *r,
		     const struct report_summary *sum)
{
	jsonw_u64(w, "total_articles", sum->articles);
	jsonw_u64(w, "securities_with_news", sum->with_news);
	jsonw_object(w, "sentiment_by_ticker");
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].news.articles > 0)
			jsonw_f64(w, r->rows[i].symbol, r->rows[i].news.average);
	jsonw_end(w);
	jsonw_u64(w, "positive_sentiment", sum->positive);
	jsonw_u64(w, "negative_sentiment", sum->negative);
	jsonw_str(w, "lexicon_version", sentiment_lexicon_version(r->scorers[0]));
	jsonw_array(w, "news");
	for (size_t i = 0; i < r->n; i++) {
		const struct report_symbol *s = &r->rows[i];

		if (s->news.articles == 0)
			continue;
		jsonw_object(w, NULL);
		jsonw_str(w, "ticker", s->symbol);
		put_totals(w, s);
		jsonw_f64(w, "positive_share",
			  share(s->news.positive, s->news.articles));
		jsonw_f64(w, "negative_share",
			  share(s->news.negative, s->news.articles));
		jsonw_u64(w, "repeats", s->repeats);
		put_articles(w, r, s);
		jsonw_end(w);
	}
	jsonw_end(w);
}

/* ---- all parts side by side ---- */

static void put_row(struct jsonw *w, const struct report_symbol *s)
{
	const struct report_bar *b = s->n > 0 ? &s->bars[s->n - 1] : NULL;

	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	put_time(w, "time", b != NULL ? b->time_ns : INT64_MIN);
	jsonw_f64(w, "close", b != NULL ? b->close : NAN);
	jsonw_f64(w, "change",
		  b != NULL && s->n > 1 ? b->close / s->bars[s->n - 2].close - 1 : NAN);
	jsonw_f64(w, "volume", b != NULL ? b->volume : NAN);
	if (s->best >= 0)
		jsonw_str(w, "source", s->series[s->best].source);
	else
		jsonw_null(w, "source");
	if (s->columns != NULL)
		put_columns(w, s, s->n - 1);
	else
		for (size_t i = 0; i < REPORT_COLUMNS; i++)
			jsonw_null(w, report_column_key(i));
	put_totals(w, s);
	jsonw_end(w);
}

static void put_combined(struct jsonw *w, const struct report *r)
{
	jsonw_array(w, "combined_analysis");
	for (size_t i = 0; i < r->n; i++)
		if (report_row_is_there(r, &r->rows[i]))
			put_row(w, &r->rows[i]);
	jsonw_end(w);
}

static void put_report(struct jsonw *w, const struct report_summary *sum,
		       double seconds)
{
	jsonw_object(w, "report");
	put_time(w, "timestamp", sum->newest_ns);
	jsonw_f64(w, "execution_time_seconds", seconds);
	jsonw_u64(w, "securities_analyzed", sum->analyzed);
	jsonw_object(w, "summary");
	jsonw_f64(w, "avg_rsi", sum->avg_rsi);
	jsonw_f64(w, "avg_sma_20", sum->avg_sma_20);
	jsonw_f64(w, "avg_news_sentiment", sum->avg_sentiment);
	jsonw_u64(w, "securities_with_positive_sentiment", sum->positive);
	jsonw_u64(w, "securities_with_negative_sentiment", sum->negative);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_correlation(struct jsonw *w, const struct report *r)
{
	struct report_correlation c;

	report_correlate(r, &c);
	jsonw_object(w, "correlation");
	jsonw_array(w, "tickers");
	for (size_t i = 0; i < c.n; i++)
		jsonw_str(w, NULL, c.row[i]->symbol);
	jsonw_end(w);
	jsonw_array(w, "matrix");
	for (size_t i = 0; i < c.n; i++) {
		jsonw_array(w, NULL);
		for (size_t k = 0; k < c.n; k++)
			jsonw_f64(w, NULL, c.value[i][k]);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_end(w);
}

/* ---- what is held ---- */

static void put_holding(struct jsonw *w, const struct report_holding *x)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", x->position->symbol);
	jsonw_f64(w, "quantity", x->position->quantity);
	jsonw_str(w, "currency", x->currency);
	jsonw_f64(w, "value", x->value);
	jsonw_f64(w, "weight", x->weight);
	jsonw_f64(w, "cost_basis", x->cost);
	jsonw_f64(w, "pnl", x->gain);
	jsonw_f64(w, "change", x->change);
	jsonw_end(w);
}

static void put_total(struct jsonw *w, const struct report_total *t)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "currency", t->currency);
	jsonw_u64(w, "positions", t->positions);
	jsonw_f64(w, "value", t->value);
	jsonw_f64(w, "gross_value", t->gross);
	jsonw_f64(w, "cost_basis", t->cost);
	jsonw_f64(w, "pnl", t->gain);
	jsonw_f64(w, "pnl_share", t->gain_share);
	jsonw_f64(w, "change", t->change);
	jsonw_f64(w, "avg_sentiment", t->avg_sentiment);
	jsonw_f64(w, "avg_rsi", t->avg_rsi);
	jsonw_end(w);
}

static void put_portfolio(struct jsonw *w, const struct report *r)
{
	struct report_holdings h;
	const struct report_holding *x;
	const struct portfolio_refusal *bad;
	size_t n;

	report_hold(r, &h);
	x = report_holding_at(&h, 0, &n);
	jsonw_object(w, "portfolio");
	jsonw_array(w, "positions");
	for (size_t i = 0; i < n; i++)
		put_holding(w, &x[i]);
	jsonw_end(w);
	jsonw_array(w, "totals");
	for (size_t i = 0; i < h.n_totals; i++)
		put_total(w, &h.total[i]);
	jsonw_end(w);
	bad = portfolio_refusals(r->portfolio, &n);
	jsonw_array(w, "refused_lines");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(w, NULL);
		jsonw_u64(w, "line", bad[i].line);
		jsonw_str(w, "reason", bad[i].reason);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_end(w);
	report_holdings_free(&h);
}

/* ---- the whole ---- */

static void put_failed(struct jsonw *w, const struct report *r)
{
	static const char *const parts[REPORT_PARTS] = {"pricing", "technical", "news"};

	jsonw_array(w, "failed");
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < REPORT_PARTS; k++) {
			if (r->rows[i].failed[k][0] == '\0')
				continue;
			jsonw_object(w, NULL);
			jsonw_str(w, "ticker", r->rows[i].symbol);
			jsonw_str(w, "part", parts[k]);
			jsonw_str(w, "reason", r->rows[i].failed[k]);
			jsonw_end(w);
		}
	}
	jsonw_end(w);
}

static void put_parts(struct jsonw *w, const struct report *r, enum report_flow flow,
		      const struct report_summary *sum)
{
	bool all = flow == FLOW_COMBINED;

	if (all || flow == FLOW_PRICING) {
		jsonw_u64(w, "securities_fetched", sum->priced);
		put_pricing(w, r);
	}
	if (all || flow == FLOW_TECHNICAL) {
		jsonw_u64(w, "securities_analyzed",
			  all ? sum->analyzed : sum->technical);
		put_technical(w, r);
		if (r->history)
			put_history(w, r);
	}
	if (all || flow == FLOW_NEWS)
		put_news(w, r, sum);
	if (all)
		put_correlation(w, r);
}

void report_json(struct report *r, enum report_flow flow, double seconds,
		 struct buf *out)
{
	bool whole = flow == FLOW_COMPREHENSIVE || flow == FLOW_COMBINED;
	struct report_summary sum;
	struct jsonw w;

	report_sum_up(r, &sum);
	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "status", report_status(r, &sum));
	jsonw_str(&w, "flow", report_flow_name(flow));
	if (whole)
		put_report(&w, &sum, seconds);
	put_parts(&w, r, flow, &sum);
	if (whole)
		put_combined(&w, r);
	if (r->portfolio != NULL)
		put_portfolio(&w, r);
	put_failed(&w, r);
	if (!whole) {
		put_time(&w, "timestamp", sum.newest_ns);
		jsonw_f64(&w, "execution_time_seconds", seconds);
	}
	jsonw_end(&w);
	buf_add(out, "\n", 1);
}
