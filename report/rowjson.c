/* rowjson - report_row_json(): a symbol's row of every list, written where it was made.
 */
#include "base/jsonw.h"
#include "report/compute.h"
#include "report/summary.h"
#include <string.h>

/* ---- technical ---- */

static void put_columns(struct jsonw *w, const struct report_symbol *s, size_t at)
{
	for (size_t i = 0; i < REPORT_COLUMNS; i++) {
		const double *all = report_column_all(s, i);

		jsonw_f64(w, report_column_key(i), all != NULL ? all[at] : NAN);
	}
}

static void put_technical(struct jsonw *w, const struct report *r,
			  const struct report_symbol *s)
{
	(void)r;
	if (s->columns == NULL)
		return;
	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	put_columns(w, s, s->n - 1);
	jsonw_end(w);
}

static void put_bar(struct jsonw *w, const struct report_bar *b)
{
	jsonw_time(w, "time", b->time_ns);
	jsonw_f64(w, "open", b->open);
	jsonw_f64(w, "high", b->high);
	jsonw_f64(w, "low", b->low);
	jsonw_f64(w, "close", b->close);
	jsonw_f64(w, "volume", b->volume);
}

/* With --history: what each bar had, a row a bar. */
static void put_history(struct jsonw *w, const struct report *r,
			const struct report_symbol *s)
{
	for (size_t k = 0; r->history && s->columns != NULL && k < s->n; k++) {
		if (k > 0)
			buf_add(w->out, ",", 1);
		jsonw_object(w, NULL);
		jsonw_str(w, "ticker", s->symbol);
		put_bar(w, &s->bars[k]);
		put_columns(w, s, k);
		jsonw_end(w);
	}
}

/* ---- pricing ---- */

/* Of the daemon's own bars: whose ticks, and whose bars stand in front of them. */
static void put_own(struct jsonw *w, const struct report_series *x)
{
	size_t n, ours;

	(void)report_series_bars(x, &n);
	ours = n - x->borrowed;
	if (x->made_of[0] != '\0')
		jsonw_str(w, "made_of", x->made_of);
	else
		jsonw_null(w, "made_of");
	if (x->present <= ours) {
		jsonw_null(w, "continues");
		return;
	}
	jsonw_object(w, "continues");
	jsonw_str(w, "source", x->continues);
	jsonw_u64(w, "bars", x->present - ours);
	jsonw_end(w);
}

static void put_series(struct jsonw *w, const struct report_series *x)
{
	jsonw_str(w, "source", x->source);
	jsonw_str(w, "currency", x->currency);
	jsonw_u64(w, "bars", x->present);
	jsonw_u64(w, "bars_refused", x->refused);
	put_own(w, x);
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
	jsonw_time(w, "time", n > 0 ? b[n - 1].time_ns : INT64_MIN);
	jsonw_f64(w, "deviation", deviation);
	jsonw_time(w, "compared_at", compared_ns);
	jsonw_end(w);
}

static bool has_source(const struct report_symbol *s, const char *source)
{
	for (size_t k = 0; k < s->n_series; k++)
		if (strcmp(s->series[k].source, source) == 0)
			return true;
	return false;
}

static void put_sources(struct jsonw *w, const struct report *r,
			const struct report_symbol *s)
{
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
}

static void put_price(struct jsonw *w, const struct report *r,
		      const struct report_symbol *s)
{
	if (s->n == 0)
		return;
	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	jsonw_object(w, "price_data");
	jsonw_f64(w, "close", s->bars[s->n - 1].close);
	jsonw_array(w, "ohlcv");
	jsonw_object(w, NULL);
	put_bar(w, &s->bars[s->n - 1]);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	put_sources(w, r, s);
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
		jsonw_time(w, "time", a[i].time_ns);
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
		     const struct report_symbol *s)
{
	if (s->news.articles == 0)
		return;
	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	put_totals(w, s);
	jsonw_f64(w, "positive_share", share(s->news.positive, s->news.articles));
	jsonw_f64(w, "negative_share", share(s->news.negative, s->news.articles));
	jsonw_u64(w, "repeats", s->repeats);
	put_articles(w, r, s);
	jsonw_end(w);
}

/* ---- all parts side by side ---- */

static void put_combined(struct jsonw *w, const struct report *r,
			 const struct report_symbol *s)
{
	const struct report_bar *b = s->n > 0 ? &s->bars[s->n - 1] : NULL;

	if (!report_row_is_there(r, s))
		return;
	jsonw_object(w, NULL);
	jsonw_str(w, "ticker", s->symbol);
	jsonw_time(w, "time", b != NULL ? b->time_ns : INT64_MIN);
	jsonw_f64(w, "close", b != NULL ? b->close : NAN);
	jsonw_f64(w, "change",
		  b != NULL && s->n > 1 ? b->close / s->bars[s->n - 2].close - 1 : NAN);
	jsonw_f64(w, "volume", b != NULL ? b->volume : NAN);
	if (s->best >= 0)
		jsonw_str(w, "source", s->series[s->best].source);
	else
		jsonw_null(w, "source");
	put_columns(w, s, s->n - 1);
	put_totals(w, s);
	jsonw_end(w);
}

/* ---- the lists ---- */

#define OF(flow) (1u << (flow))

static const struct {
	uint32_t flows;
	void (*put)(struct jsonw *w, const struct report *r,
		    const struct report_symbol *s);
} lists[REPORT_LISTS] = {
	[REPORT_LIST_TECHNICAL] = {OF(FLOW_TECHNICAL) | OF(FLOW_COMBINED),
				   put_technical},
	[REPORT_LIST_HISTORY] = {OF(FLOW_TECHNICAL) | OF(FLOW_COMBINED), put_history},
	[REPORT_LIST_PRICES] = {OF(FLOW_PRICING) | OF(FLOW_COMBINED), put_price},
	[REPORT_LIST_NEWS] = {OF(FLOW_NEWS) | OF(FLOW_COMBINED), put_news},
	[REPORT_LIST_COMBINED] = {OF(FLOW_COMPREHENSIVE) | OF(FLOW_COMBINED),
				  put_combined},
};

void report_row_json(const struct report *r, struct report_symbol *s)
{
	for (size_t k = 0; k < REPORT_LISTS; k++) {
		struct jsonw w;

		if (!(lists[k].flows & OF(r->flow)))
			continue;
		jsonw_init(&w, &s->json[k]);
		lists[k].put(&w, r, s);
	}
}
