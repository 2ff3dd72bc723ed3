/* json - the report as one JSON object: the fields by flow, the rows as rowjson.c has
 * them. */
#include "base/jsonw.h"
#include "report/compute.h"
#include "report/summary.h"
#include <string.h>

/* The rows of a list as they were written, in the order of the symbols. */
static void put_list(struct jsonw *w, const struct report *r, const char *key, int list)
{
	jsonw_array(w, key);
	for (size_t i = 0; i < r->n; i++) {
		struct buf *row = &r->rows[i].json[list];

		if (row->len > 0)
			jsonw_raw(w, NULL, (const char *)row->data, row->len);
	}
	jsonw_end(w);
}

static void put_pricing(struct jsonw *w, const struct report *r)
{
	jsonw_object(w, "prices");
	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].n > 0)
			jsonw_f64(w, r->rows[i].symbol,
				  r->rows[i].bars[r->rows[i].n - 1].close);
	jsonw_end(w);
	put_list(w, r, "price_details", REPORT_LIST_PRICES);
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
	put_list(w, r, "news", REPORT_LIST_NEWS);
}

static void put_report(struct jsonw *w, const struct report_summary *sum,
		       double seconds)
{
	jsonw_object(w, "report");
	jsonw_time(w, "timestamp", sum->newest_ns);
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

static void put_parts(struct jsonw *w, const struct report *r,
		      const struct report_summary *sum)
{
	bool all = r->flow == FLOW_COMBINED;

	if (all || r->flow == FLOW_PRICING) {
		jsonw_u64(w, "securities_fetched", sum->priced);
		put_pricing(w, r);
	}
	if (all || r->flow == FLOW_TECHNICAL) {
		jsonw_u64(w, "securities_analyzed",
			  all ? sum->analyzed : sum->technical);
		put_list(w, r, "technical_summary", REPORT_LIST_TECHNICAL);
		if (r->history)
			put_list(w, r, "technical_indicators", REPORT_LIST_HISTORY);
	}
	if (all || r->flow == FLOW_NEWS)
		put_news(w, r, sum);
	if (all)
		put_correlation(w, r);
}

void report_json(struct report *r, double seconds, struct buf *out)
{
	bool whole = r->flow == FLOW_COMPREHENSIVE || r->flow == FLOW_COMBINED;
	struct report_summary sum;
	struct jsonw w;

	report_sum_up(r, &sum);
	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "status", report_status(r, &sum));
	jsonw_str(&w, "flow", report_flow_name(r->flow));
	if (whole)
		put_report(&w, &sum, seconds);
	put_parts(&w, r, &sum);
	if (whole)
		put_list(&w, r, "combined_analysis", REPORT_LIST_COMBINED);
	if (r->portfolio != NULL)
		put_portfolio(&w, r);
	put_failed(&w, r);
	if (!whole) {
		jsonw_time(&w, "timestamp", sum.newest_ns);
		jsonw_f64(&w, "execution_time_seconds", seconds);
	}
	jsonw_end(&w);
	buf_add(out, "\n", 1);
}
