/* show_event_test - events as lines and rows; a tick's row can be fed again. */
#include "cli/show_event.h"
#include "feeds/csv.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define TIME_NS INT64_C(1767623400123456789) /* 2026-01-05T14:30:00.123456789Z */

static struct event_tick make_tick(void)
{
	struct event_tick t = {.price_e9 = 187250000000,
			       .size_e8 = 10000000000,
			       .bid_e9 = VALUE_NULL,
			       .ask_e9 = 187300000001,
			       .bid_size_e8 = VALUE_NULL,
			       .ask_size_e8 = VALUE_NULL,
			       .source_seq = 42,
			       .ref_seq = 41,
			       .action = TICK_CORRECT,
			       .flags = TICK_NO_LAST,
			       .cond = "@F I"};

	t.head = (struct event_head){7, 99, TIME_NS, TIME_NS + 5};
	memcpy(t.symbol, "AAPL", 4);
	return t;
}

static char *text_of(struct buf *out, const struct tickbus_event *e, bool csv)
{
	out->len = 0;
	if (csv)
		show_event_csv(out, e);
	else
		show_event_pretty(out, e);
	return buf_text(out);
}

static void a_tick_is_a_line(void **state)
{
	struct event_tick t = make_tick();
	struct tickbus_event e = {.kind = EVENT_TICK, .tick = &t};
	struct buf out = {0};

	(void)state;
	assert_string_equal(text_of(&out, &e, false),
			    "14:30:00.123  tick    AAPL      last 187.25  x 100  "
			    "ask 187.300000001  correct of 41\n");
	assert_string_equal(
		text_of(&out, &e, true),
		"2026-01-05T14:30:00.123456789Z,AAPL,187.25,100,,187.300000001,,,"
		"42,41,@F I,correct,1,7,99,2026-01-05T14:30:00.123456794Z\n");
	buf_free(&out);
}

struct taken {
	struct feed_tick tick;
	unsigned ticks, bad;
};

static int on_tick(void *arg, const struct feed_tick *t)
{
	struct taken *k = arg;

	k->tick = *t;
	k->ticks++;
	return 0;
}

static int on_bad(void *arg, uint64_t line, const char *why)
{
	(void)line;
	print_error("%s\n", why);
	((struct taken *)arg)->bad++;
	return 0;
}

static void a_row_of_a_tick_can_be_fed_again(void **state)
{
	struct event_tick t = make_tick();
	struct tickbus_event e = {.kind = EVENT_TICK, .tick = &t};
	struct taken taken = {0};
	const struct feed_sink sink = {&taken, on_tick, on_bad, NULL};
	struct mapping m;
	struct lines *lines;
	struct csv *csv;
	struct buf out = {0};
	int fd[2];

	(void)state;
	show_event_csv_header(&out, EVENT_TICK);
	show_event_csv(&out, &e);
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], out.data, out.len), (ssize_t)out.len);
	close(fd[1]);
	mapping_init(&m);
	assert_int_equal(lines_open_fd(fd[0], LINES_MAX_DEFAULT, &lines), 0);
	assert_int_equal(csv_new(lines, &m, &csv), 0);
	assert_int_equal(csv_step(csv, &sink, 10), FEED_END);
	assert_int_equal(taken.ticks, 1);
	assert_int_equal(taken.bad, 0);
	assert_int_equal(taken.tick.rec.event_ns, TIME_NS);
	assert_int_equal(taken.tick.rec.price_e9, t.price_e9);
	assert_int_equal(taken.tick.rec.size_e8, t.size_e8);
	assert_int_equal(taken.tick.rec.bid_e9, VALUE_NULL);
	assert_int_equal(taken.tick.rec.ask_e9, t.ask_e9);
	assert_int_equal(taken.tick.rec.source_seq, 42);
	assert_int_equal(taken.tick.rec.ref_seq, 41);
	assert_int_equal(record_action(&taken.tick.rec), TICK_CORRECT);
	assert_int_equal(record_flags(&taken.tick.rec), TICK_NO_LAST);
	csv_free(csv);
	lines_close(lines);
	mapping_deinit(&m);
	buf_free(&out);
}

static unsigned commas(const char *line)
{
	unsigned n = 0;

	for (; *line && *line != '\n'; line++)
		n += *line == ',';
	return n;
}

static void every_row_has_the_columns_of_its_header(void **state)
{
	struct event_tick t = make_tick();
	struct event_bar b = {.open_e9 = VALUE_NULL,
			      .log_return_1 = NAN,
			      .spread_estimate = 0.5,
			      .vwap = NAN,
			      .timeframe_s = 60,
			      .volume_lo = 250000000};
	struct event_tier1 v = {.timeframe_s = 60};
	struct event_status s = {.state = SYMBOL_PAUSED, .text = "a, \"b\"\n\033[2J"};
	struct tickbus_event e[] = {{.kind = EVENT_TICK, .tick = &t},
				    {.kind = EVENT_BAR, .bar = &b},
				    {.kind = EVENT_TIER1, .tier1 = &v},
				    {.kind = EVENT_STATUS, .status = &s}};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		unsigned n;

		out.len = 0;
		show_event_csv_header(&out, e[i].kind);
		n = commas(buf_text(&out));
		assert_true(n > 5);
		assert_int_equal(commas(text_of(&out, &e[i], true)), n);
		assert_null(strchr(text_of(&out, &e[i], true), '\033'));
		assert_null(strchr(text_of(&out, &e[i], false), '\033'));
	}
	buf_free(&out);
}

static void a_bar_begins_with_the_fifteen_columns(void **state)
{
	static const char want[] =
		"timestamp_utc,symbol,timeframe,open,high,low,close,volume,"
		"log_return_1,spread_estimate,is_missing,is_outlier,"
		"valid_bar,source_id,schema_version,bar_start,";
	struct buf out = {0};

	(void)state;
	show_event_csv_header(&out, EVENT_BAR);
	assert_memory_equal(out.data, want, strlen(want));
	buf_free(&out);
}

static void a_matrix_is_a_row_per_pair_of_its_included_members(void **state)
{
	struct event_tier2 m = {.n_members = 3, .n_included = 2, .timeframe_s = 60};
	struct tier2_member members[3] = {{.symbol = "A"},
					  {.symbol = "B", .reason = TIER2_LAGGING},
					  {.symbol = "C"}};
	const double triangle[] = {1.0, -0.5, 1.0};
	struct tickbus_event e = {.kind = EVENT_TIER2,
				  .tier2 = &m,
				  .members = members,
				  .triangle = triangle};
	struct buf out = {0};
	const char *text = text_of(&out, &e, true);

	(void)state;
	m.head.event_ns = TIME_NS;
	assert_non_null(strstr(text, ",A,A,1,"));
	assert_non_null(strstr(text, ",C,A,-0.5,"));
	assert_non_null(strstr(text, ",C,C,1,"));
	assert_null(strstr(text, "B"));
	text = text_of(&out, &e, false);
	assert_non_null(strstr(text, "2 of 3 symbols"));
	assert_non_null(strstr(text, "mean -0.5000"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tick_is_a_line),
		cmocka_unit_test(a_row_of_a_tick_can_be_fed_again),
		cmocka_unit_test(every_row_has_the_columns_of_its_header),
		cmocka_unit_test(a_bar_begins_with_the_fifteen_columns),
		cmocka_unit_test(a_matrix_is_a_row_per_pair_of_its_included_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
