/* pace_test - the schedule of a replay. */
#include "base/clock.h"
#include "feeds/feed_test.h"
#include "feeds/pace.h"

#define S NS_PER_S

static void normal_speed_waits_as_long_as_it_took(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, PACE_NORMAL, 0);
	assert_int_equal(pace_wait_ns(&p, 1000 * S, 5 * S), 0);
	assert_int_equal(pace_wait_ns(&p, 1003 * S, 5 * S), 3 * S);
	assert_int_equal(pace_wait_ns(&p, 1003 * S, 7 * S), S);
	assert_int_equal(pace_wait_ns(&p, 1003 * S, 9 * S), 0);
	/* Late by one second: the next wait is a second shorter. */
	assert_int_equal(pace_wait_ns(&p, 1006 * S, 9 * S), 2 * S);
}

static void double_speed_waits_half(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 2000, 0);
	(void)pace_wait_ns(&p, 0, 0);
	assert_int_equal(pace_wait_ns(&p, 10 * S, 0), 5 * S);
	pace_init(&p, 500, 0);
	(void)pace_wait_ns(&p, 0, 0);
	assert_int_equal(pace_wait_ns(&p, 10 * S, 0), 20 * S);
}

static void speed_zero_never_waits(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 0, 0);
	(void)pace_wait_ns(&p, 0, 0);
	assert_int_equal(pace_wait_ns(&p, INT64_MAX, 0), 0);
}

static void time_that_goes_back_waits_for_nothing_and_moves_nothing(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, PACE_NORMAL, 0);
	(void)pace_wait_ns(&p, 100 * S, 0);
	assert_int_equal(pace_wait_ns(&p, 90 * S, 0), 0);
	assert_int_equal(pace_wait_ns(&p, 101 * S, 0), S);
}

static void a_long_silence_counts_as_the_bound(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, PACE_NORMAL, 2 * S);
	(void)pace_wait_ns(&p, 0, 0);
	assert_int_equal(pace_wait_ns(&p, 60000 * S, 0), 2 * S);
	assert_int_equal(pace_wait_ns(&p, 60001 * S, 0), 3 * S);
}

static void the_ends_of_time_do_not_wrap(void **state)
{
	struct pace p;

	(void)state;
	pace_init(&p, 1, 0);
	(void)pace_wait_ns(&p, INT64_MIN, 0);
	assert_int_equal(pace_wait_ns(&p, INT64_MAX, 0), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normal_speed_waits_as_long_as_it_took),
		cmocka_unit_test(double_speed_waits_half),
		cmocka_unit_test(speed_zero_never_waits),
		cmocka_unit_test(
			time_that_goes_back_waits_for_nothing_and_moves_nothing),
		cmocka_unit_test(a_long_silence_counts_as_the_bound),
		cmocka_unit_test(the_ends_of_time_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
