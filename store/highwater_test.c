/* highwater_test - the second witness. */
#include "store/fixture_test.h"
#include "store/highwater.h"
#include <errno.h>

static int dir_fd(const struct fixture *f)
{
	return open(f->dir, O_RDONLY | O_DIRECTORY);
}

static void written_marks_are_read_back_in_both_ways_of_syncing(void **state)
{
	(void)state;
	for (int every = 0; every < 2; every++) {
		struct highwater_mark m = {
			.store_id = 9, .epoch = 1, .boot_id = 77, .generation = 1};
		struct highwater_mark got;
		struct highwater *h = NULL;
		struct fixture f;
		int fd;

		fixture_begin(&f);
		fd = dir_fd(&f);
		assert_int_equal(HIGHWATER_MISSING, highwater_read(fd, &got));
		assert_int_equal(0, highwater_create(fd, &m, every, &h));
		for (uint64_t pos = 1; pos < 50; pos++) {
			const struct highwater_mark next = {.epoch = 1,
							    .acked_pos = pos,
							    .synced_pos = pos / 2,
							    .promised_pos = 2 * pos};

			assert_int_equal(0, highwater_write(h, &next));
			assert_int_equal(0, highwater_read(fd, &got));
			assert_int_equal(pos, got.acked_pos);
			assert_int_equal(pos / 2, got.synced_pos);
			assert_int_equal(2 * pos, got.promised_pos);
			assert_int_equal(9, got.store_id);
			assert_int_equal(77, got.boot_id);
		}
		assert_int_equal(0, highwater_sync(h));
		highwater_close(h);
		assert_int_equal(0, highwater_create(fd, &got, every, &h));
		highwater_close(h);
		close(fd);
		fixture_end(&f);
	}
}

static void two_slots(uint8_t file[HIGHWATER_FILE])
{
	struct highwater_mark a = {.store_id = 9,
				   .epoch = 1,
				   .acked_pos = 10,
				   .promised_pos = 10,
				   .generation = 6};
	struct highwater_mark b = {.store_id = 9,
				   .epoch = 1,
				   .acked_pos = 20,
				   .promised_pos = 20,
				   .generation = 7};

	highwater_encode(&a, file);
	highwater_encode(&b, file + HIGHWATER_SLOT);
}

static void one_torn_slot_leaves_the_other(void **state)
{
	static uint8_t file[HIGHWATER_FILE];
	struct highwater_mark got;

	(void)state;
	two_slots(file);
	assert_int_equal(0, highwater_decode(file, sizeof(file), &got));
	assert_int_equal(20, got.acked_pos);
	/* Any flipped bit in the newer: the older counts; never something else. */
	for (size_t bit = 0; bit < HIGHWATER_USED * 8; bit++) {
		file[HIGHWATER_SLOT + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(0, highwater_decode(file, sizeof(file), &got));
		assert_int_equal(10, got.acked_pos);
		file[HIGHWATER_SLOT + bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* Cut anywhere: newest whole slot, or none. */
	for (size_t len = 0; len <= sizeof(file); len++) {
		int rc = highwater_decode(file, len, &got);

		assert_int_equal(len < HIGHWATER_USED ? HIGHWATER_GARBAGE : 0, rc);
		if (rc == 0)
			assert_int_equal(len < HIGHWATER_SLOT + HIGHWATER_USED ? 10
									       : 20,
					 got.acked_pos);
	}
}

static void a_mark_that_contradicts_itself_is_garbage(void **state)
{
	static uint8_t file[HIGHWATER_FILE];
	struct highwater_mark m = {.acked_pos = 5, .synced_pos = 6, .generation = 1};

	(void)state;
	highwater_encode(&m, file);
	assert_int_equal(HIGHWATER_GARBAGE, highwater_decode(file, sizeof(file), &m));
	m = (struct highwater_mark){.acked_pos = 5, .promised_pos = 4, .generation = 1};
	highwater_encode(&m, file);
	assert_int_equal(HIGHWATER_GARBAGE, highwater_decode(file, sizeof(file), &m));
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	struct highwater_mark m = {.generation = 1};
	struct fixture f;
	int fd;

	(void)state;
	fixture_begin(&f);
	fd = dir_fd(&f);
	assert_int_equal(0, symlinkat("elsewhere", fd, "highwater"));
	assert_int_equal(-ELOOP, highwater_read(fd, &m));
	close(fd);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_marks_are_read_back_in_both_ways_of_syncing),
		cmocka_unit_test(one_torn_slot_leaves_the_other),
		cmocka_unit_test(a_mark_that_contradicts_itself_is_garbage),
		cmocka_unit_test(a_link_in_its_place_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
