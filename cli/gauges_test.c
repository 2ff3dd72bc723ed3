/* gauges_test - two answers of `top` and what the page makes of them. */
#include "cli/gauges.h"
#include "cli/progress.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char first[] =
	"{\"state\":\"ready\",\"sampled_ns\":5,\"dispatch_lag\":3,\"published\":{"
	"\"bar\":9},"
	"\"latency\":{\"matrix\":{\"p99_us\":12.5}},\"drops\":{\"ticks_rejected_"
	"total\":0},"
	"\"counters\":{\"ticks_accepted_total\":1000,\"publish_dropped_total\":0,"
	"\"bars_total{state=\\\"traded\\\"}\":10},"
	"\"workers\":[{\"worker\":0,\"ring_items\":4,\"ticks\":8}],"
	"\"symbols\":[{\"id\":0,\"symbol\":\"AAPL\",\"tick_seq\":100},"
	"{\"id\":1,\"symbol\":\"MSFT\",\"tick_seq\":50}]}";

static const char second[] =
	"{\"state\":\"ready\",\"sampled_ns\":9,\"dispatch_lag\":0,\"published\":{"
	"\"bar\":9},"
	"\"latency\":{\"matrix\":{\"p99_us\":13}},\"drops\":{\"ticks_rejected_total\":"
	"2},"
	"\"counters\":{\"ticks_accepted_total\":2001000,\"publish_dropped_total\":7,"
	"\"bars_total{state=\\\"traded\\\"}\":10},"
	"\"workers\":[{\"worker\":0,\"ring_items\":0,\"ticks\":8}],"
	"\"symbols\":[{\"id\":0,\"symbol\":\"AAPL\",\"tick_seq\":110},"
	"{\"id\":1,\"symbol\":\"MSFT\",\"tick_seq\":250}]}";

static void read_json(struct gauges *g, const char *text)
{
	struct json_scan scan = {.at = text, .end = text + strlen(text)};
	struct json_token t;

	assert_int_equal(gauges_init(g), 0);
	assert_true(json_scan_value(&scan, &t));
	gauges_read(g, &t);
}

static void every_number_becomes_a_gauge(void **state)
{
	struct gauges g;

	(void)state;
	read_json(&g, first);
	assert_true(gauges_value(&g, "counters.ticks_accepted_total", -1) == 1000);
	assert_true(gauges_value(&g, "counters.bars_total{state=\"traded\"}", -1) ==
			    10 ||
		    gauges_value(&g, "counters.bars_total{state=traded}", -1) == 10);
	assert_true(gauges_value(&g, "latency.matrix.p99_us", -1) == 12.5);
	assert_true(gauges_value(&g, "workers.0.ring_items", -1) == 4);
	assert_true(gauges_value(&g, "symbols.MSFT.tick_seq", -1) == 50);
	assert_true(gauges_value(&g, "nothing", -1) == -1);
	assert_int_equal(g.dropped, 0);
	gauges_deinit(&g);
}

static const char *page(const struct gauges_view *view, struct buf *out)
{
	struct gauges a, b;

	read_json(&a, first);
	read_json(&b, second);
	gauges_show(out, &a, &b, 2.0, view);
	gauges_deinit(&a);
	gauges_deinit(&b);
	return buf_text(out);
}

static void the_page_shows_losses_first_then_rates(void **state)
{
	const struct gauges_view view = {0};
	struct buf out = {0};
	const char *text = page(&view, &out);

	(void)state;
	assert_ptr_equal(strstr(text, "LOST, LATE, REFUSED"), text);
	assert_non_null(strstr(text, "publish dropped"));
	assert_non_null(strstr(text, "2,001,000      1,000,000/s"));
	assert_true(strstr(text, "FLOW") > strstr(text, "publish dropped"));
	assert_non_null(strstr(text, "bars state=traded"));
	assert_non_null(strstr(text, "dispatch lag"));
	/* MSFT made 200 ticks in the two seconds, AAPL ten. */
	assert_true(strstr(text, "MSFT") < strstr(text, "AAPL"));
	assert_non_null(strstr(text, "100/s"));
	assert_null(strstr(text, "sampled"));
	buf_free(&out);
}

static void a_short_terminal_cuts_the_end_and_says_so(void **state)
{
	const struct gauges_view view = {.rows = 5, .ansi = true};
	struct buf out = {0};
	const char *text = page(&view, &out);
	unsigned lines = 0;

	(void)state;
	for (const char *s = text; *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 5);
	assert_non_null(strstr(text, "do not fit"));
	buf_free(&out);
}

static void the_rate_follows_the_last_seconds(void **state)
{
	const int64_t s = 1000000000;
	char text[PROGRESS_TEXT_MAX];
	struct progress p;

	(void)state;
	progress_init(&p, 0);
	for (int64_t i = 1; i <= 20; i++) /* 1,000 a second, then 3,000 */
		progress_add(&p, i * s,
			     (uint64_t)(i <= 10 ? i * 1000 : 10000 + (i - 10) * 3000));
	assert_true(fabs(progress_rate(&p, 20 * s, 40000) - 3000.0) < 1.0);
	progress_print(&p, 20 * s, 40000, 25, 100, text);
	assert_string_equal(
		text, " 25% [#####               ]  40,000 ticks  3k/s  1:00 left");
	progress_print(&p, 20 * s, 40000, 25, 0, text);
	assert_string_equal(text, "40,000 ticks  3k/s");
	progress_print(&p, 20 * s, 40000, 300, 100, text);
	assert_memory_equal(text, "100% [####################]", 27);
}

static void thousands_are_parted(void **state)
{
	char text[32];

	(void)state;
	progress_thousands(text, 0);
	assert_string_equal(text, "0");
	progress_thousands(text, 999);
	assert_string_equal(text, "999");
	progress_thousands(text, 1000);
	assert_string_equal(text, "1,000");
	progress_thousands(text, UINT64_MAX);
	assert_string_equal(text, "18,446,744,073,709,551,615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_becomes_a_gauge),
		cmocka_unit_test(the_page_shows_losses_first_then_rates),
		cmocka_unit_test(a_short_terminal_cuts_the_end_and_says_so),
		cmocka_unit_test(the_rate_follows_the_last_seconds),
		cmocka_unit_test(thousands_are_parted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
