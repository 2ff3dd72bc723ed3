/* A stream's address is understood as a whole or refused with a sentence. */
#include "base/err.h"
#include "feeds/ws_url.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void an_address_is_taken_apart(void **state)
{
	struct ws_url u;

	(void)state;
	assert_int_equal(ws_url_read("wss://a.example/v2/sip", false, &u), 0);
	assert_true(u.is_websocket);
	assert_true(u.is_tls);
	assert_string_equal(u.host, "a.example");
	assert_string_equal(u.host_header, "a.example");
	assert_int_equal(u.port, 443);
	assert_string_equal(u.path, "/v2/sip");

	assert_int_equal(ws_url_read("ws://127.0.0.1:8080", true, &u), 0);
	assert_false(u.is_tls);
	assert_int_equal(u.port, 8080);
	assert_string_equal(u.host_header, "127.0.0.1:8080");
	assert_string_equal(u.path, "/");

	assert_int_equal(ws_url_read("tcp://xnas-itch.example:13000", false, &u), 0);
	assert_false(u.is_websocket);
	assert_int_equal(u.port, 13000);

	assert_int_equal(ws_url_read("ws://[::1]:9/x", true, &u), 0);
	assert_string_equal(u.host, "::1");
	assert_string_equal(u.host_header, "[::1]:9");
	assert_int_equal(u.port, 9);
	assert_int_equal(ws_url_read("wss://[::1]", true, &u), 0);
	assert_int_equal(u.port, 443);
}

static void a_bad_address_is_refused_with_a_sentence(void **state)
{
	static const char *const bad[] = {
		"",
		"a.example",
		"http://a.example/",
		"wss://",
		"wss:///path",
		"wss://:443/",
		"tcp://a.example",
		"tcp://a.example:",
		"tcp://a.example:0",
		"tcp://a.example:65536",
		"tcp://a.example:123456",
		"tcp://a.example:12x",
		"tcp://a.example:-1",
		"wss://[::1",
		"wss://[::1]x",
		"wss://[]:1",
		"wss://user@a.example/",
		"wss://user:password@a.example/",
		"wss://a.example/a b",
		"wss://a.example/\r\nHost: b",
		"wss://a.example/\xc3\xa9",
	};
	struct ws_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(ws_url_read(bad[i], true, &u) < 0);
		assert_non_null(strstr(err_text(), "the stream's address"));
	}
}

static void an_unencrypted_one_must_be_allowed(void **state)
{
	struct ws_url u;

	(void)state;
	assert_true(ws_url_read("ws://a.example/", false, &u) < 0);
	assert_int_equal(ws_url_read("ws://a.example/", true, &u), 0);
}

static void what_is_too_long_is_refused(void **state)
{
	char url[1024] = "wss://";
	struct ws_url u;

	(void)state;
	memset(url + 6, 'a', 300);
	assert_true(ws_url_read(url, true, &u) < 0);
	memset(url, 0, sizeof(url));
	memcpy(url, "wss://a/", 8);
	memset(url + 8, 'a', 600);
	assert_true(ws_url_read(url, true, &u) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_taken_apart),
		cmocka_unit_test(a_bad_address_is_refused_with_a_sentence),
		cmocka_unit_test(an_unencrypted_one_must_be_allowed),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
