/* archive_test - what is put is there, once, in the same bytes, and never less. */
#include "archive/archive_test.h"
#include "archive/layout.h"
#include "archive/views.h"
#include "base/err.h"
#include <errno.h>

#define JANUARY "equities_1min/symbol=AAPL/year=2024/month=01"

static const char *at(const char *dir, const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void hash(const char *dir, const char *name, char out[65])
{
	assert_int_equal(layout_hash(at(dir, name), out), 0);
}

static void the_same_bars_twice_leave_the_same_bytes(void **state)
{
	char one[65];
	char two[65];
	char manifest[65];
	char again[65];
	struct archive *a = test_open(*state, true);
	struct archive_put p = test_put(a, "AAPL", JAN_2024_NS, 10000, 18000);

	assert_int_equal(p.rows, 10000);
	assert_int_equal(p.added, 10000);
	assert_int_equal(p.files, 1);
	assert_int_equal(p.unchanged, 0);
	hash(*state, JANUARY "/data.parquet", one);
	hash(*state, JANUARY "/_manifest.json", manifest);
	p = test_put(a, "AAPL", JAN_2024_NS, 10000, 18000);
	assert_int_equal(p.added, 0);
	assert_int_equal(p.unchanged, 1);
	hash(*state, JANUARY "/data.parquet", two);
	hash(*state, JANUARY "/_manifest.json", again);
	assert_string_equal(one, two);
	assert_string_equal(manifest, again);
	archive_close(a);
}

static void pieces_in_any_order_make_the_file_of_the_whole(void **state)
{
	char whole[65];
	char pieces[65];
	struct archive *a = test_open(at(*state, "whole"), true);

	test_put(a, "AAPL", JAN_2024_NS, 9000, 18000);
	archive_close(a);
	a = test_open(at(*state, "pieces"), true);
	for (int i = 2; i >= 0; i--) {
		/* The same bars: each piece reaches 100 into the next one. */
		size_t n = i == 2 ? 3000 : 3100;

		test_put(a, "AAPL", JAN_2024_NS + i * 3000 * MINUTE_NS, n,
			 18000 + i * 3000);
	}
	archive_close(a);
	hash(*state, "whole/" JANUARY "/data.parquet", whole);
	hash(*state, "pieces/" JANUARY "/data.parquet", pieces);
	assert_string_equal(whole, pieces);
}

static void a_partial_month_adds_to_the_full_one_and_newer_words_win(void **state)
{
	struct archive *a = test_open(*state, true);
	struct duck *d;
	struct archive_put p;
	int64_t v[3];
	char sql[700];

	test_put(a, "AAPL", JAN_2024_NS, 1000, 18000);
	p = test_put(a, "AAPL", JAN_2024_NS + 10 * MINUTE_NS, 5, 50000);
	assert_int_equal(p.added, 0);
	assert_int_equal(archive_reader(a, &d), 0);
	snprintf(sql, sizeof(sql),
		 "SELECT count(*), sum((close >= 500)::INT), "
		 "count(DISTINCT bar_start) FROM read_parquet('%s/" JANUARY
		 "/data.parquet')",
		 (char *)*state);
	assert_int_equal(duck_row_i64(d, sql, -1, v, 3), 0);
	assert_int_equal(v[0], 1000);
	assert_int_equal(v[1], 5);
	assert_int_equal(v[2], 1000);
	archive_close(a);
}

static void a_bar_lies_in_the_month_in_which_it_starts(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_put p = test_put(
		a, "BRK/B", JAN_2024_NS + 31 * DAY_NS - 2 * MINUTE_NS, 4, 35000);
	struct layout_manifest m;

	assert_int_equal(p.files, 2);
	assert_int_equal(layout_read(at(*state, "equities_1min/symbol=BRK%2FB/year=2024"
						"/month=01"),
				     &m),
			 0);
	assert_int_equal(m.now.rows, 2);
	assert_true(m.now.last_ns == JAN_2024_NS + 31 * DAY_NS - MINUTE_NS);
	assert_int_equal(layout_read(at(*state, "equities_1min/symbol=BRK%2FB/year=2024"
						"/month=02"),
				     &m),
			 0);
	assert_true(m.now.first_ns == JAN_2024_NS + 31 * DAY_NS);
	archive_close(a);
}

/* Ten symbols and two months in one put, by one thread and by four. */
static void more_threads_leave_the_same_bytes(void **state)
{
	char want[20][65];

	for (int round = 0; round < 2; round++) {
		struct archive_options o = {at(*state, round ? "four" : "one"),
					    256 << 20, round ? 4 : 1, true};
		struct archive *a = NULL;
		struct archive_put sum;

		assert_int_equal(archive_open(&o, &a), 0);
		for (int i = 0; i < 20 * 500; i++) {
			char name[4] = {'S', (char)('A' + i / 1000), 0, 0};
			struct barrow r =
				test_bar(name,
					 JAN_2024_NS + i / 500 % 2 * 31 * DAY_NS +
						 i % 500 * MINUTE_NS,
					 18000 + i);
			assert_int_equal(archive_put_row(a, &r), 0);
		}
		assert_int_equal(archive_put_done(a, &sum), 0);
		assert_int_equal(sum.files, 20);
		assert_int_equal(sum.added, 20 * 500);
		for (int i = 0; i < 20; i++) {
			char path[200];
			char got[65];

			snprintf(path, sizeof(path),
				 "%s/equities_1min/symbol=S%c/year=2024/month=%02d/"
				 "data.parquet",
				 round ? "four" : "one", 'A' + i / 2, 1 + i % 2);
			hash(*state, path, round ? got : want[i]);
			if (round)
				assert_string_equal(got, want[i]);
		}
		archive_close(a);
	}
}

/* Names with everything that paths, hive readers and SQL give a meaning. */
static void any_name_of_a_symbol_comes_back_unharmed(void **state)
{
	static const char *const names[] = {"EURUSD=X", "A/B",  "A%2FB", "%",  "100%3D",
					    "...",      ".A.B", "A=B=",  "%%%"};
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct duck *d;
	int64_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		test_put(a, names[i], JAN_2024_NS, i + 1, 18000);
	assert_int_equal(archive_reader(a, &d), 0);
	assert_int_equal(views_make(a, d, NULL, false), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf sql = {0};

		buf_printf(&sql, "SELECT count(*) FROM bars_1m WHERE symbol = ");
		duck_quote(&sql, names[i], strlen(names[i]));
		assert_int_equal(duck_row_i64(d, buf_text(&sql), -1, &n, 1), 0);
		assert_int_equal(n, i + 1);
		buf_free(&sql);
	}
	assert_int_equal(duck_row_i64(d, "SELECT count(DISTINCT symbol) FROM bars_1m",
				      -1, &n, 1),
			 0);
	assert_int_equal(n, sizeof(names) / sizeof(names[0]));
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.files, sizeof(names) / sizeof(names[0]));
	archive_close(a);
}

static void a_second_writer_is_refused_and_a_reader_is_not(void **state)
{
	struct archive_options o = {*state, 64 << 20, 1, true};
	struct archive *a = test_open(*state, true);
	struct archive *b = NULL;
	struct barrow r = test_bar("AAPL", JAN_2024_NS, 1);

	assert_int_equal(archive_open(&o, &b), -EBUSY);
	b = test_open(*state, false);
	assert_int_equal(archive_put_row(b, &r), -EROFS);
	archive_close(b);
	archive_close(a);
}

static void a_reader_leaves_nothing_in_an_archive_that_nobody_writes(void **state)
{
	struct archive_options o = {"/nowhere/at/all", 64 << 20, 1, false};
	struct buf tmp = {0};
	struct archive *a;

	archive_close(test_open(*state, false));
	assert_int_equal(access(at(*state, ".tmp"), F_OK), -1);
	a = test_open(*state, false);
	archive_tmp(a, &tmp, "");
	assert_null(strstr(buf_text(&tmp), *state));
	buf_free(&tmp);
	archive_close(a);
	assert_int_equal(archive_open(&o, &a), -ENOENT);
	assert_non_null(strstr(err_text(), "/nowhere/at/all"));
}

static void
what_a_dead_writer_left_is_swept_and_what_a_living_reader_has_is_not(void **state)
{
	struct archive *reader;
	struct buf kept = {0};
	char dead[600];
	FILE *f;

	archive_close(test_open(*state, true));
	reader = test_open(*state, false);
	archive_tmp(reader, &kept, ".csv");
	f = fopen(buf_text(&kept), "w");
	assert_non_null(f);
	fclose(f);
	snprintf(dead, sizeof(dead), "%s/.tmp/at-dead", (char *)*state);
	assert_int_equal(mkdir(dead, 0755), 0);
	archive_close(test_open(*state, true));
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(buf_text(&kept), F_OK), 0);
	buf_free(&kept);
	archive_close(reader);
}

static void a_damaged_file_is_not_merged_into(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct archive_put p;
	struct barrow r = test_bar("AAPL", JAN_2024_NS, 1);
	FILE *f;

	test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	f = fopen(at(*state, JANUARY "/data.parquet"), "r+");
	assert_non_null(f);
	fseek(f, 100, SEEK_SET);
	fputc(0x55, f);
	fputc(0xAA, f);
	fclose(f);
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_put_done(a, &p), -EBADMSG);
	assert_non_null(strstr(err_text(), "not what its manifest says"));
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.bad, 1);
	assert_int_equal(remove(at(*state, JANUARY "/data.parquet")), 0);
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_put_done(a, &p), -EBADMSG);
	assert_int_equal(archive_verify(a, false, &c), 0);
	assert_int_equal(c.bad, 1);
	assert_non_null(strstr(c.first_bad, "gone"));
	archive_close(a);
}

static void a_crash_between_manifest_and_rename_is_gone_on_from(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct layout_manifest m;
	struct archive_put p;
	char old[700];

	test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	snprintf(old, sizeof(old), "%s.old", at(*state, JANUARY "/data.parquet"));
	assert_int_equal(link(at(*state, JANUARY "/data.parquet"), old), 0);
	test_put(a, "AAPL", JAN_2024_NS, 20, 18000);
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.files, 1);
	assert_int_equal(c.rows, 20);
	assert_int_equal(c.interrupted, 0);
	/* As if the rename had not happened. */
	assert_int_equal(rename(old, at(*state, JANUARY "/data.parquet")), 0);
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.bad, 0);
	assert_int_equal(c.interrupted, 1);
	p = test_put(a, "AAPL", JAN_2024_NS, 20, 18000);
	assert_int_equal(p.added, 10);
	assert_int_equal(layout_read(at(*state, JANUARY), &m), 0);
	assert_int_equal(m.now.rows, 20);
	assert_int_equal(m.before.rows, 10);
	archive_close(a);
}

static void a_file_without_a_manifest_is_taken_as_it_is_read(void **state)
{
	struct archive *a = test_open(*state, true);
	struct layout_manifest m;
	struct archive_put p;

	test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	assert_int_equal(remove(at(*state, JANUARY "/_manifest.json")), 0);
	p = test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	assert_int_equal(p.added, 0);
	assert_int_equal(p.unchanged, 0);
	assert_int_equal(layout_read(at(*state, JANUARY), &m), 0);
	assert_int_equal(m.now.rows, 10);
	archive_close(a);
}

static void vendors_and_revisions_stand_beside_each_other(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_put p;
	struct barrow r = test_bar("AAPL", JAN_2024_NS, 180);

	assert_int_equal(archive_put_row(a, &r), 0);
	r.revision = 1;
	assert_int_equal(archive_put_row(a, &r), 0);
	snprintf(r.source, sizeof(r.source), "polygon");
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_put_row(a, &r), 0); /* the same again */
	assert_int_equal(archive_put_done(a, &p), 0);
	assert_int_equal(p.rows, 4);
	assert_int_equal(p.added, 3);
	archive_close(a);
}

static void a_path_that_sql_or_glob_would_misread_is_refused(void **state)
{
	struct archive_options o = {"/tmp/a'b", 1 << 20, 1, false};
	struct archive *a;

	(void)state;
	assert_int_equal(archive_open(&o, &a), -EINVAL);
	o.dir = "/tmp/a*";
	assert_int_equal(archive_open(&o, &a), -EINVAL);
	o.dir = "";
	assert_int_equal(archive_open(&o, &a), -EINVAL);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(the_same_bars_twice_leave_the_same_bytes),
		IN_DIR(pieces_in_any_order_make_the_file_of_the_whole),
		IN_DIR(a_partial_month_adds_to_the_full_one_and_newer_words_win),
		IN_DIR(a_bar_lies_in_the_month_in_which_it_starts),
		IN_DIR(more_threads_leave_the_same_bytes),
		IN_DIR(any_name_of_a_symbol_comes_back_unharmed),
		IN_DIR(a_second_writer_is_refused_and_a_reader_is_not),
		IN_DIR(a_reader_leaves_nothing_in_an_archive_that_nobody_writes),
		IN_DIR(what_a_dead_writer_left_is_swept_and_what_a_living_reader_has_is_not),
		IN_DIR(a_damaged_file_is_not_merged_into),
		IN_DIR(a_crash_between_manifest_and_rename_is_gone_on_from),
		IN_DIR(a_file_without_a_manifest_is_taken_as_it_is_read),
		IN_DIR(vendors_and_revisions_stand_beside_each_other),
		cmocka_unit_test(a_path_that_sql_or_glob_would_misread_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
