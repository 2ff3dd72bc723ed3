/* buf_test - growth, printing and the text view. */
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_zeroed_buffer_is_empty_and_can_be_freed(void **state)
{
	(void)state;
	struct buf b = {0};

	buf_free(&b);
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.len, 0);
	buf_free(&b);
	assert_null(b.data);
}

static void bytes_come_back_in_order_after_many_growths(void **state)
{
	(void)state;
	struct buf b = {0};

	for (unsigned i = 0; i < 100000; i++) {
		uint8_t byte = (uint8_t)(i * 31);

		buf_add(&b, &byte, 1);
	}
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 31));
	buf_free(&b);
}

static void reserve_gives_room_without_changing_the_length(void **state)
{
	(void)state;
	struct buf b = {0};

	memset(buf_reserve(&b, 5000), 7, 5000);
	assert_int_equal(b.len, 0);
	assert_true(b.cap >= 5000);
	buf_free(&b);
}

static void printf_appends_short_and_long_text(void **state)
{
	(void)state;
	struct buf b = {0};
	char big[3000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = 0;
	buf_printf(&b, "%d-%s", 42, "a");
	buf_printf(&b, "%s", "");
	buf_printf(&b, "[%s]", big);
	assert_int_equal(b.len, 4 + 2999 + 2);
	assert_memory_equal(buf_text(&b), "42-a[xxx", 8);
	assert_string_equal(buf_text(&b) + b.len - 3, "xx]");
	buf_free(&b);
}

static void printf_of_exactly_the_room_keeps_every_byte(void **state)
{
	(void)state;
	for (int n = 60; n < 68; n++) {
		struct buf b = {0};

		buf_printf(&b, "%0*d", n, 7);
		assert_int_equal(b.len, n);
		assert_int_equal(strlen(buf_text(&b)), n);
		assert_int_equal(b.data[n - 1], '7');
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_buffer_is_empty_and_can_be_freed),
		cmocka_unit_test(bytes_come_back_in_order_after_many_growths),
		cmocka_unit_test(reserve_gives_room_without_changing_the_length),
		cmocka_unit_test(printf_appends_short_and_long_text),
		cmocka_unit_test(printf_of_exactly_the_room_keeps_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
