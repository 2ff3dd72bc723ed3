/* rss_date_test - times of feeds; the seconds are Python's, email.utils and datetime.
 */
#include "feeds/rss_date.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static const struct {
	const char *text;
	int64_t ms;
} times[] = {
	{"Mon, 05 Jan 2026 14:30:00 GMT", 1767623400000},
	{"Mon, 05 Jan 2026 14:30:00 EST", 1767641400000},
	{"Mon, 5 Jan 2026 14:30:00 PDT", 1767648600000},
	{" 5 Jan 26 14:30 +0230\n", 1767614400000},
	{"Monday, 05 January 2026 14:30:00 -0500 (EST)", 1767641400000},
	{"05-Jan-2026 14:30:00 Z", 1767623400000},
	{"Tue, 01 Mar 88 00:00:00 UT", 573177600000},
	{"Mon, 05 Jan 2026 14:30:00 +02:30", 1767614400000},
	{"2026-01-05T14:30:00Z", 1767623400000},
	{"2026-01-05T14:30:00.250+02:30", 1767614400250},
	{"2026-01-05T14:30+02:30", 1767614400000},
	{"2026-01-05T14:30Z", 1767623400000},
	{"2026-01-05 14:30:00-05:00", 1767641400000},
	{"2026-01-05", 1767571200000},
};

static const char *const nonsense[] = {
	"",
	"yesterday",
	"Mon, 05 Jan 2026 14:30:00",
	"Mon, 05 Jan 2026 14:30:00 CEST",
	"Mon, 05 Jan 2026 14:30:00 GMT+1",
	"Mon, 32 Jan 2026 14:30:00 GMT",
	"Mon, 05 Foo 2026 14:30:00 GMT",
	"Mon, 05 Jan 2026 25:30:00 GMT",
	"Mon, 05 Jan 2026 14:30:60 GMT",
	"Mon, 05 Jan 20261 14:30:00 GMT",
	"Mon, 05 Jan 2026 14:30:00 +0a00",
	"Mon, 05 Jan 2026 14:30:00 +05000",
	"2026-01-05T14:30:00",
	"2026-13-05",
	"2026-01-05T14:30",
	"2026",
	"1767623400",
};

static void times_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t ns = 0;

		assert_int_equal(rss_date_parse(times[i].text, &ns), 0);
		assert_int_equal(ns, times[i].ms * MS);
	}
}

static void what_is_no_time_or_has_no_zone_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		int64_t ns = 7;

		assert_int_equal(rss_date_parse(nonsense[i], &ns), 1);
		assert_int_equal(ns, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(what_is_no_time_or_has_no_zone_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
