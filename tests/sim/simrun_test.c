/* simrun_test - the simulation itself: a seed is one way through the code, and no
 * other.
 */
#include "base/log.h"
#include "tests/check/check.h"
#include "tests/kill/fault_vfs.h"
#include "tests/sim/simdir.h"
#include "tests/sim/simrun.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

static char dir[TEMPDIR_MAX];

static uint64_t trace_of(uint64_t seed)
{
	const struct simrun_options o = {.seed = seed, .dir = dir, .ticks = 200};
	struct simrun_result r;
	struct chronicle c;

	chronicle_init(&c);
	simrun(&o, &c, &r);
	assert_string_equal("", r.failure);
	chronicle_free(&c);
	return r.trace;
}

static void the_same_seed_takes_the_same_way(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++)
		assert_true(trace_of(seed) == trace_of(seed));
}

static void another_seed_takes_another_way(void **state)
{
	(void)state;
	assert_true(trace_of(1) != trace_of(2));
}

static void chance_meets_every_kind_of_trouble(void **state)
{
	uint32_t crashes = 0, cuts = 0, faults = 0, losses = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		const struct simrun_options o = {
			.seed = seed, .dir = dir, .ticks = 200};
		struct simrun_result r;
		struct chronicle c;

		chronicle_init(&c);
		simrun(&o, &c, &r);
		for (size_t i = 0; i < c.n_lives; i++)
			losses += c.lives[i].lost_first != 0;
		chronicle_free(&c);
		crashes += r.crashes;
		cuts += r.power_cuts;
		faults += r.faults;
	}
	assert_true(crashes > 60);
	assert_true(cuts > 30);
	assert_true(faults > 10);
	assert_true(losses > 3);
}

static int set_up(void **state)
{
	(void)state;
	fault_vfs_register();
	log_level_set((enum log_level)0);
	simdir_new(dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_takes_the_same_way),
		cmocka_unit_test(another_seed_takes_another_way),
		cmocka_unit_test(chance_meets_every_kind_of_trouble),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
