/* filter - kinds and symbols, none by default. */
#include "bus/check_test.h"
#include "bus/filter.h"
#include <errno.h>

static void a_zeroed_filter_wants_nothing(void **state)
{
	struct filter f = {0};

	(void)state;
	assert_false(filter_has(&f, EVENT_TICK, 0));
	assert_false(filter_has_symbol(&f, 0));
	filter_deinit(&f);
}

static void kinds_and_symbols_must_both_match(void **state)
{
	struct filter f = {.kinds = FILTER_KIND(EVENT_BAR)};

	(void)state;
	assert_int_equal(filter_add(&f, 7), 0);
	assert_true(filter_has(&f, EVENT_BAR, 7));
	assert_false(filter_has(&f, EVENT_TICK, 7));
	assert_false(filter_has(&f, EVENT_BAR, 8));
	filter_remove(&f, 7);
	assert_false(filter_has(&f, EVENT_BAR, 7));
	filter_deinit(&f);
}

static void the_set_grows_with_the_ids(void **state)
{
	struct filter f = {.kinds = FILTER_KINDS_ALL};

	(void)state;
	for (uint32_t id = 0; id < 100000; id += 97)
		assert_int_equal(filter_add(&f, id), 0);
	for (uint32_t id = 0; id < 100000; id++)
		assert_int_equal(filter_has_symbol(&f, id), id % 97 == 0);
	assert_false(filter_has_symbol(&f, UINT32_MAX));
	filter_remove(&f, UINT32_MAX);
	assert_int_equal(filter_add(&f, FILTER_SYMBOLS_MAX), -EINVAL);
	filter_deinit(&f);
}

static void all_symbols_are_also_those_still_to_come(void **state)
{
	struct filter f = {.kinds = FILTER_KIND(EVENT_TICK), .all_symbols = true};

	(void)state;
	assert_true(filter_has(&f, EVENT_TICK, 0));
	assert_true(filter_has(&f, EVENT_TICK, 123456789));
	filter_deinit(&f);
}

static void a_copy_is_its_own(void **state)
{
	struct filter f = {.kinds = FILTER_KIND(EVENT_TICK)};
	struct filter g;

	(void)state;
	assert_int_equal(filter_add(&f, 70), 0);
	assert_int_equal(filter_copy(&g, &f), 0);
	filter_remove(&f, 70);
	assert_true(filter_has(&g, EVENT_TICK, 70));
	assert_int_equal(filter_add(&g, 5000), 0);
	assert_false(filter_has(&f, EVENT_TICK, 5000));
	filter_deinit(&f);
	filter_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_filter_wants_nothing),
		cmocka_unit_test(kinds_and_symbols_must_both_match),
		cmocka_unit_test(the_set_grows_with_the_ids),
		cmocka_unit_test(all_symbols_are_also_those_still_to_come),
		cmocka_unit_test(a_copy_is_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
