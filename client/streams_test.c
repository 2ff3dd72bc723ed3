#include "client/streams.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void name(char out[SYMBOL_MAX], unsigned i)
{
	memset(out, 0, SYMBOL_MAX);
	snprintf(out, SYMBOL_MAX, "S%u", i);
}

static void streams_keep_their_numbers_while_growing(void **state)
{
	struct streams s = {0};
	char symbol[SYMBOL_MAX];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		name(symbol, i);
		assert_null(streams_find(&s, EVENT_TICK, symbol, 0));
		streams_get(&s, EVENT_TICK, symbol, 0)->last_seq = i + 1;
	}
	for (unsigned i = 0; i < 10000; i++) {
		name(symbol, i);
		assert_int_equal(streams_get(&s, EVENT_TICK, symbol, 0)->last_seq,
				 i + 1);
		assert_null(streams_find(&s, EVENT_BAR, symbol, 0));
	}
	assert_int_equal(s.n, 10000);
	streams_deinit(&s);
}

static void only_matrices_are_numbered_by_timeframe(void **state)
{
	struct streams s = {0};
	char symbol[SYMBOL_MAX] = "A";

	(void)state;
	assert_ptr_equal(streams_get(&s, EVENT_BAR, symbol, 60),
			 streams_get(&s, EVENT_BAR, symbol, 300));
	assert_ptr_not_equal(streams_get(&s, EVENT_TIER2, symbol, 60),
			     streams_get(&s, EVENT_TIER2, symbol, 300));
	streams_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_keep_their_numbers_while_growing),
		cmocka_unit_test(only_matrices_are_numbered_by_timeframe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
