/* layout_test - folders, months, manifests. */
#include "archive/archive_test.h"
#include "archive/layout.h"
#include "base/err.h"
#include <errno.h>

static void every_timeframe_has_a_folder_and_is_read_back(void **state)
{
	static const struct {
		uint32_t step_s;
		const char *folder;
	} want[] = {{1, "equities_1sec"},     {15, "equities_15sec"},
		    {60, "equities_1min"},    {300, "equities_5min"},
		    {3600, "equities_1hour"}, {14400, "equities_4hour"},
		    {86400, "equities_1day"}};
	static const char *const foreign[] = {
		"metadata",       "equities_",      "equities_7min", "equities_60sec",
		"equities_1minx", "equities_01min", ".tmp"};
	char folder[LAYOUT_FOLDER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(layout_folder(want[i].step_s, folder), 0);
		assert_string_equal(folder, want[i].folder);
		assert_int_equal(layout_step(folder), want[i].step_s);
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_int_equal(layout_step(foreign[i]), 0);
	assert_int_equal(layout_folder(7, folder), -EINVAL);
}

static void months_are_those_of_utc_also_before_1970(void **state)
{
	(void)state;
	assert_int_equal(layout_month(0), 197001);
	assert_int_equal(layout_month(-1), 196912);
	assert_int_equal(layout_month(JAN_2024_NS - 1), 202312);
	assert_int_equal(layout_month(JAN_2024_NS), 202401);
}

static void a_path_holds_any_symbol_and_no_other_text(void **state)
{
	struct layout_part p = {
		.step_s = 60, .symbol = "A/B", .year = 2024, .month = 1};
	struct buf b = {0};

	(void)state;
	assert_int_equal(layout_path(&b, "/d", &p), 0);
	assert_string_equal(buf_text(&b),
			    "/d/equities_1min/symbol=A%2FB/year=2024/month=01");
	snprintf(p.symbol, sizeof(p.symbol), "..");
	assert_int_equal(layout_path(&b, "/d", &p), -EINVAL);
	snprintf(p.symbol, sizeof(p.symbol), "A B");
	assert_int_equal(layout_path(&b, "/d", &p), -EINVAL);
	buf_free(&b);
}

static void a_manifest_reads_back_and_a_damaged_one_is_an_error(void **state)
{
	struct layout_manifest m = {.version = 1,
				    .now = {3, JAN_2024_NS, JAN_2024_NS + 5, ""}};
	struct layout_manifest got;
	char tmp[400];
	char part[400];
	char file[500];

	snprintf(tmp, sizeof(tmp), "%s/new", (char *)*state);
	snprintf(part, sizeof(part), "%s/a/b/c", (char *)*state);
	snprintf(file, sizeof(file), "%s/_manifest.json", part);
	memset(m.now.sha256, 'a', 64);
	assert_int_equal(layout_read(part, &got), 1);
	assert_int_equal(layout_write(file, tmp, "x", 1), -ENOENT);
	FILE *f = fopen(tmp, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(layout_replace(part, tmp, &m), 0);
	assert_int_equal(layout_read(part, &got), 0);
	assert_memory_equal(&got, &m, sizeof(m));
	f = fopen(file, "r+");
	assert_non_null(f);
	fputc('[', f);
	fclose(f);
	assert_int_equal(layout_read(part, &got), -EBADMSG);
	assert_non_null(strstr(err_text(), "is no manifest"));
}

static void a_path_of_any_kind_is_read_back_and_a_foreign_one_is_not(void **state)
{
	static const char *const want[] = {
		"/d/equities_1min/symbol=A%2FB/year=2024/month=02",
		"/d/ticks/symbol=A%2FB/year=2024/month=02/day=29",
		"/d/features_5min/symbol=A%2FB/year=2024/month=02",
		"/d/matrices_1hour/universe=tech-9/year=2024/month=02/day=29",
		"/d/news/symbol=A%2FB/year=2024/month=02"};
	static const uint32_t steps[] = {60, 0, 300, 3600, 0};
	static const char *const foreign[] = {
		"/d/equities_1min/symbol=A%2fB/year=2024/month=02",
		"/d/equities_7min/symbol=AB/year=2024/month=02",
		"/d/equities_1min/symbol=AB/year=2024/month=2",
		"/d/ticks/symbol=AB/year=2024/month=02",
		"/d/news/symbol=AB/year=2024/month=02/day=01",
		"/d/matrices_1min/symbol=AB/year=2024/month=02/day=01",
		"symbol=AB"};
	int64_t leap = JAN_2024_NS + 59 * DAY_NS; /* February 29 */
	struct layout_part p;
	struct layout_part got;

	(void)state;
	for (unsigned i = 0; i < KINDS; i++) {
		struct buf b = {0};

		assert_int_equal(layout_at((enum kinds)i, steps[i],
					   i == KIND_MATRICES ? "tech-9" : "A/B",
					   leap + 1, &p),
				 0);
		assert_int_equal(layout_path(&b, "/d", &p), 0);
		assert_string_equal(buf_text(&b), want[i]);
		assert_int_equal(layout_unpath(want[i], &got), 0);
		assert_int_equal(got.kind, i);
		assert_int_equal(got.step_s, steps[i]);
		assert_string_equal(got.symbol, p.symbol);
		assert_true(layout_end(&got) == leap + DAY_NS);
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_int_equal(layout_unpath(foreign[i], &got), -EINVAL);
	assert_int_equal(layout_at(KIND_BARS, 60, "A", JAN_2024_NS - 1, &p), 0);
	assert_true(layout_end(&p) == JAN_2024_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_timeframe_has_a_folder_and_is_read_back),
		cmocka_unit_test(months_are_those_of_utc_also_before_1970),
		cmocka_unit_test(a_path_holds_any_symbol_and_no_other_text),
		cmocka_unit_test(
			a_path_of_any_kind_is_read_back_and_a_foreign_one_is_not),
		cmocka_unit_test_setup_teardown(
			a_manifest_reads_back_and_a_damaged_one_is_an_error, test_dir,
			test_dir_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
