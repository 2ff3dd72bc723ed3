/* blake2b_test - RFC 7693's vector, and Python's digests around the block's edges. */
#include "base/blake2b.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *data, size_t len, size_t out_len, const char *want)
{
	uint8_t out[BLAKE2B_MAX];
	char hex[2 * BLAKE2B_MAX + 1];

	blake2b(data, len, out, out_len);
	for (size_t i = 0; i < out_len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(hex, want);
}

static void the_published_vector_comes_out(void **state)
{
	(void)state;
	expect("abc", 3, 64,
	       "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	       "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

/* hashlib.blake2b(bytes(i & 255 for i in range(n)), digest_size=8).hexdigest() */
static void the_edges_of_a_block_agree_with_another_implementation(void **state)
{
	static const struct {
		size_t len;
		const char *want;
	} all[] = {
		{0, "e4a6a0577479b2b4"},   {1, "94f6d9cdd1ea8248"},
		{127, "68005651c301c41e"}, {128, "c2d13df1b6617e82"},
		{129, "f667e47a6d5350a6"}, {208, "36c5e03b2929e8b0"},
		{256, "2b2cedfed655ad3f"}, {257, "2210e66ecf77af81"},
		{504, "a3fd0affa15fcf0c"},
	};
	uint8_t data[512];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		expect(data, all[i].len, 8, all[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vector_comes_out),
		cmocka_unit_test(
			the_edges_of_a_block_agree_with_another_implementation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
