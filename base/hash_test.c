/* hash_test - published values and spread. */
#include "base/hash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void fnv_gives_the_published_values(void **state)
{
	(void)state;
	assert_true(hash_bytes(HASH_SEED, "", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_bytes(HASH_SEED, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_bytes(HASH_SEED, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void a_hash_can_be_continued(void **state)
{
	(void)state;
	assert_true(hash_bytes(hash_bytes(HASH_SEED, "foo", 3), "bar", 3) ==
		    hash_bytes(HASH_SEED, "foobar", 6));
}

static void the_mixer_spreads_small_integers_over_all_bits(void **state)
{
	(void)state;
	uint64_t any = 0, all = UINT64_MAX;
	uint8_t seen[256] = {0};
	unsigned used = 0;

	for (uint64_t i = 1; i <= 4096; i++) {
		uint64_t h = hash_mix(i);

		any |= h;
		all &= h;
		used += seen[h >> 56]++ == 0;
	}
	assert_true(any == UINT64_MAX);
	assert_true(all == 0);
	assert_int_equal(used, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fnv_gives_the_published_values),
		cmocka_unit_test(a_hash_can_be_continued),
		cmocka_unit_test(the_mixer_spreads_small_integers_over_all_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
