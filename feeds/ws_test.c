/* The keeper of libwebsockets against servers that are written by hand, byte by byte.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/ws.h"
#include "feeds/ws_server_test.h"
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the client's side ---- */

struct client {
	struct ws_pool *pool;
	struct ws *ws;
	unsigned opened, closed;
	struct buf got;   /* messages, each ended by a '|' */
	const char *says; /* when it is open */
	int refuse;       /* what input() returns */
	char why[300];
};

static void on_open(void *arg)
{
	struct client *c = arg;

	c->opened++;
	if (c->says != NULL)
		assert_int_equal(ws_send(c->ws, c->says, strlen(c->says)), 0);
}

static int on_input(void *arg, const char *data, size_t len)
{
	struct client *c = arg;

	buf_add(&c->got, data, len);
	buf_add(&c->got, "|", 1);
	return c->refuse;
}

static void on_closed(void *arg, const char *why)
{
	struct client *c = arg;

	c->closed++;
	(void)snprintf(c->why, sizeof(c->why), "%s", why);
}

static void dial(struct client *c, const struct ws_params *p, const char *url)
{
	const struct ws_handler h = {c, on_open, on_input, on_closed};

	const struct ws_target to = {.url = url, .plain_allowed = true};

	assert_int_equal(ws_pool_new(p, &c->pool), 0);
	assert_int_equal(ws_dial(c->pool, &to, &h, &c->ws), 0);
}

/* Until it is closed, or has so many bytes, or time is up. */
static void run(struct client *c, size_t bytes)
{
	int64_t end = clock_mono_ns() + 10 * NS_PER_S;

	while (c->closed == 0 && ws_count(c->pool) > 0 &&
	       (bytes == 0 || c->got.len < bytes) && clock_mono_ns() < end)
		ws_step(c->pool, 20 * NS_PER_MS);
	assert_true(clock_mono_ns() < end);
}

static void hang(struct client *c)
{
	ws_pool_free(c->pool);
	buf_free(&c->got);
}

static const struct ws_params plain = {0};

static void meet(struct client *c, struct server *s, size_t bytes)
{
	char url[64];

	server_start(s);
	(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/v2/test",
		       s->is_tcp ? "tcp" : "ws", s->port);
	dial(c, &plain, url);
	run(c, bytes);
}

static void messages_arrive_whole(void **state)
{
	/* "one"; "two" in two frames with a ping between; "" */
	static const uint8_t bytes[] = {0x81, 3,    'o', 'n', 'e',  0x01, 1,
					't',  0x89, 1,   '!', 0x80, 2,    'w',
					'o',  0x81, 3,   'e', 'n',  'd'};
	struct server s = {.bytes = bytes, .len = sizeof(bytes)};
	struct client c = {.says = "hello"};

	(void)state;
	meet(&c, &s, strlen("one|two|end|"));
	assert_int_equal(c.opened, 1);
	assert_string_equal(buf_text(&c.got), "one|two|end|");
	assert_non_null(strstr(buf_text(&s.request), "GET /v2/test HTTP/1.1"));
	assert_null(strcasestr(buf_text(&s.request), "extensions"));
	hang(&c);
	server_stop(&s);
}

static void what_is_sent_arrives_as_one_masked_text_message(void **state)
{
	static const char text[] = "{\"action\":\"subscribe\"}";
	struct server s = {.reads = 6 + sizeof(text) - 1};
	struct client c = {.says = text};

	(void)state;
	meet(&c, &s, 0);
	assert_int_equal(c.closed, 1);
	pthread_join(s.thread, NULL);
	assert_int_equal(s.heard.len, s.reads);
	assert_int_equal(s.heard.data[0], 0x81);
	assert_int_equal(s.heard.data[1], 0x80 | (sizeof(text) - 1));
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(s.heard.data[6 + i] ^ s.heard.data[2 + i % 4],
				 (uint8_t)text[i]);
	s.thread = pthread_self();
	hang(&c);
	close(s.listener);
	buf_free(&s.request);
	buf_free(&s.heard);
}

static void bytes_of_plain_tcp_come_and_go(void **state)
{
	static const uint8_t bytes[] = "lsg_version=1\ncram=abc\n";
	struct server s = {
		.is_tcp = true, .bytes = bytes, .len = sizeof(bytes) - 1, .reads = 5};
	struct client c = {.says = "auth\n"};

	(void)state;
	meet(&c, &s, 0);
	assert_int_equal(c.opened, 1);
	assert_int_equal(c.closed, 1);
	assert_memory_equal(c.got.data, bytes, 10);
	hang(&c);
	pthread_join(s.thread, NULL);
	assert_int_equal(s.heard.len, 5);
	assert_memory_equal(s.heard.data, "auth\n", 5);
	close(s.listener);
	buf_free(&s.heard);
}

static void a_message_that_is_too_long_ends_its_connection_alone(void **state)
{
	/* A frame that announces 2^40 bytes, and begins to send them. */
	static uint8_t huge[80000] = {0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0, 'x', 'x'};
	static const uint8_t good[] = {0x81, 2, 'o', 'k'};
	struct server bad = {.bytes = huge, .len = sizeof(huge)};
	struct server fine = {.bytes = good, .len = sizeof(good)};
	struct client c = {0}, other = {0};
	const struct ws_handler h = {&other, on_open, on_input, on_closed};
	char url[64];
	const struct ws_target to = {.url = url, .plain_allowed = true};

	(void)state;
	server_start(&bad);
	server_start(&fine);
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", bad.port);
	dial(&c, &plain, url);
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", fine.port);
	assert_int_equal(ws_dial(c.pool, &to, &h, &other.ws), 0);
	run(&c, 0);
	assert_int_equal(c.closed, 1);
	assert_non_null(strstr(c.why, "more than 8388608 bytes"));
	other.pool = c.pool;
	run(&other, 3);
	assert_string_equal(buf_text(&other.got), "ok|");
	assert_int_equal(other.closed, 0);
	hang(&c);
	buf_free(&other.got);
	server_stop(&bad);
	server_stop(&fine);
}

static void many_pieces_are_too_long_as_well(void **state)
{
	struct ws_params small = {.message_max = 100};
	uint8_t bytes[400];
	struct server s = {.bytes = bytes, .len = 0};
	struct client c = {0};
	char url[64];

	(void)state;
	for (int i = 0; i < 12; i++) {
		bytes[s.len++] = i == 0 ? 0x01 : 0x00; /* never the last one */
		bytes[s.len++] = 10;
		memset(bytes + s.len, 'y', 10);
		s.len += 10;
	}
	server_start(&s);
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", s.port);
	dial(&c, &small, url);
	run(&c, 0);
	assert_int_equal(c.got.len, 0);
	assert_non_null(strstr(c.why, "more than 100 bytes"));
	hang(&c);
	server_stop(&s);
}

static void meet_rubbish(const char *answer, const uint8_t *bytes, size_t len,
			 const char *why)
{
	struct server s = {
		.answer = answer, .bytes = bytes, .len = len, .closes = true};
	struct client c = {0};

	meet(&c, &s, 0);
	assert_int_equal(c.closed, 1);
	assert_int_equal(c.got.len, 0);
	if (strstr(c.why, why) == NULL)
		print_message("# '%s' is not '%s'\n", c.why, why);
	assert_non_null(strstr(c.why, why));
	hang(&c);
	server_stop(&s);
}

static void rubbish_ends_the_connection_with_a_sentence(void **state)
{
	static const uint8_t compressed[] = {0xc1, 3, 'a', 'b', 'c'};
	static const uint8_t opcode[] = {0x83, 1, 'a'};
	static const uint8_t goodbye[] = {0x88, 5, 0x0f, 0xa0, 'b', 'y', 'e'};

	(void)state;
	meet_rubbish("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n", NULL,
		     0, "redirect: not followed");
	meet_rubbish("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", NULL, 0,
		     "HS:");
	meet_rubbish("SSH-2.0-OpenSSH_9.2\r\n\r\n", NULL, 0, "");
	meet_rubbish("", NULL, 0, "");
	meet_rubbish(NULL, compressed, sizeof(compressed), "");
	meet_rubbish(NULL, opcode, sizeof(opcode), "");
	meet_rubbish(NULL, goodbye, sizeof(goodbye), "code 4000: bye");
}

static bool refuse_all(const struct sockaddr *to, size_t len)
{
	(void)to;
	(void)len;
	return true;
}

static void a_private_address_is_refused_before_a_byte_is_sent(void **state)
{
	struct server s = {0};
	struct client c = {.says = "key"};
	const struct ws_handler h = {&c, on_open, on_input, on_closed};
	char url[64];
	const struct ws_target to = {
		.url = url, .plain_allowed = true, .refuse = refuse_all};

	(void)state;
	server_start(&s);
	(void)snprintf(url, sizeof(url), "ws://localhost:%u/", s.port);
	assert_int_equal(ws_pool_new(&plain, &c.pool), 0);
	assert_int_equal(ws_dial(c.pool, &to, &h, &c.ws), 0);
	run(&c, 0);
	assert_non_null(strstr(c.why, "a private address: refused"));
	assert_int_equal(c.opened, 0);
	hang(&c);
	shutdown(s.listener, SHUT_RDWR);
	pthread_join(s.thread, NULL);
	assert_int_equal(s.request.len, 0);
	close(s.listener);
}

static void no_name_and_no_listener_are_said(void **state)
{
	struct client c = {0}, d = {0};
	struct server s = {0};
	char url[64];

	(void)state;
	dial(&c, &plain, "ws://no-such-host.invalid/");
	run(&c, 0);
	assert_non_null(strstr(c.why, "no-such-host.invalid"));
	hang(&c);
	server_start(&s);
	shutdown(s.listener, SHUT_RDWR);
	pthread_join(s.thread, NULL);
	close(s.listener);
	(void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", s.port);
	dial(&d, &plain, url);
	run(&d, 0);
	assert_int_equal(d.closed, 1);
	assert_true(d.why[0] != '\0');
	hang(&d);
}

static void a_proxy_of_the_environment_is_not_obeyed(void **state)
{
	static const uint8_t good[] = {0x81, 2, 'o', 'k'};
	struct server s = {.bytes = good, .len = sizeof(good)};
	struct client c = {0};

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	meet(&c, &s, 3);
	unsetenv("http_proxy");
	assert_string_equal(buf_text(&c.got), "ok|");
	hang(&c);
	server_stop(&s);
}

static void who_refuses_input_is_not_told_of_the_end(void **state)
{
	static const uint8_t good[] = {0x81, 2, 'o', 'k', 0x81, 2, 'n', 'o'};
	struct server s = {.bytes = good, .len = sizeof(good)};
	struct client c = {.refuse = -1};

	(void)state;
	meet(&c, &s, 0);
	assert_string_equal(buf_text(&c.got), "ok|");
	assert_int_equal(c.closed, 0);
	assert_int_equal(ws_count(c.pool), 0);
	hang(&c);
	server_stop(&s);
}

static void a_connection_that_pauses_loses_nothing(void **state)
{
	static uint8_t bytes[800000];
	struct server s = {.bytes = bytes};
	struct client c = {0};
	int64_t end;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		bytes[s.len++] = 0x81;
		bytes[s.len++] = 2;
		bytes[s.len++] = (uint8_t)('a' + i % 26);
		bytes[s.len++] = (uint8_t)('a' + i / 26 % 26);
	}
	meet(&c, &s, 3);
	ws_pause(c.ws, true);
	end = clock_mono_ns() + 200 * NS_PER_MS;
	while (clock_mono_ns() < end)
		ws_step(c.pool, 20 * NS_PER_MS);
	assert_true(c.got.len < 600000);
	ws_pause(c.ws, false);
	run(&c, 600000);
	for (int i = 0; i < 200000; i++) {
		assert_int_equal(c.got.data[i * 3], 'a' + i % 26);
		assert_int_equal(c.got.data[i * 3 + 1], 'a' + i / 26 % 26);
	}
	hang(&c);
	server_stop(&s);
}

static void *wake_soon(void *arg)
{
	ws_wake(arg);
	return NULL;
}

static void a_wait_can_be_ended_by_another_thread(void **state)
{
	struct ws_pool *p;
	pthread_t t;
	int64_t from = clock_mono_ns();

	(void)state;
	assert_int_equal(ws_pool_new(&plain, &p), 0);
	pthread_create(&t, NULL, wake_soon, p);
	/* The first may be ended by the library's own affairs. */
	for (int i = 0; i < 2 && clock_mono_ns() - from < 5 * NS_PER_S; i++)
		ws_step(p, i == 0 ? 3 * NS_PER_S : 0);
	assert_true(clock_mono_ns() - from < 3 * NS_PER_S);
	pthread_join(t, NULL);
	ws_pool_free(p);
}

static void a_wait_that_is_over_at_once_does_not_hang(void **state)
{
	static const uint8_t good[] = {0x81, 2, 'o', 'k'};
	struct server s = {.bytes = good, .len = sizeof(good)};
	struct client c = {0};
	int64_t from;

	(void)state;
	/* With a connection the library has timers of its own, seconds away. */
	meet(&c, &s, 3);
	from = clock_mono_ns();
	for (int i = 0; i < 2000; i++)
		ws_step(c.pool, i % 2);
	assert_true(clock_mono_ns() - from < 4 * NS_PER_S);
	hang(&c);
	server_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole),
		cmocka_unit_test(what_is_sent_arrives_as_one_masked_text_message),
		cmocka_unit_test(bytes_of_plain_tcp_come_and_go),
		cmocka_unit_test(a_message_that_is_too_long_ends_its_connection_alone),
		cmocka_unit_test(many_pieces_are_too_long_as_well),
		cmocka_unit_test(rubbish_ends_the_connection_with_a_sentence),
		cmocka_unit_test(a_private_address_is_refused_before_a_byte_is_sent),
		cmocka_unit_test(no_name_and_no_listener_are_said),
		cmocka_unit_test(a_proxy_of_the_environment_is_not_obeyed),
		cmocka_unit_test(who_refuses_input_is_not_told_of_the_end),
		cmocka_unit_test(a_connection_that_pauses_loses_nothing),
		cmocka_unit_test(a_wait_can_be_ended_by_another_thread),
		cmocka_unit_test(a_wait_that_is_over_at_once_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
