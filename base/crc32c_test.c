/* crc32c_test - published values, and the fast form against the table. */
#include "base/crc32c.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_published_values_come_out(void **state)
{
	(void)state;
	uint8_t block[32];

	/* RFC 3720, B.4, and the check value of the CRC catalogue. */
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	memset(block, 0, sizeof(block));
	assert_int_equal(crc32c(0, block, 32), 0x8a9136aa);
	memset(block, 0xff, sizeof(block));
	assert_int_equal(crc32c(0, block, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		block[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, block, 32), 0x46dd794e);
	assert_int_equal(crc32c_portable(0, block, 32), 0x46dd794e);
}

static void nothing_leaves_the_sum_as_it_was(void **state)
{
	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0x12345678, "", 0), 0x12345678);
}

static void the_fast_form_equals_the_table_at_every_length_and_alignment(void **state)
{
	(void)state;
	size_t cap = 40000;
	uint8_t *p = malloc(cap);
	uint32_t x = 1;

	assert_non_null(p);
	for (size_t i = 0; i < cap; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 24);
	}
	for (size_t len = 0; len < 3000; len++)
		assert_int_equal(crc32c(x, p + len % 9, len),
				 crc32c_portable(x, p + len % 9, len));
	for (size_t len = 3000; len < cap - 9; len += 97)
		assert_int_equal(crc32c(x, p + len % 9, len),
				 crc32c_portable(x, p + len % 9, len));
	free(p);
}

static void a_sum_can_be_continued_at_any_cut(void **state)
{
	(void)state;
	char text[30000];
	uint32_t whole;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * i);
	whole = crc32c(0, text, sizeof(text));
	for (size_t cut = 0; cut <= sizeof(text); cut += 331)
		assert_int_equal(
			crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut),
			whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_values_come_out),
		cmocka_unit_test(nothing_leaves_the_sum_as_it_was),
		cmocka_unit_test(
			the_fast_form_equals_the_table_at_every_length_and_alignment),
		cmocka_unit_test(a_sum_can_be_continued_at_any_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
