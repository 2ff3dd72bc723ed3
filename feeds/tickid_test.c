/* tickid_test - what is told apart, what is the same, what keeps its order. */
#include "feeds/tickid.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t text(unsigned venue, const char *id)
{
	return tickid_text(venue, 0, id, strlen(id));
}

static void a_number_and_its_text_are_the_same(void **state)
{
	(void)state;
	assert_true(tickid_number('D', 0, 71697353758036) ==
		    text('D', "71697353758036"));
	assert_true(tickid_number(4, 3, 0) == tickid_text(4, 3, "0", 1));
	assert_true(tickid_number(4, 0, INT64_MAX) == text(4, "9223372036854775807"));
}

static void exchange_facility_and_id_each_tell_apart(void **state)
{
	const uint64_t ids[] = {text(10, "5096"),
				text(11, "5096"),
				tickid_text(10, 3, "5096", 4),
				text(10, "5097"),
				text(10, "05096"),
				text(10, "5096a"),
				text(10, ""),
				text(10, "9223372036854775807"),
				text(10, "9223372036854775808"),
				text(10, "18446744073709551616"),
				text(0, "0"),
				text(0, "2")};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_true(ids[i] != 0);
		for (size_t k = 0; k < i; k++)
			assert_true(ids[i] != ids[k]);
	}
}

static void ids_that_count_up_keep_their_order(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (uint64_t id = 1; id < UINT64_C(1) << 51; id = id * 3 + 1) {
		assert_true(tickid_number('P', 0, id) > last);
		last = tickid_number('P', 0, id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_and_its_text_are_the_same),
		cmocka_unit_test(exchange_facility_and_id_each_tell_apart),
		cmocka_unit_test(ids_that_count_up_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
