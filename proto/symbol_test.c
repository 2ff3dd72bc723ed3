#include "proto/event.h"
#include "proto/symbol.h"
#include "proto/timeframe.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define VALID(s)  assert_true(symbol_valid(s, strlen(s)))
#define REFUSE(s) assert_false(symbol_valid(s, strlen(s)))

static void symbols_are_upper_case_words_of_1_to_32(void **state)
{
	(void)state;
	VALID("A");
	VALID("BRK.B");
	VALID("BTC/USD");
	VALID("X:EUR-USD_1");
	VALID("...");
	VALID("EURUSD=X");
	VALID("100%");
	VALID("12345678901234567890123456789012");
	REFUSE("");
	REFUSE(".");
	REFUSE("..");
	REFUSE("aapl");
	REFUSE("A B");
	REFUSE("A|");
	REFUSE("\xc3\x84");
	REFUSE("123456789012345678901234567890123");
	assert_false(symbol_valid("A\0B", 3));
}

static void sources_are_lower_case_words_of_1_to_16(void **state)
{
	(void)state;
	assert_true(source_valid("sim-1.x_y", 9));
	assert_true(source_valid("1234567890123456", 16));
	assert_false(source_valid("12345678901234567", 17));
	assert_false(source_valid("", 0));
	assert_false(source_valid("Sim", 3));
	assert_false(source_valid("a/b", 3));
}

static void goes_to(const char *symbol, const char *path)
{
	char out[3 * SYMBOL_MAX + 1];
	char back[SYMBOL_MAX + 1];

	assert_int_equal(symbol_path(symbol, strlen(symbol), out), strlen(path));
	assert_string_equal(out, path);
	assert_true(symbol_unpath(out, back));
	assert_string_equal(back, symbol);
}

static void paths_come_back_and_never_leave_their_folder(void **state)
{
	char out[SYMBOL_MAX + 1];

	(void)state;
	goes_to("AAPL", "AAPL");
	goes_to("BRK.B", "BRK.B");
	goes_to("BTC/USD", "BTC%2FUSD");
	goes_to("...", "%2E..");
	goes_to("EURUSD=X", "EURUSD%3DX");
	goes_to("A%2FB", "A%252FB"); /* another symbol than A/B */
	goes_to("%", "%25");
	goes_to("////////////////////////////////",
		"%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F"
		"%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F");
	assert_false(symbol_unpath("", out));
	assert_false(symbol_unpath("..", out));
	assert_false(symbol_unpath("A/B", out));
	assert_false(symbol_unpath("A%2", out));
	assert_false(symbol_unpath("A%2f", out)); /* one spelling only */
	assert_false(symbol_unpath("A%2E", out)); /* a dot inside needs no escape */
	assert_false(symbol_unpath("A%41", out));
	assert_false(symbol_unpath("A=B", out));
	assert_false(symbol_unpath("%2E", out));
	assert_false(symbol_unpath("123456789012345678901234567890123", out));
}

static void fields_need_no_nul(void **state)
{
	char full[SYMBOL_MAX];

	(void)state;
	memset(full, 'A', sizeof(full));
	assert_int_equal(symbol_field_len(full, SYMBOL_MAX), SYMBOL_MAX);
	assert_int_equal(symbol_field_len("AB\0\0", 4), 2);
}

static void timeframes_are_a_closed_list(void **state)
{
	static const char *const all[] = {"1s",  "5s", "10s", "15s", "30s",
					  "1m",  "2m", "5m",  "10m", "15m",
					  "30m", "1h", "2h",  "4h",  "1d"};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint32_t s = timeframe_parse(all[i], strlen(all[i]));

		assert_int_not_equal(s, 0);
		assert_string_equal(timeframe_name(s), all[i]);
	}
	assert_int_equal(timeframe_parse("1m", 2), 60);
	assert_int_equal(timeframe_parse("1d", 2), 86400);
	assert_int_equal(timeframe_parse("7m", 2), 0);
	assert_int_equal(timeframe_parse("1mm", 3), 0);
	assert_int_equal(timeframe_parse("", 0), 0);
	assert_string_equal(timeframe_name(61), "?");
}

static void every_kind_is_found_by_both_names(void **state)
{
	(void)state;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		const char *name = event_kind_name(k), *word = event_kind_word(k);

		assert_int_equal(event_kind_parse(name, strlen(name)), k);
		assert_int_equal(event_kind_parse(word, strlen(word)), k);
	}
	assert_int_equal(event_kind_parse("ticks", 5), EVENT_KINDS);
	assert_string_equal(event_kind_name(EVENT_KINDS), "?");
}

static void every_number_has_one_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TIER1_N; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(tier1_name(i), tier1_name(j));
	assert_string_equal(tier1_name(TIER1_ATR_14), "atr_14");
	assert_string_equal(reject_name(REJECT_MALFORMED), "malformed");
	assert_string_equal(reject_name(REJECT_N), "?");
	assert_string_equal(symbol_state_name(SYMBOL_FAULT), "fault");
	assert_string_equal(symbol_state_name(200), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols_are_upper_case_words_of_1_to_32),
		cmocka_unit_test(sources_are_lower_case_words_of_1_to_16),
		cmocka_unit_test(paths_come_back_and_never_leave_their_folder),
		cmocka_unit_test(fields_need_no_nul),
		cmocka_unit_test(timeframes_are_a_closed_list),
		cmocka_unit_test(every_kind_is_found_by_both_names),
		cmocka_unit_test(every_number_has_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
