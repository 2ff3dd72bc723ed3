/* Tests of report.h over a loader that makes everything up. */
#include "base/clock.h"
#include "report/compute.h"
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
	const struct report_loader loader = {.load = make_up};
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
	const struct report_loader loader = {.load = make_up, .arg = &state};
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

static void expect_times(const struct report_series *x, const int *times, size_t count)
{
	size_t n;
	const struct report_bar *b = report_series_bars(x, &n);

	assert_int_equal(n, count);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(b[i].time_ns, times[i]);
}

/* Revisions come in any order, and what was a bar may turn out to be none. */
static void a_bar_replaces_that_of_its_time(void **state)
{
	struct report_bar bar = {0, 1, 2, 1, 2, 1};
	struct report_symbol s = {.best = -1};
	struct report_series *x = report_series_add(&s, "a");
	size_t n;

	(void)state;
	for (int i = 0; i < 5; i++) {
		bar.time_ns = (int[]){30, 10, 50, 20, 40}[i];
		report_series_put(x, &bar, true);
	}
	expect_times(x, (int[]){10, 20, 30, 40, 50}, 5);
	bar.time_ns = 40;
	bar.close = 1.5;
	report_series_put(x, &bar, true);
	assert_true(report_series_bars(x, &n)[3].close == 1.5);
	bar.time_ns = 10;
	report_series_put(x, &bar, false);
	bar.time_ns = 50;
	report_series_put(x, &bar, false);
	bar.time_ns = 30;
	bar.high = 1; /* below the close */
	report_series_put(x, &bar, true);
	bar.time_ns = 35;
	report_series_put(x, &bar, true);
	expect_times(x, (int[]){20, 40}, 2);
	assert_int_equal(x->refused, 2);
	report_series_trim(x, 3);
	report_series_trim(x, 1);
	expect_times(x, (int[]){40}, 1);
	report_series_drop(&s);
	assert_int_equal(s.n_series, 0);
}

#define DAY (86400 * NS_PER_S)

/* @n days of a price from day @from on, each beginning @late after midnight. */
static void add_days(struct report_symbol *s, const char *source, int from, int n,
		     int64_t late, double price)
{
	struct report_series *x = report_series_add(s, source);

	x->is_own = strcmp(source, "own") == 0;
	x->rank = x->is_own ? 2 : source[0] == 'b';
	for (int i = from; i < from + n; i++) {
		struct report_bar bar = {i * DAY + late, price,     price + 1,
					 price - 1,      price + i, i};

		bar.high += i;
		report_series_push(x, &bar);
	}
}

static void judge(struct report_symbol *s)
{
	struct report r = {
		.step_s = 86400, .window = 30, .sources = sources, .n_sources = 2};

	report_price(&r, s);
}

static void our_bars_go_on_where_a_vendors_end(void **state)
{
	struct report_symbol s = {.best = -1}, t = {.best = -1}, u = {.best = -1};
	size_t n;

	(void)state;
	/* Days of New York; our own begin at midnight, and lie over the vendor's last.
	 */
	add_days(&s, "own", 18, 3, 0, 100);
	add_days(&s, "a", 4, 10, DAY / 5, 100);
	add_days(&s, "b", 0, 20, DAY / 5, 100);
	judge(&s);
	assert_string_equal(s.series[s.best].source, "own");
	assert_string_equal(s.series[s.best].continues, "b");
	assert_int_equal(s.series[s.best].borrowed, 18);
	assert_int_equal(s.n, 21);
	for (size_t i = 0; i < s.n; i++)
		assert_int_equal(s.bars[i].time_ns / DAY, i);
	assert_non_null(strstr(s.why, "the freshest"));
	/* Pence are no past of pounds, and what lies behind us neither. */
	add_days(&t, "own", 18, 3, 0, 50);
	add_days(&t, "a", 0, 18, 0, 100);
	judge(&t);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.series[t.best].borrowed, 0);
	add_days(&u, "own", 3, 3, 0, 100);
	add_days(&u, "a", 3, 10, 0, 100);
	judge(&u);
	assert_string_equal(u.series[u.best].source, "a");
	(void)report_series_bars(&u.series[0], &n);
	assert_int_equal(n, 3);
	for (size_t k = 0; k < 3; k++) {
		buf_free(&s.series[k].bars);
		buf_free(&t.series[k].bars);
		buf_free(&u.series[k].bars);
	}
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
		cmocka_unit_test(a_bar_replaces_that_of_its_time),
		cmocka_unit_test(our_bars_go_on_where_a_vendors_end),
		cmocka_unit_test(there_are_no_more_sources_than_there_is_room_for),
		cmocka_unit_test(holdings_are_summed_up_by_currency),
		cmocka_unit_test(symbols_and_flows_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
