/* barcols_test - bars come back whole; what is damaged is refused and adds nothing;
 * doubles are those of the decimals' text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "proto/barcols.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct hist_bar bars[] = {
	{1700000000000000000, 187250000000, 188000000000, 187000000000, 187500000000,
	 123456700000000, 187333333333, 1234},
	{1700000060000000000, -1, 0, 1, INT64_MAX, VALUE_NULL, VALUE_NULL, VALUE_NULL},
	{-1, INT64_MIN + 1, 7, 8, 9, 10, 11, 0},
};
#define BARS (sizeof(bars) / sizeof(bars[0]))

static bool scan(const char *text, size_t len, struct json_token *out)
{
	struct json_scan s = {.at = text, .end = text + len, .is_strict = true};

	return json_scan_value(&s, out);
}

static void write_bars(struct buf *out, size_t n)
{
	struct jsonw w;

	out->len = 0;
	jsonw_init(&w, out);
	barcols_write(&w, NULL, bars, n);
}

static void bars_come_back(void **state)
{
	struct buf text = {0}, back = {0};
	struct json_token t;

	(void)state;
	for (size_t n = 0; n <= BARS; n++) {
		size_t before = back.len;

		write_bars(&text, n);
		assert_true(scan((const char *)text.data, text.len, &t));
		assert_int_equal(text.len, t.len);
		assert_int_equal(0, barcols_read(&t, &back));
		assert_int_equal(n * sizeof(bars[0]), back.len - before);
		assert_memory_equal(bars, back.data + before, n * sizeof(bars[0]));
	}
	buf_free(&text);
	buf_free(&back);
}

static void nonsense_adds_nothing(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"time_ns\":[1]}",
		/* a column is missing, is there twice, is longer, is shorter */
		"{\"time_ns\":[1],\"open_e9\":[1],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1]}",
		"{\"time_ns\":[1],\"open_e9\":[1],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"vwap_e9\":[1]}",
		"{\"time_ns\":[1],\"open_e9\":[1],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"trades\":[1,2]}",
		"{\"time_ns\":[1,2],\"open_e9\":[1],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"trades\":[1]}",
		"{\"time_ns\":[1],\"open_e9\":[],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"trades\":[1]}",
		"{\"time_ns\":[1],\"open_e9\":[1.5],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"trades\":[1]}",
		"{\"time_ns\":[9223372036854775808],\"open_e9\":[1],\"high_e9\":[1],"
		"\"low_e9\":[1],\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],"
		"\"trades\":[1]}",
		"{\"time_ns\":[1],\"open_e9\":[\"1\"],\"high_e9\":[1],\"low_e9\":[1],"
		"\"close_e9\":[1],\"volume_e8\":[1],\"vwap_e9\":[1],\"trades\":[1]}",
	};
	struct buf back = {0};
	struct json_token t;

	(void)state;
	buf_add(&back, &bars[0], sizeof(bars[0]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(scan(bad[i], strlen(bad[i]), &t));
		assert_true(barcols_read(&t, &back) < 0);
		assert_int_equal(sizeof(bars[0]), back.len);
	}
	buf_free(&back);
}

/* One byte of a good text is another: it is read as other bars, or refused. */
static void damaged_texts_are_read_whole_or_not(void **state)
{
	struct buf text = {0}, back = {0};
	struct json_token t;

	(void)state;
	write_bars(&text, BARS);
	for (size_t i = 0; i < text.len; i++) {
		static const char other[] = "0]}[{,\"-n x";
		uint8_t was = text.data[i];

		for (size_t k = 0; k + 1 < sizeof(other); k++) {
			text.data[i] = (uint8_t)other[k];
			back.len = 0;
			if (scan((const char *)text.data, text.len, &t) &&
			    barcols_read(&t, &back) == 0)
				assert_int_equal(0, back.len % sizeof(bars[0]));
			else
				assert_int_equal(0, back.len);
		}
		text.data[i] = was;
	}
	buf_free(&text);
	buf_free(&back);
}

static void same_double(int64_t value, unsigned scale, double got)
{
	char text[DECIMAL_TEXT_MAX + 1];
	double want;

	text[decimal_print(text, value, scale)] = '\0';
	want = strtod(text, NULL);
	assert_memory_equal(&want, &got, sizeof(want));
}

static void doubles_are_those_of_the_text(void **state)
{
	uint64_t x = 88172645463325252u;

	(void)state;
	assert_true(isnan(barcols_price(VALUE_NULL)) &&
		    isnan(barcols_size(VALUE_NULL)));
	same_double(0, 9, barcols_price(0));
	same_double(INT64_MAX, 9, barcols_price(INT64_MAX));
	same_double(INT64_MIN + 1, 8, barcols_size(INT64_MIN + 1));
	for (unsigned i = 0; i < 200000; i++) {
		int64_t v;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = (int64_t)(x >> (i % 62));
		if (v == VALUE_NULL)
			continue;
		same_double(v, 9, barcols_price(v));
		same_double(-v, 8, barcols_size(-v));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_come_back),
		cmocka_unit_test(nonsense_adds_nothing),
		cmocka_unit_test(damaged_texts_are_read_whole_or_not),
		cmocka_unit_test(doubles_are_those_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
