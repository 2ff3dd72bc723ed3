/* archive_live_test - what is live is one whole, stands beside what is archived, and is
   never seen twice. */
#include "archive/framerow_test.h"
#include "archive/layout.h"
#include <errno.h>
#include <glob.h>

static void live_ticks(struct archive *a, uint64_t from, uint64_t to)
{
	struct event_tick t = sample_tick();
	struct framerow_sum got;
	struct archive_put sum;
	struct buf bulk = {0};

	for (uint64_t i = from; i < to; i++) {
		t.head.pos = i;
		test_add(&bulk, EVENT_TICK, &t);
	}
	assert_int_equal(framerow_stage(a, bulk.data, bulk.len, NULL, &got), 0);
	assert_int_equal(archive_live_put(a, &sum), 0);
	assert_int_equal(sum.rows, to - from);
	buf_free(&bulk);
}

static size_t generations(const char *dir)
{
	struct buf pattern = {0};
	glob_t g = {0};
	size_t n = 0;

	buf_printf(&pattern, "%s/.live/*-*", dir);
	if (glob(buf_text(&pattern), 0, NULL, &g) == 0)
		n = g.gl_pathc;
	globfree(&g);
	buf_free(&pattern);
	return n;
}

static void what_is_live_is_seen_when_it_is_whole_and_replaced_as_one(void **state)
{
	struct archive *a = test_open(*state, true);

	assert_int_equal(archive_live_begin(a), 0);
	live_ticks(a, 1, 5);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 0);
	live_ticks(a, 3, 9); /* reaches into the page before */
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 8);
	assert_int_equal(archive_live_begin(a), 0);
	live_ticks(a, 9, 11);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 8);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 2);
	assert_int_equal(generations(*state), 1);
	assert_int_equal(archive_live_begin(a), 0);
	assert_int_equal(archive_live_end(a), 0); /* nothing is live */
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 0);
	archive_close(a);
}

/* The archive has revision 0 of a bar and 1 of another; live has 1 and 0. */
static void what_both_have_is_seen_once_and_by_its_newest_word(void **state)
{
	struct archive *a = test_open(*state, true);
	struct barrow r = test_bar("AAPL", JAN_2024_NS, 100);
	struct archive_put sum;

	assert_int_equal(archive_put_row(a, &r), 0);
	r = test_bar("AAPL", JAN_2024_NS + MINUTE_NS, 101);
	r.revision = 1;
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_put_done(a, &sum), 0);
	assert_int_equal(archive_live_begin(a), 0);
	r = test_bar("AAPL", JAN_2024_NS, 300);
	r.revision = 1;
	assert_int_equal(archive_put_row(a, &r), 0);
	r = test_bar("AAPL", JAN_2024_NS + MINUTE_NS, 301);
	assert_int_equal(archive_put_row(a, &r), 0);
	r = test_bar("AAPL", JAN_2024_NS + 2 * MINUTE_NS, 302);
	assert_int_equal(archive_put_row(a, &r), 0);
	assert_int_equal(archive_live_put(a, &sum), 0);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(test_one(a, "SELECT count(*) FROM bars_1m"), 3);
	assert_int_equal(test_one(a, "SELECT round(sum(close) * 100)::BIGINT FROM "
				     "bars_1m"),
			 300 + 101 + 302);
	archive_close(a);
}

static void ticks_that_are_archived_meanwhile_are_seen_once(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_check c;
	struct buf bulk = {0};

	test_samples(&bulk);
	test_frames(a, &bulk, NULL);
	assert_int_equal(archive_live_begin(a), 0);
	live_ticks(a, 1001, 1003); /* the sample's and one more */
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 2);
	assert_int_equal(archive_verify(a, true, &c), 0);
	assert_int_equal(c.files, 5); /* what is live is not of the archive */
	assert_int_equal(c.bad, 0);
	archive_close(a);
	buf_free(&bulk);
}

static void a_reader_keeps_the_generation_that_it_reads(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive *reader = test_open(*state, false);
	struct duck *d;
	int64_t n = 0;

	assert_int_equal(archive_live_begin(a), 0);
	live_ticks(a, 1, 5);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(archive_reader(reader, &d), 0);
	assert_int_equal(views_make(reader, d, NULL, false), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(archive_live_begin(a), 0);
		live_ticks(a, 1, 2);
		assert_int_equal(archive_live_end(a), 0);
	}
	assert_int_equal(duck_row_i64(d, "SELECT count(*) FROM ticks", 0, &n, 1), 0);
	assert_int_equal(n, 4);
	assert_int_equal(generations(*state), 2);
	assert_int_equal(test_one(reader, "SELECT count(*) FROM ticks"), 1);
	archive_close(reader);
	assert_int_equal(archive_live_begin(a), 0);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(generations(*state), 1);
	archive_close(a);
}

static void what_was_not_ended_or_is_of_another_boot_is_not_read(void **state)
{
	struct archive *a = test_open(*state, true);
	struct archive_put sum;
	struct buf live = {0};
	char path[600];

	assert_int_equal(archive_live_put(a, &sum), -EINVAL);
	assert_int_equal(archive_live_end(a), -EINVAL);
	assert_int_equal(archive_live_begin(a), 0);
	live_ticks(a, 1, 5);
	archive_close(a);
	a = test_open(*state, true);
	assert_int_equal(archive_live(a, &live), 1);
	assert_int_equal(test_one(a, "SELECT count(*) FROM ticks"), 0);
	snprintf(path, sizeof(path), "%s/.live/another-boot-1", (char *)*state);
	assert_int_equal(layout_mkdirs(path), 0);
	snprintf(path, sizeof(path), "%s/.live/now", (char *)*state);
	assert_int_equal(symlink("another-boot-1", path), 0);
	assert_int_equal(archive_live(a, &live), 1);
	assert_int_equal(live.len, 0);
	assert_int_equal(archive_live_begin(a), 0);
	assert_int_equal(archive_live_end(a), 0);
	assert_int_equal(archive_live(a, &live), 0);
	assert_int_equal(generations(*state), 1);
	archive_close(a);
	a = test_open(*state, false);
	assert_int_equal(archive_live_begin(a), -EROFS);
	archive_close(a);
	buf_free(&live);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_is_live_is_seen_when_it_is_whole_and_replaced_as_one),
		IN_DIR(what_both_have_is_seen_once_and_by_its_newest_word),
		IN_DIR(ticks_that_are_archived_meanwhile_are_seen_once),
		IN_DIR(a_reader_keeps_the_generation_that_it_reads),
		IN_DIR(what_was_not_ended_or_is_of_another_boot_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
