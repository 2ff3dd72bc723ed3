/* pages_test - zeroed, and not resident before it is touched. */
#include "base/pages.h"
#include <stdint.h>
#include <sys/mman.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void untouched_pages_are_not_resident(void **state)
{
	size_t bytes = 64 << 20;
	unsigned char *p = pages_new(bytes), in_core[1];

	(void)state;
	assert_non_null(p);
	assert_int_equal(mincore(p + (32 << 20), 4096, in_core), 0);
	assert_int_equal(in_core[0] & 1, 0);
	assert_int_equal(p[bytes - 1], 0);
	p[bytes - 1] = 7;
	assert_int_equal(p[bytes - 1], 7);
	pages_free(p, bytes);
	pages_free(NULL, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_pages_are_not_resident)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
