/* duck_test - the engine is bounded, guarded and says what was wrong. */
#include "archive/archive_test.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>

static struct duck *engine(const char *dir, const char *root)
{
	struct duck_options o = {64 << 20, 1, dir, root};
	struct duck *d = NULL;

	assert_int_equal(duck_open(&o, &d), 0);
	return d;
}

static void a_guarded_engine_touches_nothing_outside_of_its_root(void **state)
{
	struct duck *d = engine(*state, *state);
	char sql[500];
	int64_t v;

	snprintf(sql, sizeof(sql), "COPY (SELECT 42 AS x) TO '%s/in.csv'",
		 (char *)*state);
	assert_int_equal(duck_run(d, sql, NULL), 0);
	snprintf(sql, sizeof(sql), "SELECT x FROM read_csv('%s/in.csv')",
		 (char *)*state);
	assert_int_equal(duck_row_i64(d, sql, 0, &v, 1), 0);
	assert_int_equal(v, 42);
	assert_int_equal(duck_run(d, "SELECT * FROM read_text('/etc/passwd')", NULL),
			 -EACCES);
	snprintf(sql, sizeof(sql), "SELECT * FROM read_text('%s/../passwd')",
		 (char *)*state);
	assert_int_equal(duck_run(d, sql, NULL), -EACCES);
	assert_true(duck_run(d, "COPY (SELECT 1) TO '/tmp/tickbus-out.csv'", NULL) < 0);
	assert_true(duck_run(d, "SELECT * FROM glob('/etc/*')", NULL) < 0);
	assert_true(duck_run(d, "SET enable_external_access=true", NULL) < 0);
	assert_true(duck_run(d, "INSTALL httpfs", NULL) < 0);
	assert_true(duck_run(d, "ATTACH '/tmp/other.db'", NULL) < 0);
	duck_close(d);
}

static void the_time_limit_stops_what_would_run_for_hours(void **state)
{
	struct duck *d = engine(*state, *state);
	int64_t v;

	assert_int_equal(duck_run_for(d,
				      "SELECT count(*) FROM range(1000000000) a, "
				      "range(1000000000) b WHERE a.range % 7 = b.range",
				      100, NULL),
			 -ETIMEDOUT);
	assert_non_null(strstr(err_text(), "100 ms"));
	/* And the engine goes on. */
	assert_int_equal(duck_row_i64(d, "SELECT 1", 0, &v, 1), 0);
	assert_int_equal(duck_run_for(d, "SELECT 1", 60000, NULL), 0);
	duck_close(d);
}

static void what_does_not_fit_into_memory_is_spilled_or_an_error(void **state)
{
	struct duck *d = engine(*state, *state);
	int64_t v;

	assert_int_equal(
		duck_row_i64(d,
			     "SELECT count(*) FROM (SELECT range AS x, "
			     "hash(range) AS h FROM range(8000000) ORDER BY h)",
			     0, &v, 1),
		0);
	assert_int_equal(v, 8000000);
	assert_int_equal(duck_run(d,
				  "SELECT string_agg(range, '') FROM "
				  "range(60000000)",
				  NULL),
			 -ENOMEM);
	duck_close(d);
}

static void only_one_select_without_parameters_passes_as_a_query(void **state)
{
	struct duck *d = engine(*state, *state);
	static const char *const bad[] = {"",
					  ";",
					  "DROP TABLE x",
					  "SELECT 1; SELECT 2",
					  "COPY (SELECT 1) TO 'x'",
					  "SELECT $1",
					  "SELECT 1) TO 'x' --",
					  "SELECT",
					  "CREATE TABLE t AS SELECT 1",
					  "SET threads=9",
					  "VACUUM",
					  "INSERT INTO t VALUES (1)",
					  "EXPLAIN ANALYZE SELECT 1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duck_check_select(d, bad[i]), -EINVAL);
	assert_int_equal(duck_check_select(d, "WITH a AS (SELECT 1) FROM a"), 0);
	assert_int_equal(duck_check_select(d, "SELECT 1; -- done"), 0);
	duck_close(d);
}

static void cells_that_are_not_set_are_null_and_chunks_join(void **state)
{
	struct duck *d = engine(*state, NULL);
	struct duck_bulk *b = NULL;
	int64_t v[4];

	assert_int_equal(
		duck_run(d, "CREATE TABLE t (a BIGINT, b DOUBLE, c VARCHAR)", NULL), 0);
	assert_true(duck_bulk_open(d, "t", "id", &b) < 0 ||
		    duck_bulk_close(b, false) == 0);
	assert_int_equal(duck_bulk_open(d, "t", "idt", &b), 0);
	for (int i = 0; i < 5000; i++) {
		duck_bulk_i64(b, 0, i);
		duck_bulk_f64(b, 1, i % 2 ? NAN : i);
		if (i % 5 == 0)
			duck_bulk_text(b, 2, "a text that is longer than twelve", 33);
		assert_int_equal(duck_bulk_next(b), 0);
	}
	assert_int_equal(duck_bulk_close(b, true), 0);
	assert_int_equal(duck_row_i64(d,
				      "SELECT sum(a), count(b), count(c), "
				      "max(length(c)) FROM t",
				      0, v, 4),
			 0);
	assert_int_equal(v[0], 4999 * 5000 / 2);
	assert_int_equal(v[1], 2500);
	assert_int_equal(v[2], 1000);
	assert_int_equal(v[3], 33);
	duck_close(d);
}

static void quotes_inside_of_names_and_texts_are_doubled(void **state)
{
	struct buf b = {0};

	(void)state;
	duck_quote(&b, "it's", 4);
	duck_quote_name(&b, "a\"b", 3);
	assert_string_equal(buf_text(&b), "'it''s'\"a\"\"b\"");
	buf_free(&b);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_guarded_engine_touches_nothing_outside_of_its_root),
		IN_DIR(the_time_limit_stops_what_would_run_for_hours),
		IN_DIR(what_does_not_fit_into_memory_is_spilled_or_an_error),
		IN_DIR(only_one_select_without_parameters_passes_as_a_query),
		IN_DIR(cells_that_are_not_set_are_null_and_chunks_join),
		cmocka_unit_test(quotes_inside_of_names_and_texts_are_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
