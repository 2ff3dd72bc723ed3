/* tick_index_test - copies of counts: noted, thinned, saved and loaded. */
#include "daemon/tick_index.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SYMBOLS 10

/* At position p symbol i has p / (i + 1) ticks. */
static void counts_at(uint64_t pos, uint64_t *counts)
{
	for (uint32_t i = 0; i < SYMBOLS; i++)
		counts[i] = pos / (i + 1);
}

static struct tick_index *noted(uint64_t last, uint64_t step)
{
	struct tick_index *x;
	uint64_t counts[SYMBOLS];

	assert_int_equal(tick_index_new(SYMBOLS, &x), 0);
	for (uint64_t pos = step; pos <= last; pos += step) {
		counts_at(pos, counts);
		tick_index_note(x, pos, counts, SYMBOLS);
	}
	return x;
}

static void expect_true_counts(struct tick_index *x, uint64_t pos)
{
	uint64_t counts[SYMBOLS], want[SYMBOLS], at;

	assert_int_equal(tick_index_at(x, pos, counts, &at), 0);
	assert_true(at <= pos);
	counts_at(at, want);
	assert_memory_equal(counts, want, sizeof(want));
}

static void what_was_saved_loads_and_thins_on(void **state)
{
	struct tick_index *x = noted(UINT64_C(40000000), 10000), *y;
	uint64_t counts[SYMBOLS], at, newest;
	struct buf b = {0};
	struct state st = state_saving(&b);

	(void)state;
	tick_index_state(&st, x);
	assert_int_equal(tick_index_new(SYMBOLS, &y), 0);
	st = state_loading(b.data, b.len);
	tick_index_state(&st, y);
	state_end(&st);
	assert_false(state_bad(&st));
	assert_int_equal(tick_index_marks(y), tick_index_marks(x));
	for (uint64_t pos = 1; pos < 40000000; pos += 999983)
		expect_true_counts(y, pos);
	assert_int_equal(tick_index_at(x, UINT64_MAX, counts, &newest), 0);
	assert_int_equal(tick_index_at(y, UINT64_MAX, counts, &at), 0);
	assert_int_equal(at, newest);
	for (uint64_t pos = 40010000; pos < 90000000; pos += 10000) {
		counts_at(pos, counts);
		tick_index_note(y, pos, counts, SYMBOLS);
	}
	assert_true(tick_index_marks(y) <= TICK_INDEX_MARKS);
	expect_true_counts(y, 89000000);
	tick_index_free(x);
	tick_index_free(y);
	buf_free(&b);
}

static void bytes_that_are_no_index_leave_it_as_new(void **state)
{
	struct tick_index *x = noted(1000000, 70000), *y;
	struct buf b = {0};
	struct state st = state_saving(&b);

	(void)state;
	tick_index_state(&st, x);
	for (size_t len = 0; len < b.len; len += 7) {
		uint64_t counts[SYMBOLS], at;

		assert_int_equal(tick_index_new(SYMBOLS, &y), 0);
		st = state_loading(b.data, len);
		tick_index_state(&st, y);
		assert_true(state_bad(&st));
		assert_int_equal(tick_index_marks(y), 1);
		assert_int_equal(tick_index_at(y, 5, counts, &at), 0);
		assert_int_equal(at, 0);
		tick_index_free(y);
	}
	tick_index_free(x);
	buf_free(&b);
}

static void what_is_pinned_outlives_bookmarks_until_the_log_has_passed_it(void **state)
{
	struct tick_index *x = noted(1000000, 70000);
	uint64_t counts[SYMBOLS], at = 0;

	(void)state;
	counts_at(300000, counts);
	tick_index_pin(x, 300000, counts, SYMBOLS);
	for (uint64_t pos = 400000; pos < 500000; pos += 1000) {
		counts_at(pos, counts);
		tick_index_bookmark(x, pos, counts, SYMBOLS);
	}
	tick_index_trim(x, 300001);
	assert_int_equal(tick_index_oldest(x, &at), 0);
	assert_int_equal(at, 300000);
	expect_true_counts(x, 300500);
	tick_index_trim(x, 300002);
	assert_int_equal(tick_index_oldest(x, &at), 0);
	assert_true(at > 300001);
	tick_index_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_loads_and_thins_on),
		cmocka_unit_test(bytes_that_are_no_index_leave_it_as_new),
		cmocka_unit_test(
			what_is_pinned_outlives_bookmarks_until_the_log_has_passed_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
