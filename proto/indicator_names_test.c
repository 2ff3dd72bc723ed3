/* The names of a block of indicators: whole ones, and any bytes. */
#include "proto/event_json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void list(const char *names, char *out, size_t cap)
{
	struct event_indicators e = {.flags = TIER1_INDICATORS};
	struct indicator_value v;
	uint32_t at = 0;
	size_t len = 0;

	memcpy(e.names, names, strlen(names));
	for (size_t i = 0; i < INDICATOR_VALUES; i++)
		e.value[i] = (double)i;
	out[0] = '\0';
	while (event_indicator_next(&e, &at, &v))
		len += (size_t)snprintf(out + len, cap - len, "%.*s/%.*s=%g;",
					(int)v.spec_len, v.spec, (int)v.output_len,
					v.output != NULL ? v.output : "", v.value);
}

static void values_have_their_specs_and_outputs(void **state)
{
	char text[512];

	(void)state;
	list("sma(20) bbands(20,2):upper,middle,lower obv", text, sizeof(text));
	assert_string_equal(text,
			    "sma(20)/=0;bbands(20,2)/upper=1;bbands(20,2)/middle=2;"
			    "bbands(20,2)/lower=3;obv/=4;");
	list("", text, sizeof(text));
	assert_string_equal(text, "");
}

static void as_json_an_indicator_of_several_outputs_is_an_object(void **state)
{
	union {
		struct event_indicators block;
		struct event_tier1 tier1;
	} e = {.block = {.flags = TIER1_INDICATORS,
			 .names = "sma(20) bbands(20,2):upper,middle,lower "
				  "stoch(5,3,3):k,d obv",
			 .value = {1, 2, 3, 4, 0.5, __builtin_nan(""), 7}}};
	struct buf out = {0};

	(void)state;
	event_indicators_json(&out, &e.tier1);
	assert_string_equal(buf_text(&out),
			    "{\"sma(20)\":1,\"bbands(20,2)\":{\"upper\":2,\"middle\":3,"
			    "\"lower\":4},\"stoch(5,3,3)\":{\"k\":0.5,\"d\":null},"
			    "\"obv\":7}");
	buf_free(&out);
}

static void any_bytes_are_walked_within_the_block(void **state)
{
	uint64_t rng = 7;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		struct event_indicators e = {0};
		struct indicator_value v;
		uint32_t at = 0;
		size_t n = 0;

		for (size_t i = 0; i < INDICATOR_NAMES; i++) {
			rng = rng * UINT64_C(6364136223846793005) +
			      1442695040888963407u;
			e.names[i] = " ,:a(\0"[(rng >> 40) % (round % 2 ? 6 : 5)];
		}
		for (; event_indicator_next(&e, &at, &v); n++) {
			assert_true(v.spec >= e.names);
			assert_true(v.spec + v.spec_len <= e.names + INDICATOR_NAMES);
			if (v.output != NULL)
				assert_true(v.output + v.output_len <=
					    e.names + INDICATOR_NAMES);
		}
		assert_true(n <= INDICATOR_VALUES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_their_specs_and_outputs),
		cmocka_unit_test(as_json_an_indicator_of_several_outputs_is_an_object),
		cmocka_unit_test(any_bytes_are_walked_within_the_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
