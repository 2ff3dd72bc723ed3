/* plaintext_test - HTML undone, and what only looks like it left alone. */
#include "base/plaintext.h"
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *html;
	const char *want;
} cases[] = {
	{"", ""},
	{"plain", "plain"},
	{"Waymo&#39;s chief", "Waymo's chief"},
	{"&ldquo;Hi&rdquo; &#x20AC;5&nbsp;&amp;&#160;more",
	 "\xe2\x80\x9cHi\xe2\x80\x9d \xe2\x82\xac"
	 "5 & more"},
	{"\n\n <p>One</p>\r\n<p class=\"x\">two<br/>three</p> ", "One two three"},
	{"P/E < 5 and > 3, AT&T; &unknown; &;", "P/E < 5 and > 3, AT&T; &unknown; &;"},
	{"a <b", "a <b"},
	{"&#0;&#1;&#xd800;&#1114112;&#x;&#;", "&#0;&#1;&#xd800;&#1114112;&#x;&#;"},
	{"&amp;lt;", "&lt;"},
	{"Caf&eacute; &frac12; &zwnj;", "Caf\xc3\xa9 \xc2\xbd \xe2\x80\x8c"},
	{"&#150; &#x80;5 &#129;", "\xe2\x80\x93 \xe2\x82\xac"
				  "5 &#129;"},
	{"&e; &am; &ampx; &Aacut;", "&e; &am; &ampx; &Aacut;"},
	{"&#128512;!", "\xf0\x9f\x98\x80!"},
	{"<!-- note --> x", "x"},
};

static void html_becomes_what_a_reader_sees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%s", cases[i].html);
		assert_int_equal(plaintext(text), strlen(cases[i].want));
		assert_string_equal(text, cases[i].want);
	}
}

static void escapes_of_escapes_are_undone_to_the_end(void **state)
{
	char text[] = "Don&amp;amp;#39;t &amp;lt;b&amp;gt;panic";
	char deep[] = "&amp;amp;amp;amp;amp;amp;amp;lt;";

	(void)state;
	assert_int_equal(plaintext_all(text), strlen("Don't panic"));
	assert_string_equal(text, "Don't panic");
	(void)plaintext_all(deep); /* it ends */
	assert_string_equal(deep, "&amp;amp;lt;");
}

static void any_bytes_stay_within_their_length(void **state)
{
	static const char alphabet[] = "&#x;<>/abp 39\n\xc3\xa4";
	unsigned seed = 7;

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)(rand() % 40), n;
		char *text = malloc(len + 1);

		assert_non_null(text);
		for (size_t k = 0; k < len; k++)
			text[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		n = plaintext(text);
		assert_true(n <= len);
		assert_int_equal(strlen(text), n);
		free(text);
	}
}

static void a_cut_never_splits_a_character(void **state)
{
	char out[8];

	(void)state;
	plaintext_cut("abcd\xe2\x82\xac", out, sizeof(out));
	assert_string_equal(out, "abcd\xe2\x82\xac");
	plaintext_cut("abcde\xe2\x82\xac", out, sizeof(out));
	assert_string_equal(out, "abcde");
	plaintext_cut("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", out, sizeof(out));
	assert_string_equal(out, "\xf0\x9f\x98\x80");
	plaintext_cut("", out, 1);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_becomes_what_a_reader_sees),
		cmocka_unit_test(escapes_of_escapes_are_undone_to_the_end),
		cmocka_unit_test(any_bytes_stay_within_their_length),
		cmocka_unit_test(a_cut_never_splits_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
