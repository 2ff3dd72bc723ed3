/* mapping_test - names, times and numbers of other people's files. */
#include "base/timetext.h"
#include "feeds/feed_test.h"
#include "feeds/mapping.h"
#include <errno.h>

static struct mapping m;
static struct feed_tick tick;
static char why[FEED_WHY_MAX];

static int time_is(const char *format, const char *text, const char *want)
{
	struct mapping_text v[MAP_FIELDS] = {{NULL, 0}};
	char got[TIMETEXT_MAX];
	int rc;

	mapping_init(&m);
	assert_int_equal(mapping_constants(&m, "symbol=X,price=1"), 0);
	if (mapping_time(&m, format) != 0)
		fail_msg("%s", err_text());
	v[MAP_TIME] = (struct mapping_text){text, strlen(text)};
	rc = mapping_apply(&m, v, &tick, why);
	mapping_deinit(&m);
	if (want == NULL)
		return rc;
	if (rc != 0)
		fail_msg("%s %s: %s", format, text, why);
	(void)timetext_print(got, tick.rec.event_ns);
	assert_string_equal(got, want);
	return rc;
}

static void times_are_read_in_every_unit_and_zone(void **state)
{
	(void)state;
	time_is("rfc3339", "2014-05-05T00:00:23.668Z",
		"2014-05-05T00:00:23.668000000Z");
	time_is("rfc3339", "2014-05-05 02:00:23+02:00", "2014-05-05T00:00:23Z");
	time_is("s", "1399248023", "2014-05-05T00:00:23Z");
	time_is("s", "1399248023.000000001", "2014-05-05T00:00:23.000000001Z");
	time_is("ms", "1399248023668", "2014-05-05T00:00:23.668000000Z");
	time_is("ms", "1399248023668.1234", "2014-05-05T00:00:23.668123400Z");
	time_is("us", "1399248023668123", "2014-05-05T00:00:23.668123000Z");
	time_is("ns", "1399248023668123456", "2014-05-05T00:00:23.668123456Z");
	time_is("ms@2014-05-05", "23668.5", "2014-05-05T00:00:23.668500000Z");
	time_is("ms@2014-05-05@-05:00", "0", "2014-05-05T05:00:00Z");
	time_is("ms@2014-05-05@+0530", "0", "2014-05-04T18:30:00Z");
	time_is("s@2014-07-01@America/New_York", "34200", "2014-07-01T13:30:00Z");
	time_is("s@2014-01-02@America/New_York", "34200", "2014-01-02T14:30:00Z");
	time_is("local@America/New_York", "2014-07-01 09:30:00.25",
		"2014-07-01T13:30:00.250000000Z");
	time_is("local", "2014-07-01T09:30:00", "2014-07-01T09:30:00Z");
	time_is("local@-05:00", "1969-12-31 18:59:59.5",
		"1969-12-31T23:59:59.500000000Z");
}

static void the_unit_of_an_epoch_is_guessed_only_beyond_doubt(void **state)
{
	(void)state;
	time_is("auto", "1399248023", "2014-05-05T00:00:23Z");
	time_is("auto", "1399248023.5", "2014-05-05T00:00:23.500000000Z");
	time_is("auto", "1399248023668", "2014-05-05T00:00:23.668000000Z");
	time_is("auto", "1399248023668123", "2014-05-05T00:00:23.668123000Z");
	time_is("auto", "1399248023668123456", "2014-05-05T00:00:23.668123456Z");
	time_is("auto", "2014-05-05T00:00:23Z", "2014-05-05T00:00:23Z");
	assert_int_equal(time_is("auto", "23668", NULL), MAPPING_BAD);
	assert_string_equal(
		why, "time '23668' does not say its unit; state it (s, ms, us, ns "
		     "or ms@DATE@ZONE)");
	assert_int_equal(time_is("auto", "20140505", NULL), MAPPING_BAD);
	assert_int_equal(time_is("auto", "99999999999999999999", NULL), MAPPING_BAD);
}

static void the_unit_stays_once_it_is_known(void **state)
{
	struct mapping_text v[MAP_FIELDS] = {{NULL, 0}};

	(void)state;
	mapping_init(&m);
	assert_int_equal(mapping_constants(&m, "symbol=X,price=1"), 0);
	v[MAP_TIME] = (struct mapping_text){"1399248023668", 13};
	assert_int_equal(mapping_apply(&m, v, &tick, why), 0);
	/* 1970 in milliseconds: not a second guess. */
	v[MAP_TIME] = (struct mapping_text){"1399248023", 10};
	assert_int_equal(mapping_apply(&m, v, &tick, why), 0);
	assert_int_equal(tick.rec.event_ns, 1399248023000000);
	mapping_deinit(&m);
}

static void times_that_are_none_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"rfc3339", "2014-05-05T00:00:23"},
		{"rfc3339", "2014-02-30T00:00:00Z"},
		{"ns", "1.5"},
		{"ms", "1e400"},
		{"s", "99999999999"},
		{"s", "nan"},
		{"ms@2014-05-05", "86400000"},
		{"ms@2014-05-05", "-1"},
		{"local", "2014-07-01"},
		{"ms", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (time_is(bad[i][0], bad[i][1], NULL) != MAPPING_BAD)
			fail_msg("%s took '%s'", bad[i][0], bad[i][1]);
}

static void mappings_that_make_no_sense_are_refused(void **state)
{
	static const char *const columns[] = {
		"",        "time",          "tim=0",    "time=",
		"time=0,", "time=0,time=1", "time=256", "time=0,bid=b"};
	static const char *const times[] = {"minutes",
					    "ms@today",
					    "ms@2014-05-05@Mars/Base",
					    "ms@2014-05-05@-5",
					    "local@+99:00",
					    "",
					    "ms@"};

	(void)state;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		mapping_init(&m);
		if (mapping_columns(&m, columns[i]) >= 0)
			fail_msg("took '%s'", columns[i]);
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		mapping_init(&m);
		if (mapping_time(&m, times[i]) >= 0)
			fail_msg("took '%s'", times[i]);
		mapping_deinit(&m);
	}
	mapping_init(&m);
	assert_int_equal(mapping_columns(&m, "symbol=s"), 0);
	assert_int_equal(mapping_constants(&m, "symbol=X"), -EINVAL);
	assert_string_equal(err_text(), "symbol is mapped twice");
}

static int with(enum mapping_field f, const char *text)
{
	struct mapping_text v[MAP_FIELDS] = {{NULL, 0}};
	int rc;

	mapping_init(&m);
	v[MAP_TIME] = (struct mapping_text){"1399248023", 10};
	v[MAP_SYMBOL] = (struct mapping_text){"A.B", 3};
	v[MAP_PRICE] = (struct mapping_text){"1.5", 3};
	v[f] = (struct mapping_text){text, strlen(text)};
	rc = mapping_apply(&m, v, &tick, why);
	mapping_deinit(&m);
	return rc;
}

static void numbers_are_exact_or_refused(void **state)
{
	(void)state;
	assert_int_equal(with(MAP_PRICE, "0.123456789"), 0);
	assert_int_equal(tick.rec.price_e9, 123456789);
	assert_int_equal(tick.rec.size_e8, VALUE_NULL);
	assert_int_equal(with(MAP_PRICE, "1.5e-3"), 0);
	assert_int_equal(tick.rec.price_e9, 1500000);
	assert_int_equal(with(MAP_PRICE, "-1"), 0); /* the ingest's to refuse */
	assert_int_equal(with(MAP_PRICE, "0.1234567891"), MAPPING_BAD);
	assert_string_equal(why, "price '0.1234567891' has more than 9 decimals");
	assert_int_equal(with(MAP_PRICE, "9223372036.854775808"), MAPPING_BAD);
	assert_int_equal(with(MAP_PRICE, "-9223372036.854775808"), MAPPING_BAD);
	assert_int_equal(with(MAP_PRICE, "NaN"), MAPPING_BAD);
	assert_int_equal(with(MAP_PRICE, "1,5"), MAPPING_BAD);
	assert_int_equal(with(MAP_PRICE, ""), MAPPING_BAD);
	assert_string_equal(why, "there is no price, bid or ask");
	assert_int_equal(with(MAP_SIZE, "0.00000001"), 0);
	assert_int_equal(tick.rec.size_e8, 1);
	assert_int_equal(with(MAP_SEQ, "18446744073709551615"), 0);
	assert_true(tick.rec.source_seq == UINT64_MAX);
	assert_int_equal(with(MAP_SEQ, "18446744073709551616"), MAPPING_BAD);
	assert_int_equal(with(MAP_SEQ, "-1"), MAPPING_BAD);
}

static void names_and_actions_are_checked(void **state)
{
	(void)state;
	assert_int_equal(with(MAP_SYMBOL, "aapl"), MAPPING_BAD);
	assert_int_equal(with(MAP_SYMBOL, ""), MAPPING_BAD);
	assert_int_equal(with(MAP_SYMBOL, "A\x1b[31m"), MAPPING_BAD);
	assert_string_equal(why, "symbol 'A?[31m' is not [A-Z0-9._:/=%-]{1,32}");
	assert_int_equal(with(MAP_SYMBOL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"), 0);
	assert_int_equal(with(MAP_SYMBOL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"),
			 MAPPING_BAD);
	assert_int_equal(with(MAP_SOURCE, "oanda"), 0);
	assert_string_equal(tick.source, "oanda");
	assert_int_equal(with(MAP_SOURCE, "O"), MAPPING_BAD);
	assert_int_equal(with(MAP_COND, "@  TI"), 0);
	assert_memory_equal(tick.rec.cond, "@  TI\0\0\0", 8);
	assert_int_equal(with(MAP_COND, "123456789"), MAPPING_BAD);
	assert_int_equal(with(MAP_COND, "\xc3\xa4"), MAPPING_BAD);
	assert_int_equal(with(MAP_FLAGS, "3"), 0);
	assert_int_equal(record_flags(&tick.rec), 3);
	assert_int_equal(with(MAP_FLAGS, "32"), MAPPING_BAD);
	assert_int_equal(with(MAP_ACTION, "cancel"), MAPPING_BAD);
	assert_string_equal(why, "a cancel or correction needs ref");
	assert_int_equal(with(MAP_ACTION, "undo"), MAPPING_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_in_every_unit_and_zone),
		cmocka_unit_test(the_unit_of_an_epoch_is_guessed_only_beyond_doubt),
		cmocka_unit_test(the_unit_stays_once_it_is_known),
		cmocka_unit_test(times_that_are_none_are_refused),
		cmocka_unit_test(mappings_that_make_no_sense_are_refused),
		cmocka_unit_test(numbers_are_exact_or_refused),
		cmocka_unit_test(names_and_actions_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
