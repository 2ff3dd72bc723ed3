/* sha256_test - the vectors of FIPS 180-4. */
#include "base/sha256.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const void *data, size_t len, const char *want)
{
	struct sha256 s;
	uint8_t out[32];
	char hex[65];

	sha256_init(&s);
	sha256_add(&s, data, len);
	sha256_done(&s, out);
	for (unsigned i = 0; i < 32; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(hex, want);
}

static void the_published_vectors_come_out(void **state)
{
	(void)state;
	char *a = malloc(1000000);

	expect("", 0,
	       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect("abc", 3,
	       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
	       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_non_null(a);
	memset(a, 'a', 1000000);
	expect(a, 1000000,
	       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(a);
}

static void any_cut_gives_the_same_sum(void **state)
{
	(void)state;
	uint8_t data[300], whole[32], parts[32];
	struct sha256 s;

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t len = 0; len <= sizeof(data); len += 13) {
		sha256_init(&s);
		sha256_add(&s, data, len);
		sha256_done(&s, whole);
		for (size_t cut = 0; cut <= len; cut++) {
			sha256_init(&s);
			sha256_add(&s, data, cut);
			sha256_add(&s, data + cut, len - cut);
			sha256_done(&s, parts);
			assert_memory_equal(whole, parts, 32);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vectors_come_out),
		cmocka_unit_test(any_cut_gives_the_same_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
