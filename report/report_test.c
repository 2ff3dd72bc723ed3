/* Tests of report.h over a loader that makes everything up. */
#include "base/clock.h"
#include "report/html.h"
#include "report/summary.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SYMBOLS 40
#define WORKERS 8

static const char *const sources[] = {"a", "b"};

static void add_bars(struct report_symbol *s, const char *source, int symbol, int from,
		     int to)
{
	struct report_series *x = report_series_add(s, source);

	x->rank = source[0] == 'b';
	for (int i = from; i < to; i++) {
		double close = 100 + symbol + 10 * sin(i / 7.0 + symbol);
		struct report_bar bar = {i * 86400 * NS_PER_S,
					 close,
					 close + 1,
					 close - 1,
					 close,
					 i * 10};

		report_series_push(x, &bar);
	}
}

/* Symbol number 7 has nothing, number 11 ends everything when it is told to. */
static int make_up(void *arg, unsigned worker, const struct report *r,
		   struct report_symbol *s)
{
	int n = atoi(s->symbol + 1);

	assert_true(worker < WORKERS);
	(void)r;
	if (n == 11 && arg != NULL)
		return 69;
	if (n == 7)
		return 0;
	add_bars(s, "a", n, 0, 300);
	add_bars(s, "b", n, n % 3 == 0 ? 0 : 1, 300 + n % 2);
	for (int i = 0; i < 10; i++) {
		char headline[64];

		(void)snprintf(headline, sizeof(headline), "S%d %s <%d>", n,
			       (n + i) % 3 ? "surges" : "plunges", i);
		report_article_push(s, (250 + i) * 86400 * NS_PER_S, headline, "wire",
				    "https://x");
	}
	return 0;
}

static struct report new_report(struct sentiment **scorers)
{
	struct report r = {.flow = FLOW_COMBINED,
			   .step_s = 86400,
			   .window = 252,
			   .news_ns = 30 * 86400 * NS_PER_S,
			   .half_life_ns = 86400 * NS_PER_S,
			   .repeat_ns = 86400 * NS_PER_S,
			   .articles = 3,
			   .scorers = scorers,
			   .sources = sources,
			   .n_sources = 2};

	for (int i = 0; i < SYMBOLS; i++) {
		char symbol[8];

		(void)snprintf(symbol, sizeof(symbol), "S%d", i);
		assert_int_equal(report_add(&r, symbol), 0);
		assert_int_equal(report_add(&r, symbol), 0);
	}
	assert_int_equal(r.n, SYMBOLS);
	return r;
}

static void make(unsigned workers, struct buf *json, struct buf *html)
{
	const struct report_loader loader = {make_up, NULL};
	struct sentiment *scorers[WORKERS];
	struct report r;

	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(sentiment_new(SENTIMENT_FINANCE, NULL, 0, &scorers[i]),
				 0);
	r = new_report(scorers);
	assert_int_equal(report_run(&r, &loader, workers), 0);
	report_json(&r, 0, json);
	report_html(&r, 12, html);
	report_free(&r);
	for (unsigned i = 0; i < WORKERS; i++)
		sentiment_free(scorers[i]);
}

static void any_number_of_workers_gives_the_same_bytes(void **state)
{
	struct buf json = {0}, html = {0};

	(void)state;
	make(1, &json, &html);
	assert_non_null(strstr(buf_text(&json), "\"status\":\"partial\""));
	assert_non_null(strstr(buf_text(&json), "S6 surges <8>"));
	assert_null(strstr(buf_text(&html), "<8>"));
	for (unsigned workers = 2; workers <= WORKERS; workers++) {
		struct buf json2 = {0}, html2 = {0};

		make(workers, &json2, &html2);
		assert_string_equal(buf_text(&json), buf_text(&json2));
		assert_string_equal(buf_text(&html), buf_text(&html2));
		buf_free(&json2);
		buf_free(&html2);
	}
	buf_free(&json);
	buf_free(&html);
}

static void what_a_loader_ends_is_ended(void **state)
{
	const struct report_loader loader = {make_up, &state};
	struct sentiment *scorer;
	struct report r;

	(void)state;
	assert_int_equal(sentiment_new(SENTIMENT_FINANCE, NULL, 0, &scorer), 0);
	r = new_report(&scorer);
	assert_int_equal(report_run(&r, &loader, 1), 69);
	report_free(&r);
	sentiment_free(scorer);
}

static void a_bar_that_cannot_be_is_left_out(void **state)
{
	static const struct report_bar bad[] = {
		{2, 1, 2, 0, 1, 1}, /* a low of 0 */
		{2, 1, 2, -1, 1, 1},  {2, 3, 2, 1, 1, 1},
		{2, 1, 2, 1, 3, 1},   {2, NAN, 2, 1, 1, 1},
		{2, 1, NAN, 1, 1, 1}, {2, 1, INFINITY, 1, 1, 1},
		{2, 1, 2, NAN, 1, 1}, {2, 1, 2, 1, NAN, 1},
		{2, 1, 2, 1, 1, -1},  {2, 1, 2, 1, 1, INFINITY},
		{1, 1, 2, 1, 1, 1}, /* no later */
	};
	const struct report_bar good = {1, 1, 2, 1, 2, NAN};
	struct report_symbol s = {.best = -1};
	struct report_series *x = report_series_add(&s, "a");
	size_t n;

	(void)state;
	report_series_push(x, &good);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		report_series_push(x, &bad[i]);
	assert_int_equal(x->refused, sizeof(bad) / sizeof(bad[0]));
	(void)report_series_bars(x, &n);
	assert_int_equal(n, 1);
	buf_free(&x->bars);
}

static void there_are_no_more_sources_than_there_is_room_for(void **state)
{
	struct report_symbol s = {.best = -1};

	(void)state;
	for (int i = 0; i < REPORT_SOURCES_MAX; i++)
		assert_non_null(report_series_add(&s, "a"));
	assert_null(report_series_add(&s, "a"));
}

/* Pence are not pounds: a sum for each currency, weights within it. */
static void holdings_are_summed_up_by_currency(void **state)
{
	static const struct {
		const char *symbol, *currency;
		double close, quantity, cost;
	} held[] = {{"A", "USD", 50, 2, 80},
		    {"B", "GBp", 250, 4, NAN},
		    {"C", "USD", 100, -3, -310},
		    {"D", "", 0, 5, 10}}; /* nobody has a price of it */
	struct portfolio p = {.positions = {0}};
	struct report r = {.portfolio = &p};
	struct report_holdings h;
	const struct report_holding *x;
	struct report_bar bar[4];
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct report_symbol *s;

		assert_int_equal(portfolio_add(&p, held[i].symbol, held[i].quantity,
					       held[i].cost),
				 0);
		assert_int_equal(report_add(&r, held[i].symbol), 0);
		s = &r.rows[i];
		bar[i] = (struct report_bar){.close = held[i].close};
		(void)snprintf(report_series_add(s, "a")->currency,
			       sizeof(s->series[0].currency), "%s", held[i].currency);
		s->bars = &bar[i];
		s->n = held[i].close > 0;
		s->best = s->n > 0 ? 0 : -1;
	}
	report_hold(&r, &h);
	x = report_holding_at(&h, 0, &n);
	assert_int_equal(n, 4);
	assert_int_equal(h.n_totals, 2);
	assert_string_equal(h.total[0].currency, "USD");
	assert_true(h.total[0].value == -200 && h.total[0].gross == 400);
	assert_true(h.total[0].cost == -230 && h.total[0].gain == 30);
	assert_true(x[0].weight == 0.25 && x[2].weight == -0.75 && x[1].weight == 1);
	assert_string_equal(h.total[1].currency, "GBp");
	assert_true(h.total[1].value == 1000 && isnan(h.total[1].gain));
	assert_true(isnan(x[3].value) && isnan(x[3].weight) && x[3].cost == 10);
	report_holdings_free(&h);
	report_free(&r);
	portfolio_free(&p);
}

static void symbols_and_flows_have_names(void **state)
{
	struct report r = {.n = 0};

	(void)state;
	assert_true(report_add(&r, "") < 0);
	assert_true(report_add(&r, "a b") < 0);
	assert_int_equal(r.n, 0);
	for (enum report_flow f = 0; f < FLOWS; f++)
		assert_int_equal(report_flow_parse(report_flow_name(f)), f);
	assert_int_equal(report_flow_parse("weekly"), FLOWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers_gives_the_same_bytes),
		cmocka_unit_test(what_a_loader_ends_is_ended),
		cmocka_unit_test(a_bar_that_cannot_be_is_left_out),
		cmocka_unit_test(there_are_no_more_sources_than_there_is_room_for),
		cmocka_unit_test(holdings_are_summed_up_by_currency),
		cmocka_unit_test(symbols_and_flows_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
