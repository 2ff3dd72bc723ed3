/* csv_test - files as they come: headers, quotes, defects, recorded ticks. */
#include "base/clock.h"
#include "base/timetext.h"
#include "feeds/csv.h"
#include "feeds/feed_test.h"
#include <errno.h>

static struct keep keep;
static struct feed_counts counts;

/* Read all of @text with @m, which is given up; returns the last csv_step(). */
static int read_all(struct mapping *m, const char *text, size_t budget)
{
	struct feed_sink sink = keep_sink(&keep);
	struct lines *l = NULL;
	struct csv *c = NULL;
	int rc;

	assert_int_equal(lines_open_fd(text_fd(text, strlen(text)), 4096, &l), 0);
	assert_int_equal(csv_new(l, m, &c), 0);
	while ((rc = csv_step(c, &sink, budget)) == 0)
		continue;
	counts = *csv_counts(c);
	csv_free(c);
	lines_close(l);
	mapping_deinit(m);
	return rc;
}

static int read_plain(const char *text)
{
	struct mapping m;

	mapping_init(&m);
	return read_all(&m, text, 1000);
}

static void a_header_with_usual_names_needs_no_mapping(void **state)
{
	(void)state;
	assert_int_equal(
		read_plain(
			"Timestamp, ticker,last,volume,bid,ask,bid_size,ask_size,seq,"
			"cond,note\r\n"
			"2024-01-02T09:30:00.5Z,AAPL,185.64,100,185.63,185.65,3,4,17,"
			"TI,x\r\n"
			"2024-01-02T09:30:01Z,MSFT,370.1,,,,,,,,\r\n"),
		FEED_END);
	assert_int_equal(keep.bad, 0);
	assert_int_equal(keep.ticks, 2);
	assert_string_equal(keep.tick[0].symbol, "AAPL");
	assert_int_equal(keep.tick[0].rec.price_e9, 185640000000);
	assert_int_equal(keep.tick[0].rec.size_e8, 10000000000);
	assert_int_equal(keep.tick[0].rec.bid_e9, 185630000000);
	assert_int_equal(keep.tick[0].rec.ask_size_e8, 400000000);
	assert_int_equal(keep.tick[0].rec.source_seq, 17);
	assert_int_equal(keep.tick[0].rec.event_ns, 1704187800500000000);
	assert_string_equal(keep.tick[0].rec.cond, "TI");
	assert_int_equal(keep.tick[1].rec.bid_e9, VALUE_NULL);
	assert_int_equal(keep.tick[1].rec.size_e8, VALUE_NULL);
}

static void a_bad_line_is_reported_and_the_next_one_read(void **state)
{
	(void)state;
	assert_int_equal(read_plain("time,symbol,price\n"
				    "2024-01-02T09:30:00Z,A,1\n"
				    "2024-01-02T09:30:00Z,A,one\n"
				    "2024-01-02T09:30:00Z,A\n"
				    "\n"
				    "soon,A,1\n"
				    "\"2024-01-02T09:30:00Z,A,1\n"
				    "\"2024-01-02T09:30:00Z\"x,A,1\n"
				    "2024-01-02T09:30:00Z,\"A\",\"2\""),
			 FEED_END);
	assert_int_equal(keep.ticks, 2);
	assert_int_equal(keep.tick[1].rec.price_e9, 2000000000);
	assert_int_equal(keep.bad, 5);
	assert_bad(&keep, 0, 3, "price 'one' is not a number");
	assert_bad(&keep, 1, 4, "2 columns where the header has 3");
	assert_bad(&keep, 2, 6, "time 'soon' is neither RFC 3339 nor a number");
	assert_bad(&keep, 3, 7, "text follows a closing quote");
	assert_bad(&keep, 4, 8, "text follows a closing quote");
	assert_int_equal(counts.lines, 7);
	assert_int_equal(counts.ticks, 2);
	assert_int_equal(counts.bad, 5);
}

static void a_stray_quote_swallows_one_line_only(void **state)
{
	(void)state;
	assert_int_equal(read_plain("symbol,time,price\n"
				    "\"A,1704187800,1\n"
				    "B,1704187800,2\n"
				    "\"C\",1704187800,3\n"
				    "D,1704187800,4\n"
				    "\"E,1704187800,5\n"
				    "F,1704187800,6\n"),
			 FEED_END);
	assert_int_equal(keep.ticks, 4);
	assert_string_equal(keep.tick[0].symbol, "B");
	assert_string_equal(keep.tick[3].symbol, "F");
	assert_int_equal(keep.bad, 2);
	assert_bad(&keep, 0, 2, "text follows a closing quote");
	assert_bad(&keep, 1, 6, "a quote is not closed");
}

static void quotes_hold_delimiters_line_ends_and_quotes(void **state)
{
	(void)state;
	assert_int_equal(read_plain("note,time,symbol,price\n"
				    "\"a \"\"b\"\", c\nd\",1704187800,A,1\n"
				    "\"\",\"1704187801\",\"B\",\"2\"\n"),
			 FEED_END);
	assert_int_equal(keep.bad, 0);
	assert_int_equal(keep.ticks, 2);
	assert_string_equal(keep.tick[0].symbol, "A");
	assert_string_equal(keep.tick[1].symbol, "B");
}

static void columns_by_number_need_no_header(void **state)
{
	struct mapping m;

	(void)state;
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "time=0,bid=1,ask=2"), 0);
	assert_int_equal(mapping_constants(&m, "symbol=EURUSD,source=fxcm"), 0);
	assert_int_equal(mapping_time(&m, "ms@2014-05-05@-05:00"), 0);
	assert_int_equal(
		read_all(&m, "3074,1.38693,1.38694\r\n3075.5,1.38693,1.38695\r\n1,2",
			 1),
		FEED_END);
	assert_int_equal(keep.ticks, 2);
	assert_int_equal(keep.tick[0].rec.event_ns, 1399266003074000000);
	assert_int_equal(keep.tick[1].rec.event_ns, 1399266003075500000);
	assert_int_equal(keep.tick[1].rec.ask_e9, 1386950000);
	assert_int_equal(keep.tick[1].rec.price_e9, VALUE_NULL);
	assert_string_equal(keep.tick[0].source, "fxcm");
	assert_bad(&keep, 0, 3, "no column 2 for ask");
}

static void columns_by_name_may_be_anything(void **state)
{
	struct mapping m;

	(void)state;
	mapping_init(&m);
	m.delimiter = ';';
	assert_int_equal(mapping_columns(&m, "time=T,symbol=S,price=P"), 0);
	assert_int_equal(
		read_all(&m, "\xef\xbb\xbfS;price;T;P\nA;9;1704187800;1\n", 10),
		FEED_END);
	assert_int_equal(keep.ticks, 1);
	assert_int_equal(keep.tick[0].rec.price_e9, 1000000000);
}

static void a_header_that_cannot_make_a_tick_is_refused(void **state)
{
	struct mapping m;

	(void)state;
	assert_int_equal(read_plain(""), -EINVAL);
	assert_string_equal(err_text(), "the file is empty: it has no header");
	assert_int_equal(read_plain("symbol,price\nA,1\n"), -EINVAL);
	assert_string_equal(err_text(), "no column gives the time; map it: time=NAME");
	assert_int_equal(read_plain("time,price\n"), -EINVAL);
	assert_int_equal(read_plain("time,symbol\n"), -EINVAL);
	assert_string_equal(err_text(), "no column gives a price, a bid or an ask");
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "time=t,symbol=s,price=px"), 0);
	assert_int_equal(read_all(&m, "t,s,p\n", 10), -EINVAL);
	assert_string_equal(err_text(), "there is no column 'px' for price");
}

static void the_sink_can_stop_the_reading(void **state)
{
	struct feed_sink sink = keep_sink(&keep);
	const char *text = "time,symbol,price\n1704187800,A,1\n1704187800,A,2\n";
	struct lines *l = NULL;
	struct csv *c = NULL;
	struct mapping m;

	(void)state;
	keep.stop_at = 1;
	mapping_init(&m);
	assert_int_equal(lines_open_fd(text_fd(text, strlen(text)), 0, &l), 0);
	assert_int_equal(csv_new(l, &m, &c), 0);
	assert_int_equal(csv_step(c, &sink, 100), -1);
	assert_int_equal(keep.ticks, 1);
	keep.stop_at = 0;
	assert_int_equal(csv_step(c, &sink, 100), FEED_END);
	assert_int_equal(keep.ticks, 2);
	csv_free(c);
	lines_close(l);
}

/* Headlines: quotes, line ends inside quotes, and two rows broken in two. */
static void a_recorded_file_with_defects_gives_every_good_row(void **state)
{
	char path[512];
	struct feed_sink sink = keep_sink(&keep);
	struct lines *l = NULL;
	struct csv *c = NULL;
	struct mapping m;
	int rc;

	(void)state;
	if (!shared_file("news/analyst_ratings_processed_part1.csv.gz", path,
			 sizeof(path)))
		return;
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "time=date,symbol=stock"), 0);
	assert_int_equal(mapping_constants(&m, "price=1"), 0);
	assert_int_equal(lines_open(path, 0, &l), 0);
	assert_int_equal(csv_new(l, &m, &c), 0);
	while ((rc = csv_step(c, &sink, 100)) == 0)
		continue;
	assert_int_equal(rc, FEED_END);
	/* The README counts 6,700 rows, four of them short. */
	assert_int_equal(csv_counts(c)->lines, 6700);
	assert_int_equal(csv_counts(c)->bad, 4);
	assert_int_equal(keep.ticks, 6696);
	csv_free(c);
	lines_close(l);
	mapping_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_with_usual_names_needs_no_mapping),
		cmocka_unit_test(a_bad_line_is_reported_and_the_next_one_read),
		cmocka_unit_test(a_stray_quote_swallows_one_line_only),
		cmocka_unit_test(quotes_hold_delimiters_line_ends_and_quotes),
		cmocka_unit_test(columns_by_number_need_no_header),
		cmocka_unit_test(columns_by_name_may_be_anything),
		cmocka_unit_test(a_header_that_cannot_make_a_tick_is_refused),
		cmocka_unit_test(the_sink_can_stop_the_reading),
		cmocka_unit_test(a_recorded_file_with_defects_gives_every_good_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
