/* webref_test - the examples of RFC 3986, 5.4; the results are Python's urljoin(). */
#include "feeds/webref.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char base[] = "http://a/b/c/d;p?q";

static const struct {
	const char *link;
	const char *want;
} links[] = {
	{"g", "http://a/b/c/g"},
	{"./g", "http://a/b/c/g"},
	{"g/", "http://a/b/c/g/"},
	{"/g", "http://a/g"},
	{"//g", "http://g"},
	{"?y", "http://a/b/c/d;p?y"},
	{"g?y", "http://a/b/c/g?y"},
	{"#s", "http://a/b/c/d;p?q#s"},
	{"g#s", "http://a/b/c/g#s"},
	{"g?y#s", "http://a/b/c/g?y#s"},
	{";x", "http://a/b/c/;x"},
	{"g;x", "http://a/b/c/g;x"},
	{"", "http://a/b/c/d;p?q"},
	{".", "http://a/b/c/"},
	{"./", "http://a/b/c/"},
	{"..", "http://a/b/"},
	{"../", "http://a/b/"},
	{"../g", "http://a/b/g"},
	{"../..", "http://a/"},
	{"../../", "http://a/"},
	{"../../g", "http://a/g"},
	{"../../../g", "http://a/g"},
	{"/./g", "http://a/g"},
	{"/../g", "http://a/g"},
	{"g.", "http://a/b/c/g."},
	{".g", "http://a/b/c/.g"},
	{"..g", "http://a/b/c/..g"},
	{"./../g", "http://a/b/g"},
	{"./g/.", "http://a/b/c/g/"},
	{"g/./h", "http://a/b/c/g/h"},
	{"g/../h", "http://a/b/c/h"},
	{"g;x=1/../y", "http://a/b/c/y"},
	{"g?y/../x", "http://a/b/c/g?y/../x"},
	{"g#s/../x", "http://a/b/c/g#s/../x"},
	{"https://x/y/../z", "https://x/y/../z"},
};

static void links_are_made_whole(void **state)
{
	char out[WEBREF_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		assert_true(webref_resolve(base, links[i].link, out, sizeof(out)));
		assert_string_equal(out, links[i].want);
	}
	assert_true(webref_resolve("https://h.example", " a/b\n", out, sizeof(out)));
	assert_string_equal(out, "https://h.example/a/b");
	assert_true(webref_resolve("", "HTTPS://h.example/x", out, sizeof(out)));
}

static void what_no_browser_should_open_is_refused(void **state)
{
	static const char *const bad[] = {"javascript:alert(1)",
					  "http:g",
					  "ftp://a/b",
					  "http://",
					  "https:///x",
					  "a b",
					  "a\"b",
					  "a<b",
					  "\x01"};
	char out[WEBREF_MAX], small[20];
	char large[WEBREF_MAX + 10];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(webref_resolve(base, bad[i], out, sizeof(out)));
		assert_string_equal(out, "");
	}
	assert_false(webref_resolve("", "a/b", out, sizeof(out)));
	assert_false(
		webref_resolve(base, "12345678901234567890", small, sizeof(small)));
	memset(large, 'a', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	assert_false(webref_resolve(base, large, out, sizeof(out)));
	large[WEBREF_MAX - 10] = '\0';
	assert_false(webref_resolve(base, large, out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_made_whole),
		cmocka_unit_test(what_no_browser_should_open_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
