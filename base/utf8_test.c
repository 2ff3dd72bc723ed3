/* utf8_test - what is a sequence and what is not. */
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void valid_sequences_have_their_length(void **state)
{
	(void)state;
	assert_int_equal(utf8_len("a", 1), 1);
	assert_int_equal(utf8_len("\xc3\xa9", 2), 2);
	assert_int_equal(utf8_len("\xe2\x82\xac", 3), 3);
	assert_int_equal(utf8_len("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(utf8_len("\xf4\x8f\xbf\xbf", 4), 4);
}

static void everything_else_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\x80",
		"\xff",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xc3\x28",
		"\xe2\x28\xa1",
		"\xe2\x82\x28",
		"\xf0\x9f\x98\x28",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_len(bad[i], strlen(bad[i])), 0);
	assert_int_equal(utf8_len("\xf0\x9f\x98\x80", 3), 0);
	assert_int_equal(utf8_len("\xc3\xa9", 1), 0);
}

/* Every scalar value, encoded by the definition. */
static void every_scalar_value_is_accepted_and_no_surrogate(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		unsigned char b[4];
		size_t n;

		if (c < 0x800) {
			n = 2;
			b[0] = (unsigned char)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			n = 3;
			b[0] = (unsigned char)(0xe0 | c >> 12);
			b[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		} else {
			n = 4;
			b[0] = (unsigned char)(0xf0 | c >> 18);
			b[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
			b[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		}
		b[n - 1] = (unsigned char)(0x80 | (c & 0x3f));
		assert_int_equal(utf8_len((char *)b, n),
				 c >= 0xd800 && c <= 0xdfff ? 0 : n);
	}
}

/* Every character there is, but surrogates, is one valid sequence of its own length. */
static void what_is_written_is_a_sequence(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		size_t want = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		char s[4];

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		if (utf8_put(s, c) != want || utf8_len(s, want) != want)
			fail_msg("U+%04X", (unsigned)c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_a_sequence),
		cmocka_unit_test(valid_sequences_have_their_length),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(every_scalar_value_is_accepted_and_no_surrogate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
