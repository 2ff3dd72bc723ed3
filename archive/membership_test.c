/* membership_test - members join, dates stay, what is no member is named. */
#include "archive/archive_test.h"
#include "archive/membership.h"
#include "base/err.h"
#include <errno.h>

static void put(const char *dir, const struct membership *m, size_t n, size_t total,
		size_t added)
{
	char tmp[400];
	size_t got[2];

	snprintf(tmp, sizeof(tmp), "%s/new", dir);
	assert_int_equal(membership_put(dir, "sp-500_x", tmp, m, n, &got[0], &got[1]),
			 0);
	assert_int_equal(got[0], total);
	assert_int_equal(got[1], added);
}

static void text_of(const char *dir, char out[500])
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/metadata/indices/sp-500_x.csv", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	out[fread(out, 1, 499, f)] = '\0';
	fclose(f);
}

static void members_join_and_the_earlier_date_stays(void **state)
{
	const struct membership first[] = {{"MSFT", JAN_2024_NS},
					   {"BRK/B", JAN_2024_NS}};
	const struct membership later[] = {{"MSFT", JAN_2024_NS + DAY_NS},
					   {"BRK/B", JAN_2024_NS - DAY_NS},
					   {"AAPL", JAN_2024_NS}};
	char text[500];
	char again[500];

	put(*state, first, 2, 2, 2);
	put(*state, later, 3, 3, 1);
	text_of(*state, text);
	assert_string_equal(text, "symbol,added_date\nAAPL,2024-01-01T00:00:00Z\n"
				  "BRK/B,2023-12-31T00:00:00Z\n"
				  "MSFT,2024-01-01T00:00:00Z\n");
	put(*state, later, 3, 3, 0);
	text_of(*state, again);
	assert_string_equal(text, again);
}

static void names_and_lines_that_are_none_are_refused(void **state)
{
	const struct membership good = {"AAPL", 0};
	const struct membership bad = {"a,b", 0};
	char path[400];
	char tmp[400];
	size_t n;
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s/new", (char *)*state);
	assert_int_equal(membership_put(*state, "../x", tmp, &good, 1, &n, &n),
			 -EINVAL);
	assert_int_equal(membership_put(*state, "", tmp, &good, 1, &n, &n), -EINVAL);
	assert_int_equal(membership_put(*state, "x", tmp, &bad, 1, &n, &n), -EINVAL);
	put(*state, &good, 1, 1, 1);
	snprintf(path, sizeof(path), "%s/metadata/indices/sp-500_x.csv",
		 (char *)*state);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("MSFT,someday\n", f);
	fclose(f);
	assert_int_equal(membership_put(*state, "sp-500_x", tmp, &good, 1, &n, &n),
			 -EBADMSG);
	assert_non_null(strstr(err_text(), ".csv:3 is no member"));
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(members_join_and_the_earlier_date_stays),
		IN_DIR(names_and_lines_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
