/* tz_test - against libc over forty years, at every change, and beyond the file. */
#include "base/timetext.h"
#include "base/tz.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const zones[] = {
	"America/New_York",
	"America/Chicago",
	"America/Sao_Paulo",
	"America/St_Johns",
	"Europe/London",
	"Europe/Dublin",
	"Europe/Berlin",
	"Europe/Moscow",
	"Africa/Casablanca",
	"Africa/Cairo",
	"Asia/Tokyo",
	"Asia/Kolkata",
	"Asia/Kathmandu",
	"Asia/Hong_Kong",
	"Asia/Gaza",
	"Australia/Sydney",
	"Australia/Lord_Howe",
	"Pacific/Auckland",
	"Pacific/Chatham",
	"Pacific/Apia",
	"Antarctica/Troll",
	"Etc/GMT+5",
	"EST5EDT",
	"UTC",
};

#define FROM_S INT64_C(946684800)  /* 2000-01-01 */
#define TO_S   INT64_C(2524608000) /* 2050-01-01 */

static int have_zones(void)
{
	if (access("/usr/share/zoneinfo/America/New_York", R_OK) == 0)
		return 1;
	(void)printf("# no time zones are installed here; nothing was compared\n");
	return 0;
}

static int32_t libc_offset(int64_t utc_s)
{
	time_t t = (time_t)utc_s;
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	return (int32_t)tm.tm_gmtoff;
}

/* Every hour, and every second around each change. */
static void compare(const char *name, const struct tz *tz)
{
	for (int64_t s = FROM_S; s < TO_S; s += 3 * 3600) {
		int32_t offset = libc_offset(s);

		if (tz_offset_s(tz, s) != offset)
			fail_msg("%s at %lld: %d, libc %d", name, (long long)s,
				 tz_offset_s(tz, s), offset);
		if (libc_offset(s + 3 * 3600) == offset)
			continue;
		for (int64_t near = s; near <= s + 3 * 3600; near += 60) {
			assert_int_equal(tz_offset_s(tz, near), libc_offset(near));
			assert_int_equal(tz_offset_s(tz, near - 1),
					 libc_offset(near - 1));
		}
	}
}

static void offsets_agree_with_libc_in_every_zone(void **state)
{
	(void)state;
	if (!have_zones())
		return;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		char path[64];
		struct tz *tz;

		(void)snprintf(path, sizeof(path), ":%s", zones[i]);
		assert_int_equal(setenv("TZ", path, 1), 0);
		tzset();
		assert_int_equal(tz_load(zones[i], &tz), 0);
		compare(zones[i], tz);
		tz_free(tz);
	}
}

static void the_footer_rule_holds_for_centuries(void **state)
{
	(void)state;
	struct tz *tz;

	if (!have_zones())
		return;
	assert_int_equal(tz_load("America/New_York", &tz), 0);
	/* Second Sunday of March 2101 is the 13th, first of November the 6th. */
	assert_int_equal(
		tz_offset_s(tz, timetext_days(2101, 3, 13) * 86400 + 7 * 3600 - 1),
		-18000);
	assert_int_equal(tz_offset_s(tz, timetext_days(2101, 3, 13) * 86400 + 7 * 3600),
			 -14400);
	assert_int_equal(
		tz_offset_s(tz, timetext_days(2101, 11, 6) * 86400 + 6 * 3600 - 1),
		-14400);
	assert_int_equal(tz_offset_s(tz, timetext_days(2101, 11, 6) * 86400 + 6 * 3600),
			 -18000);
	(void)tz_offset_s(tz, INT64_MAX);
	(void)tz_offset_s(tz, INT64_MIN);
	(void)tz_to_utc_s(tz, INT64_MAX);
	(void)tz_to_utc_s(tz, INT64_MIN);
	tz_free(tz);
}

static void local_times_come_back_from_utc(void **state)
{
	(void)state;
	if (!have_zones())
		return;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		struct tz *tz;

		assert_int_equal(tz_load(zones[i], &tz), 0);
		for (int64_t s = FROM_S; s < TO_S; s += 7207) {
			int64_t local = s + tz_offset_s(tz, s);
			int64_t back = tz_to_utc_s(tz, local);

			/* The same instant, or the earlier of two with this local time.
			 */
			assert_true(back <= s);
			assert_true(back + tz_offset_s(tz, back) == local);
		}
		tz_free(tz);
	}
}

static int64_t at(int year, unsigned month, unsigned day, int64_t h, int64_t m)
{
	return timetext_days(year, month, day) * 86400 + h * 3600 + m * 60;
}

static void gaps_and_repeats_resolve_as_promised(void **state)
{
	(void)state;
	struct tz *tz;

	if (!have_zones())
		return;
	assert_int_equal(tz_load("America/New_York", &tz), 0);
	/* 2024-03-10 02:30 does not exist: the change is at 07:00 UTC. */
	assert_int_equal(tz_to_utc_s(tz, at(2024, 3, 10, 2, 30)),
			 at(2024, 3, 10, 7, 0));
	assert_int_equal(tz_to_utc_s(tz, at(2024, 3, 10, 2, 0)), at(2024, 3, 10, 7, 0));
	assert_int_equal(tz_to_utc_s(tz, at(2024, 3, 10, 1, 59)),
			 at(2024, 3, 10, 6, 59));
	assert_int_equal(tz_to_utc_s(tz, at(2024, 3, 10, 3, 0)), at(2024, 3, 10, 7, 0));
	/* 2024-11-03 01:30 exists twice: the first is summer time. */
	assert_int_equal(tz_to_utc_s(tz, at(2024, 11, 3, 1, 30)),
			 at(2024, 11, 3, 5, 30));
	assert_int_equal(tz_to_utc_s(tz, at(2024, 11, 3, 2, 0)), at(2024, 11, 3, 7, 0));
	tz_free(tz);

	/* Samoa left out 2011-12-30 altogether. */
	assert_int_equal(tz_load("Pacific/Apia", &tz), 0);
	assert_int_equal(tz_to_utc_s(tz, at(2011, 12, 30, 12, 0)),
			 at(2011, 12, 30, 10, 0));
	tz_free(tz);
}

static void bad_names_are_refused_and_unknown_ones_missing(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"/etc/passwd",
		"../../../etc/passwd",
		"a/../b",
		"a//b",
		"Europe/",
		"a b",
		"a\n",
		"Europe",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct tz *tz = (struct tz *)1;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = tz_load(bad[i], &tz);

		if (rc != -EINVAL && !(rc == -ENOENT && strcmp(bad[i], "Europe") == 0))
			fail_msg("'%s' gave %d", bad[i], rc);
		assert_null(tz);
	}
	assert_int_equal(tz_load("Mars/Olympus", &tz), -ENOENT);
	assert_null(tz);
}

static void a_file_that_is_no_zone_is_refused(void **state)
{
	(void)state;
	uint8_t image[44] = "TZif2";
	struct tz *tz;

	assert_int_equal(tz_parse("", 0, &tz), -EINVAL);
	assert_int_equal(tz_parse("hello", 5, &tz), -EINVAL);
	assert_int_equal(tz_parse(image, sizeof(image), &tz), -EINVAL);
	memset(image + 20, 0xff, 24);
	assert_int_equal(tz_parse(image, sizeof(image), &tz), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_agree_with_libc_in_every_zone),
		cmocka_unit_test(the_footer_rule_holds_for_centuries),
		cmocka_unit_test(local_times_come_back_from_utc),
		cmocka_unit_test(gaps_and_repeats_resolve_as_promised),
		cmocka_unit_test(bad_names_are_refused_and_unknown_ones_missing),
		cmocka_unit_test(a_file_that_is_no_zone_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
