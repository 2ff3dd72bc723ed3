/* actions_test - corporate actions join, dates replace, and where a day begins. */
#include "archive/actions.h"
#include "archive/archive_test.h"
#include "base/err.h"
#include <errno.h>

static struct action of(const char *date, const char *kind, const char *value)
{
	struct action a;

	assert_int_equal(actions_parse(date, kind, value, "America/New_York", &a), 0);
	return a;
}

static void put(const char *dir, const struct action *a, size_t n, size_t total)
{
	char tmp[400];
	size_t got;

	snprintf(tmp, sizeof(tmp), "%s/new", dir);
	assert_int_equal(actions_put(dir, "BRK/B", tmp, a, n, &got), 0);
	assert_int_equal(got, total);
}

static void text_of(const char *dir, char out[500])
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/metadata/actions/BRK%%2FB.csv", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	out[fread(out, 1, 499, f)] = '\0';
	fclose(f);
}

static void what_comes_for_a_date_is_all_of_that_date(void **state)
{
	const struct action first[] = {of("2014-06-09", "split", "7"),
				       of("2014-05-08", "dividend", "3.20")};
	const struct action later[] = {of("2014-05-08", "dividend", "3.29"),
				       of("2014-05-08", "dividend", "0.5"),
				       of("2015-01-02", "split", "1/10")};
	struct buf back = {0};
	char text[500];
	char again[500];

	assert_int_equal(actions_read(*state, "BRK/B", &back), 1);
	put(*state, first, 2, 2);
	put(*state, later, 3, 4);
	text_of(*state, text);
	assert_string_equal(text, "ex_date,kind,value,zone\n"
				  "2014-05-08,dividend,0.5,America/New_York\n"
				  "2014-05-08,dividend,3.29,America/New_York\n"
				  "2014-06-09,split,7,America/New_York\n"
				  "2015-01-02,split,1/10,America/New_York\n");
	put(*state, later, 3, 4);
	put(*state, first, 0, 4);
	text_of(*state, again);
	assert_string_equal(text, again);
	assert_int_equal(actions_read(*state, "BRK/B", &back), 0);
	assert_int_equal(back.len, 4 * sizeof(struct action));
	assert_memory_equal(back.data + 3 * sizeof(struct action), &later[2],
			    sizeof(later[2]));
	buf_free(&back);
}

static void a_day_begins_at_midnight_of_its_zone_or_with_its_bar(void **state)
{
	struct action a = of("2014-06-09", "split", "7");
	const int64_t midnight = INT64_C(1402272000) * 1000000000;
	int64_t ns;

	(void)state;
	assert_int_equal(actions_ex_ns(&a, 60, &ns), 0);
	assert_true(ns == midnight + 4 * 3600 * INT64_C(1000000000));
	/* The bar of the day, from midnight UTC on, or of New York, or of Tokyo. */
	assert_int_equal(actions_ex_ns(&a, 86400, &ns), 0);
	assert_true(ns <= midnight - 9 * 3600 * INT64_C(1000000000));
	assert_true(ns > midnight - 20 * 3600 * INT64_C(1000000000));
}

static void what_is_no_action_is_refused(void **state)
{
	static const char *const bad[][5] = {
		{"2014-06-31", "split", "7", "", "ex_date"},
		{"20140609", "split", "7", "", "ex_date"},
		{"2014-06-09", "merger", "7", "", "merger"},
		{"2014-06-09", "split", "0", "", "value"},
		{"2014-06-09", "split", "-2", "", "value"},
		{"2014-06-09", "split", "7/", "", "value"},
		{"2014-06-09", "dividend", "1/2", "", "ratio"},
		{"2014-06-09", "dividend", "x", "", "value"},
		{"2014-06-09", "split", "7", "Mars/Base", "zone"},
	};
	struct action a;
	struct buf out = {0};
	char path[400];
	FILE *f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			actions_parse(bad[i][0], bad[i][1], bad[i][2], bad[i][3], &a),
			-EINVAL);
		assert_non_null(strstr(err_text(), bad[i][4]));
	}
	a = of("2014-06-09", "split", "7");
	put(*state, &a, 1, 1);
	snprintf(path, sizeof(path), "%s/metadata/actions/BRK%%2FB.csv",
		 (char *)*state);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("2014-06-10,split\n", f);
	fclose(f);
	assert_int_equal(actions_read(*state, "BRK/B", &out), -EBADMSG);
	assert_non_null(strstr(err_text(), ".csv:3 is no corporate action"));
	buf_free(&out);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_comes_for_a_date_is_all_of_that_date),
		cmocka_unit_test(a_day_begins_at_midnight_of_its_zone_or_with_its_bar),
		IN_DIR(what_is_no_action_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
