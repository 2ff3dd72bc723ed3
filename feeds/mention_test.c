/* mention_test - what names a symbol, and what only looks like it. */
#include "feeds/mention.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"A",       "AAPL", "ALL",  "BRK",   "BRK.B",
				    "BTC/USD", "IBM",  "MSFT", "RHHBY", "X"};
static const struct mention_known known = {names, sizeof(names) / sizeof(names[0])};

static void list(const struct hist_article *a, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < a->n_symbols; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%.*s", i ? " " : "",
				      SYMBOL_MAX, a->symbols[i]);
}

static const struct {
	const char *text;
	const char *want;
} titles[] = {
	{"", ""},
	{"$AAPL jumps, $MSFT's cloud slows", "AAPL MSFT"},
	{"AAPL jumps; ALL of it", ""},
	{"Apple (NASDAQ: AAPL) beats", "AAPL"},
	{"Apple (Nasdaq:AAPL, MSFT) and (NYSE: BRK.B; OTC: RHHBY)",
	 "AAPL MSFT BRK.B RHHBY"},
	{"Steel (NYSE : X ) up", "X"},
	{"A note (Note: AAPL), (AAPL), (see IBM)", ""},
	{"(NYSE American: IBM) (nyse american: A)", "IBM A"},
	{"$BRK.B, $BRK.", "BRK.B BRK"},
	{"$BRK.C is another class", "BRK"},
	{"$BTC/USD and $AAPL/MSFT", "BTC/USD AAPL"},
	{"US$A 5, $AAPLE, $aapl, $", ""},
	{"costs $5; $$AAPL", "AAPL"},
	{"(NYSE: ", ""},
	{"(NYSE: AAPL", ""},
	{"((NYSE: AAPL))", "AAPL"},
	{"(NYSE:) (:AAPL) (NYSE:,AAPL)", "AAPL"},
	{"$AAPL $AAPL (NASDAQ: AAPL)", "AAPL"},
};

static void titles_name_symbols_by_cashtag_and_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		struct hist_article a = {0};
		char got[256];

		mention_title(&known, titles[i].text, &a);
		list(&a, got, sizeof(got));
		assert_string_equal(got, titles[i].want);
	}
}

static const struct {
	const char *text;
	const char *want;
} categories[] = {{"AAPL", "AAPL"},        {" $AAPL\n", "AAPL"},
		  {"NASDAQ:AAPL", "AAPL"}, {"NYSE: BRK.B", "BRK.B"},
		  {"Technology", ""},      {"aapl", ""},
		  {"XYZ:AAPL", ""},        {"", ""},
		  {"AAPL MSFT", ""}};

static void a_category_is_a_symbol_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
		struct hist_article a = {0};
		char got[256];

		mention_category(&known, categories[i].text, &a);
		list(&a, got, sizeof(got));
		assert_string_equal(got, categories[i].want);
	}
}

static void more_than_an_article_may_name_are_left_out(void **state)
{
	struct hist_article a = {0};
	char name[8];

	(void)state;
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "S%d", i);
		mention_add(&a, name);
		mention_add(&a, name);
	}
	assert_int_equal(a.n_symbols, 32);
	assert_string_equal(a.symbols[31], "S31");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles_name_symbols_by_cashtag_and_exchange),
		cmocka_unit_test(a_category_is_a_symbol_alone),
		cmocka_unit_test(more_than_an_article_may_name_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
