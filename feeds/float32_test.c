/* float32_test - every price of seven digits comes back through a float. */
#include "base/decimal.h"
#include "feeds/float32.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	int64_t want_e9; /* -7: out of range */
} cases[] = {
	{"162.14999389648438", 162150000000},
	{"166.69000244140625", 166690000000},
	{"1286.5699462890625", 1286570000000},
	{"1.1220825910568237", 1122082600},
	{"7194.89208984375", 7194892000000},
	{"97208.171875", 97208170000000},
	{"131", 131000000000},
	{"112.25", 112250000000},
	{"162.15", 162150000000},        /* no float: as it stands */
	{"123456.789", 123456789000000}, /* the same */
	{"123456.7890123456", 123456789012346},
	{"0.12834799289703369", 128348000},
	{"0.0001250000059371814", 125000},
	{"0", 0},
	{"0.0", 0},
	{"-1.2000000476837158", -1200000000},
	{"1.3e1", 13000000000},
	{"1.1999999731779099e-2", 12000000},
	{"1e-30", 0},
	{"16777216.5", 16777216500000000},
	{"1e10", -7},
	{"1e300", -7},
	{"12345678901234567890123", -7},
};

static void a_float_is_read_as_the_price_that_was_meant(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = -1;
		int rc = float32_price(cases[i].text, strlen(cases[i].text), &got);

		if (cases[i].want_e9 == -7 ? rc == DECIMAL_RANGE
					   : rc == 0 && got == cases[i].want_e9)
			continue;
		print_message("# %s: %d %lld\n", cases[i].text, rc, (long long)got);
		failed++;
	}
	assert_int_equal(failed, 0);
	assert_int_equal(float32_price("x", 1, &(int64_t){0}), DECIMAL_SYNTAX);
	assert_int_equal(float32_price("", 0, &(int64_t){0}), DECIMAL_SYNTAX);
}

/* A cent price, as a float, printed as a double, read again: the same cents. */
static void cents_survive_the_way_through_a_float(void **state)
{
	(void)state;
	for (int64_t cents = 1; cents < 10000000; cents += 7) {
		char text[64];
		int64_t got;
		float f = (float)cents / 100.0f;

		(void)snprintf(text, sizeof(text), "%.17g", (double)f);
		assert_int_equal(float32_price(text, strlen(text), &got), 0);
		if (got != cents * 10000000)
			fail_msg("%s: %lld, not %lld cents", text, (long long)got,
				 (long long)cents);
	}
}

/* Against the C library: the shortest text that reads as the same float. */
static void any_float_reads_as_its_shortest_decimal(void **state)
{
	unsigned seed = 5;

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 200000; i++) {
		float f = (float)rand() / (float)RAND_MAX;
		char text[64], want[64];
		int64_t got, shortest;
		int digits = 1;

		f *= (float)(1 << rand() % 17);
		if (f < 0.1f)
			continue;
		(void)snprintf(text, sizeof(text), "%.17g", (double)f);
		do
			(void)snprintf(want, sizeof(want), "%.*g", digits, (double)f);
		while (strtof(want, NULL) != f && digits++ < 9);
		assert_int_equal(float32_price(text, strlen(text), &got), 0);
		assert_int_equal(decimal_parse_exp(want, strlen(want), 9, &shortest),
				 0);
		/* Equally short ones may differ in their last digit. */
		if (got != shortest) {
			char again[DECIMAL_TEXT_MAX];

			(void)decimal_print(again, got, 9);
			if (strtof(again, NULL) != f || strlen(again) > strlen(want))
				fail_msg("%s: %s, not %s", text, again, want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_float_is_read_as_the_price_that_was_meant),
		cmocka_unit_test(cents_survive_the_way_through_a_float),
		cmocka_unit_test(any_float_reads_as_its_shortest_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
