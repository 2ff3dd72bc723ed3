/* timetext_test - against libc, at the edges, and what is refused. */
#include "base/timetext.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void instants_print_with_nine_digits_or_none(void **state)
{
	(void)state;
	static const struct {
		int64_t ns;
		const char *text;
	} s[] = {
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59.999999999Z"},
		{1399248023668000000, "2014-05-05T00:00:23.668000000Z"},
		{951782399000000000, "2000-02-28T23:59:59Z"},
		{951782400000000001, "2000-02-29T00:00:00.000000001Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
		{INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
	};

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		char buf[TIMETEXT_MAX];
		int64_t back = 0;

		assert_int_equal(timetext_print(buf, s[i].ns), strlen(s[i].text));
		assert_string_equal(buf, s[i].text);
		assert_int_equal(timetext_parse(buf, strlen(buf), &back), 0);
		assert_true(back == s[i].ns);
	}
}

static void printing_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t t = -9000000000; t < 9000000000; t += 7777777) {
		char got[TIMETEXT_MAX], want[64];
		time_t libc = (time_t)t;
		struct tm tm;

		(void)timetext_print(got, t * 1000000000);
		assert_non_null(gmtime_r(&libc, &tm));
		assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm) >
			    0);
		assert_string_equal(got, want);
	}
}

static void zones_blanks_and_short_fractions_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} s[] = {
		{"1970-01-01 00:00:01Z", 1000000000},
		{"1970-01-01T02:00:00+02:00", 0},
		{"1969-12-31T19:00:00-0500", 0},
		{"1970-01-01T00:00:00.5Z", 500000000},
		{"1970-01-01T00:00:00.000000001z", 1},
		{"1970-01-01T05:30:00.25+05:30", 250000000},
	};

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		int64_t ns = -1;

		assert_int_equal(timetext_parse(s[i].text, strlen(s[i].text), &ns), 0);
		assert_int_equal(ns, s[i].ns);
	}
}

static void what_is_no_instant_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"2024",
		"2024-01-01",
		"2024-01-01T00:00:00",
		"2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z",
		"2024-01-00T00:00:00Z",
		"2024-01-32T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2024-04-31T00:00:00Z",
		"2024-01-01T24:00:00Z",
		"2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z",
		"2024-01-01T00:00:00.Z",
		"2024-01-01T00:00:00.1234567890Z",
		"2024-01-01T00:00:00+24:00",
		"2024-01-01T00:00:00+01:60",
		"2024-01-01T00:00:00+1",
		"2024-01-01T00:00:00Zx",
		"2024-1-01T00:00:00Z",
		"2024/01/01T00:00:00Z",
		"2263-01-01T00:00:00Z",
		"1677-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
		"2024-01-01T00:00:0 Z",
		"+024-01-01T00:00:00Z",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ns = 4711;

		if (timetext_parse(bad[i], strlen(bad[i]), &ns) != 1 || ns != 4711)
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void durations_have_a_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} s[] = {
		{"100ns", 100},
		{"30us", 30000},
		{"250ms", 250000000},
		{"1s", 1000000000},
		{"5m", 300000000000},
		{"2h", 7200000000000},
		{"1d", 86400000000000},
		{"0s", 0},
		{"106751d", 9223286400000000000},
	};
	static const char *const bad[] = {
		"",    "5",  "s",  "-1s",  "+1s",     "1.5s",
		"1 s", "1S", "1w", "1sec", "106752d", "99999999999999999999ns",
		"1msx"};

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		int64_t ns = -1;

		assert_int_equal(timetext_duration(s[i].text, strlen(s[i].text), &ns),
				 0);
		assert_int_equal(ns, s[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ns = 4711;

		if (timetext_duration(bad[i], strlen(bad[i]), &ns) != 1 || ns != 4711)
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void dates_and_days_are_inverse_and_count_without_gaps(void **state)
{
	(void)state;
	int64_t last = timetext_days(-401, 12, 31);

	for (int64_t days = last + 1; days < 400000; days++) {
		unsigned month, day;
		int year;

		timetext_civil(days, &year, &month, &day);
		assert_int_equal(timetext_days(year, month, day), days);
		assert_in_range(month, 1, 12);
		assert_in_range(day, 1, 31);
	}
	assert_int_equal(timetext_days(1970, 1, 1), 0);
	assert_int_equal(timetext_days(2000, 3, 1), 11017);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instants_print_with_nine_digits_or_none),
		cmocka_unit_test(printing_agrees_with_libc),
		cmocka_unit_test(zones_blanks_and_short_fractions_are_read),
		cmocka_unit_test(what_is_no_instant_is_refused),
		cmocka_unit_test(durations_have_a_unit),
		cmocka_unit_test(dates_and_days_are_inverse_and_count_without_gaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
