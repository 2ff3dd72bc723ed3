/* clock_test - both clocks run, in nanoseconds. */
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void the_monotonic_clock_never_steps_back(void **state)
{
	(void)state;
	int64_t last = clock_mono_ns();

	for (unsigned i = 0; i < 100000; i++) {
		int64_t now = clock_mono_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void the_wall_clock_agrees_with_time(void **state)
{
	(void)state;
	int64_t s = clock_wall_ns() / NS_PER_S;
	int64_t libc = (int64_t)time(NULL);

	assert_in_range(s - libc + 10, 8, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_never_steps_back),
		cmocka_unit_test(the_wall_clock_agrees_with_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
