/* archive_keep_test - compaction changes files and no rows; retention takes whole
   partitions, and nothing younger. */
#include "archive/archive_own.h"
#include "archive/framerow_test.h"
#include "archive/partfile.h"
#include <errno.h>

#define JANUARY "equities_1min/symbol=AAPL/year=2024/month=01"
#define VECTORS "features_1min/symbol=AAPL/year=2026/month=01"

static const char *at(const char *dir, const char *name)
{
	static char path[2][600];
	static unsigned n;
	char *out = path[n++ % 2];

	snprintf(out, sizeof(path[0]), "%s/%s", dir, name);
	return out;
}

/* Replace a partition's file by what @select makes of it, as if another program, which
   knew version @version, had written it. */
static void written_otherwise(struct archive *a, const struct kind *k, const char *part,
			      const char *select, const char *options, uint64_t version)
{
	struct layout_manifest m;
	struct buf sql = {0};
	struct buf tmp = {0};
	struct duck *d;

	assert_int_equal(layout_read(at(a->dir, part), &m), 0);
	archive_tmp(a, &tmp, ".parquet");
	assert_int_equal(archive_writer(a, &d), 0);
	buf_printf(&sql,
		   "COPY (SELECT %s FROM read_parquet('%s/%s/data.parquet', "
		   "hive_partitioning=false)) TO '%s' (FORMAT parquet%s)",
		   select, a->dir, part, buf_text(&tmp), options);
	assert_int_equal(duck_run(d, buf_text(&sql), NULL), 0);
	m.before = m.now;
	m.version = version;
	assert_int_equal(partfile_describe(d, k, buf_text(&tmp), &m.now), 0);
	assert_int_equal(layout_replace(at(a->dir, part), buf_text(&tmp), &m), 0);
	buf_free(&sql);
	buf_free(&tmp);
}

static void a_file_with_small_row_groups_becomes_what_it_would_be_today(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_compacted c;
	struct archive_check check;
	char want[65];
	char got[65];

	test_put(a, "AAPL", JAN_2024_NS, 9000, 18000);
	test_put(a, "MSFT", JAN_2024_NS, 10, 18000);
	assert_int_equal(layout_hash(at(*state, JANUARY "/data.parquet"), want), 0);
	written_otherwise(a, &kinds_table[KIND_BARS], JANUARY, "*",
			  ", ROW_GROUP_SIZE 2048", 1);
	assert_int_equal(archive_compact(a, &c), 0);
	assert_int_equal(c.files, 2);
	assert_int_equal(c.rewritten, 1);
	assert_int_equal(c.rows, 9000);
	assert_true(c.bytes_after < c.bytes_before);
	assert_int_equal(layout_hash(at(*state, JANUARY "/data.parquet"), got), 0);
	assert_string_equal(want, got);
	assert_int_equal(archive_verify(a, true, &check), 0);
	assert_int_equal(check.rows, 9010);
	assert_int_equal(check.bad, 0);
	assert_int_equal(archive_compact(a, &c), 0);
	assert_int_equal(c.rewritten, 0);
	archive_close(a);
}

/* A file of a version without vol_6, merged into and read, then compacted. */
static void a_file_of_an_older_version_is_read_merged_and_made_anew(void **state)
{
	struct archive *a = test_open(*state, true);
	struct event_tier1 v = sample_tier1();
	struct archive_compacted c;
	struct layout_manifest m;
	struct buf bulk = {0};
	const struct kind *k = &kinds_table[KIND_FEATURES];

	v.value[TIER1_VOL_6] = 3;
	test_add(&bulk, EVENT_TIER1, &v);
	test_frames(a, &bulk, NULL);
	written_otherwise(a, k, VECTORS, "* EXCLUDE (vol_6)", "", 1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM features"), 1);
	assert_int_equal(archive_compact(a, &c), 0);
	assert_int_equal(c.rewritten, 1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM features WHERE vol_6 IS "
				     "NULL AND rolling_return_6 = 0.25"),
			 1);
	assert_int_equal(layout_read(at(*state, VECTORS), &m), 0);
	assert_int_equal(m.version, k->version);
	written_otherwise(a, k, VECTORS, "* EXCLUDE (vol_6)", "", 1);
	bulk.len = 0;
	v.head.event_ns += MINUTE_NS;
	test_add(&bulk, EVENT_TIER1, &v);
	assert_int_equal(test_frames(a, &bulk, NULL).added, 1);
	assert_int_equal(test_one(a, "SELECT count(vol_6) * 10 + count(*) FROM "
				     "features"),
			 12);
	assert_int_equal(layout_read(at(*state, VECTORS), &m), 0);
	assert_int_equal(m.version, k->version);
	archive_close(a);
	buf_free(&bulk);
}

static void a_file_of_a_newer_version_is_left_alone(void **state)
{
	struct archive *a = test_open(*state, true);
	struct barrow r = test_bar("AAPL", JAN_2024_NS, 1);
	struct archive_compacted c;
	struct archive_put p;

	test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	written_otherwise(a, &kinds_table[KIND_BARS], JANUARY, "*, 1 AS more", "", 99);
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_put_done(a, &p), -EBADMSG);
	assert_non_null(strstr(err_text(), "newer"));
	assert_int_equal(archive_compact(a, &c), -EBADMSG);
	archive_close(a);
}

static void retention_takes_what_ended_before_and_empty_folders(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_retained r;
	struct archive_check c;
	struct buf bulk = {0};

	test_put(a, "AAPL", JAN_2024_NS, 10, 18000);
	test_put(a, "AAPL", JAN_2024_NS + 31 * DAY_NS, 10, 18000);
	test_put(a, "A/B", JAN_2024_NS, 5, 18000);
	test_samples(&bulk);
	test_frames(a, &bulk, NULL);
	/* A nanosecond before February January is not over. */
	assert_int_equal(
		archive_retain(a, KIND_BARS, JAN_2024_NS + 31 * DAY_NS - 1, &r), 0);
	assert_int_equal(r.files, 0);
	assert_int_equal(archive_retain(a, KIND_BARS, JAN_2024_NS + 31 * DAY_NS, &r),
			 0);
	assert_int_equal(r.files, 2);
	assert_int_equal(r.rows, 15);
	assert_true(r.bytes > 0);
	assert_int_equal(access(at(*state, "equities_1min/symbol=A%2FB"), F_OK), -1);
	assert_int_equal(access(at(*state, JANUARY), F_OK), -1);
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.rows, 10 + 8);
	assert_int_equal(c.bad, 0);
	assert_int_equal(archive_retain(a, KIND_TICKS, INT64_MAX, &r), 0);
	assert_int_equal(r.files, 1);
	assert_int_equal(access(at(*state, "ticks"), F_OK), 0);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 0);
	assert_int_equal(test_frames(a, &bulk, NULL).added, 1); /* and comes again */
	archive_close(a);
	buf_free(&bulk);
}

static void a_reader_neither_compacts_nor_removes(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_compacted c;
	struct archive_retained r;

	archive_close(a);
	a = test_open(*state, false);
	assert_int_equal(archive_compact(a, &c), -EROFS);
	assert_int_equal(archive_retain(a, KIND_BARS, 0, &r), -EROFS);
	archive_close(a);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(a_file_with_small_row_groups_becomes_what_it_would_be_today),
		IN_DIR(a_file_of_an_older_version_is_read_merged_and_made_anew),
		IN_DIR(a_file_of_a_newer_version_is_left_alone),
		IN_DIR(retention_takes_what_ended_before_and_empty_folders),
		IN_DIR(a_reader_neither_compacts_nor_removes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
