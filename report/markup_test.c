/* Tests of markup.h: what may stand in a page. */
#include "report/markup.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_text(const char *text, const char *want)
{
	struct buf out = {0};

	markup_text(&out, text);
	assert_string_equal(buf_text(&out), want);
	buf_free(&out);
}

static void text_cannot_become_markup(void **state)
{
	(void)state;
	expect_text("", "");
	expect_text("a<b>&\"c\"'d'", "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;");
	expect_text("&amp;", "&amp;amp;");
	expect_text("caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac");
	/* Controls, an overlong '<', a surrogate, a cut sequence. */
	expect_text("a\x07\x7f", "a\xef\xbf\xbd\xef\xbf\xbd");
	expect_text("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_text("x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd");
}

/* Random bytes: what comes out has no character that ends a text or an attribute. */
static void no_bytes_at_all_can(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		char text[64];
		struct buf out = {0};
		size_t n = (size_t)random() % sizeof(text);

		for (size_t i = 0; i < n; i++)
			text[i] = (char)(1 + random() % 255);
		text[n > 0 ? n - 1 : 0] = '\0';
		markup_text(&out, text);
		assert_null(strpbrk(buf_text(&out), "<>\"'"));
		buf_free(&out);
	}
}

static void links_are_http_alone(void **state)
{
	(void)state;
	assert_true(markup_is_link("https://news.example/a?b=1&c='2'"));
	assert_true(markup_is_link("http://x"));
	assert_false(markup_is_link("javascript:alert(1)"));
	assert_false(markup_is_link("JAVASCRIPT:alert(1)"));
	assert_false(markup_is_link(" https://x"));
	assert_false(markup_is_link("https://x y"));
	assert_false(markup_is_link("https://x\n"));
	assert_false(markup_is_link("//evil.example"));
	assert_false(markup_is_link("data:text/html,x"));
	assert_false(markup_is_link(""));
}

static void numbers_are_short_and_have_no_sign_of_nothing(void **state)
{
	static const struct {
		double v;
		int digits;
		bool sign;
		const char *want;
	} cases[] = {{1.25, 1, false, "1.2"},
		     {-0.001, 2, true, "0.00"},
		     {0, 2, true, "0.00"},
		     {0.006, 2, true, "+0.01"},
		     {-3, 0, false, "-3"},
		     {NAN, 2, true, "\xe2\x80\x93"},
		     {INFINITY, 2, false, "\xe2\x80\x93"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = {0};

		markup_number(&out, cases[i].v, cases[i].digits, cases[i].sign);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_free(&out);
	}
}

static void prices_have_digits_as_they_need(void **state)
{
	static const struct {
		double v;
		const char *want;
	} cases[] = {{0.00001234, "0.00001234"},
		     {0.5, "0.5000"},
		     {12.345, "12.35"},
		     {-9999.99, "-9999.99"},
		     {10000, "10,000.00"},
		     {-123456.7, "-123,456.70"},
		     {1234567.891, "1,234,567.89"},
		     {NAN, "\xe2\x80\x93"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = {0};

		markup_price(&out, cases[i].v);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_free(&out);
	}
}

static void amounts_have_units(void **state)
{
	static const struct {
		double v;
		const char *want;
	} cases[] = {{0, "0"},         {999, "999"},    {1000, "1.0k"},
		     {99949, "99.9k"}, {99960, "100k"}, {999600, "1.0M"},
		     {1.5e9, "1.5G"},  {-2500, "-2.5k"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = {0};

		markup_amount(&out, cases[i].v);
		assert_string_equal(buf_text(&out), cases[i].want);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cannot_become_markup),
		cmocka_unit_test(no_bytes_at_all_can),
		cmocka_unit_test(links_are_http_alone),
		cmocka_unit_test(numbers_are_short_and_have_no_sign_of_nothing),
		cmocka_unit_test(prices_have_digits_as_they_need),
		cmocka_unit_test(amounts_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
