/*
 * splink_test - a link against a peer written by hand: every split of the bytes, every
 * kind of nonsense, and what is left behind (nothing).
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/splink.h"
#include "client/url_test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t pub[8] = {0, 'S', 'P', 0, 0, 0x20, 0, 0};
static const uint8_t sub[8] = {0, 'S', 'P', 0, 0, 0x21, 0, 0};

/* A listener on 127.0.0.1 or on a path, and the peer that was accepted. */
struct peer {
	int listener;
	int fd;
	char url[URL_TEST_MAX];
};

static void listen_tcp(struct peer *p)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	p->fd = -1;
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(0, bind(p->listener, (void *)&a, sizeof(a)));
	assert_int_equal(0, listen(p->listener, 8));
	assert_int_equal(0, getsockname(p->listener, (void *)&a, &len));
	(void)snprintf(p->url, sizeof(p->url), "tcp://localhost:%u",
		       (unsigned)ntohs(a.sin_port));
}

static void listen_ipc(struct peer *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	url_test(p->url, "splink");
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->url + 6);
	(void)unlink(a.sun_path);
	p->fd = -1;
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, bind(p->listener, (void *)&a, sizeof(a)));
	assert_int_equal(0, listen(p->listener, 8));
}

static void hang_up(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void close_peer(struct peer *p)
{
	hang_up(p);
	close(p->listener);
	if (strncmp(p->url, "ipc://", 6) == 0)
		(void)unlink(p->url + 6);
}

/* Step the link until somebody has connected; take the greeting. */
static void take_peer(struct peer *p, struct splink *l)
{
	struct pollfd f = {.fd = p->listener, .events = POLLIN};
	uint8_t got[8];

	for (int i = 0; i < 400 && poll(&f, 1, 0) == 0; i++) {
		(void)splink_step(l);
		splink_wait(l, 5);
	}
	p->fd = accept(p->listener, NULL, NULL);
	assert_true(p->fd >= 0);
	for (int i = 0; i < 4; i++)
		(void)splink_step(l);
	assert_int_equal(8, recv(p->fd, got, 8, MSG_WAITALL));
	assert_memory_equal(sub, got, 8);
}

static void say(struct peer *p, const void *data, size_t len)
{
	assert_int_equal((ssize_t)len, send(p->fd, data, len, MSG_NOSIGNAL));
}

static void say_message(struct peer *p, const char *text)
{
	size_t skip = strncmp(p->url, "ipc://", 6) == 0 ? 1 : 0;
	uint8_t head[9] = {(uint8_t)skip};

	head[skip + 7] = (uint8_t)strlen(text);
	say(p, head, skip + 8);
	say(p, text, strlen(text));
}

static struct splink_msg *wait_message(struct splink *l)
{
	struct splink_msg *m = NULL;

	for (int i = 0; i < 400 && splink_take(l, &m) != 0; i++)
		splink_wait(l, 5);
	assert_non_null(m);
	return m;
}

static void expect(struct splink *l, const char *text)
{
	struct splink_msg *m = wait_message(l);

	assert_int_equal(strlen(text), m->len);
	assert_memory_equal(text, m->data, m->len);
	free(m);
}

static void expect_end(struct splink *l, const char *why)
{
	struct splink_msg *m;

	for (int i = 0; i < 400 && l->state >= SPLINK_GREETING; i++) {
		assert_int_equal(SPLINK_EMPTY, splink_take(l, &m));
		if (l->state >= SPLINK_GREETING)
			splink_wait(l, 5);
	}
	if (strstr(l->why, why) == NULL)
		fail_msg("it ended with: %s", l->why);
}

static void messages_arrive_however_the_bytes_are_cut(void **state)
{
	struct splink_msg *none;
	struct splink l;
	struct peer p;

	(void)state;
	for (int ipc = 0; ipc < 2; ipc++) {
		uint8_t bytes[64];
		size_t n = 0;

		ipc ? listen_ipc(&p) : listen_tcp(&p);
		assert_int_equal(0, splink_open(&l, p.url, SPLINK_SUB, -1));
		take_peer(&p, &l);
		memcpy(bytes, pub, 8);
		n = 8;
		for (const char *const *t =
			     (const char *const[]){"bar|one", "", "x", NULL};
		     *t != NULL; t++) {
			if (ipc)
				bytes[n++] = 1;
			memset(bytes + n, 0, 8);
			bytes[n + 7] = (uint8_t)strlen(*t);
			memcpy(bytes + n + 8, *t, strlen(*t));
			n += 8 + strlen(*t);
		}
		for (size_t i = 0; i + 1 < n; i++) {
			say(&p, bytes + i, 1);
			(void)splink_step(&l);
			if (i == 7 + (size_t)ipc + 8 + 7)
				expect(&l, "bar|one");
		}
		expect(&l, "");
		assert_int_equal(SPLINK_EMPTY, splink_take(&l, &none));
		say(&p, bytes + n - 1, 1);
		expect(&l, "x");
		splink_close(&l);
		close_peer(&p);
	}
}

static void a_large_message_is_whole(void **state)
{
	size_t len = 3u << 20;
	uint8_t head[8] = {0, 0, 0, 0, 0, (uint8_t)(len >> 16), 0, 0};
	uint8_t *data = malloc(len);
	struct splink_msg *m = NULL;
	struct splink l;
	struct peer p;
	size_t sent = 0;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 7);
	listen_tcp(&p);
	assert_int_equal(0, splink_open(&l, p.url, SPLINK_SUB, -1));
	take_peer(&p, &l);
	say(&p, pub, 8);
	say(&p, head, 8);
	while (splink_take(&l, &m) != 0) {
		ssize_t n = sent < len ? send(p.fd, data + sent, len - sent,
					      MSG_DONTWAIT | MSG_NOSIGNAL)
				       : 0;

		sent += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(len, m->len);
	assert_memory_equal(data, m->data, len);
	free(m);
	free(data);
	splink_close(&l);
	close_peer(&p);
}

static void nonsense_ends_the_link_with_a_sentence(void **state)
{
	static const uint8_t rep[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
	static const uint8_t huge[8] = {0, 0, 0, 1, 0, 0, 0, 0};
	struct splink l;
	struct peer p;

	(void)state;
	listen_tcp(&p);
	assert_int_equal(0, splink_open(&l, p.url, SPLINK_SUB, -1));
	take_peer(&p, &l);
	say(&p, rep, 8);
	expect_end(&l, "does not greet");
	hang_up(&p);
	take_peer(&p, &l); /* it comes back by itself */
	say(&p, pub, 8);
	say(&p, huge, 8);
	expect_end(&l, "cannot be");
	hang_up(&p);
	take_peer(&p, &l);
	say(&p, pub, 8);
	say_message(&p, "tick|fine");
	expect(&l, "tick|fine");
	splink_close(&l);
	close_peer(&p);
}

static int descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The reason for this file: nng left a thread and a socket behind each time. */
static void a_thousand_cuts_leave_nothing_behind(void **state)
{
	struct splink l;
	struct peer p;
	int before, epoll = epoll_create1(EPOLL_CLOEXEC);

	(void)state;
	listen_tcp(&p);
	assert_int_equal(0, splink_open(&l, p.url, SPLINK_SUB, epoll));
	before = descriptors();
	for (uint64_t i = 0; i < 1000; i++) {
		uint8_t head[8] = {0, 0, 0, 0, 0, 0, 1, 0};

		take_peer(&p, &l);
		if (i % 3 > 0)
			say(&p, pub, 8);
		if (i % 3 > 1)
			say(&p, head, 1 + i % 8); /* in the middle of a message */
		(void)splink_step(&l);
		hang_up(&p);
		expect_end(&l, "");
		l.due_ns = 0; /* do not rest: this is a test of what is left */
	}
	assert_in_range(descriptors(), before - 1, before);
	splink_close(&l);
	close_peer(&p);
	close(epoll);
}

static void the_callers_epoll_wakes_for_messages_and_redials(void **state)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e[4];
	struct splink_msg *m;
	struct splink l;
	struct peer p;
	bool came = false;

	(void)state;
	listen_tcp(&p);
	assert_int_equal(0, splink_open(&l, p.url, SPLINK_SUB, epoll));
	take_peer(&p, &l);
	say(&p, pub, 8);
	say_message(&p, "tick|1");
	assert_true(epoll_wait(epoll, e, 4, 2000) > 0);
	expect(&l, "tick|1");
	assert_int_equal(0, epoll_wait(epoll, e, 4, 0)); /* and is quiet again */
	hang_up(&p);
	for (int i = 0; i < 100 && !came; i++) { /* by nothing but what wakes us */
		struct pollfd f = {.fd = p.listener, .events = POLLIN};

		assert_true(epoll_wait(epoll, e, 4, 2000) > 0);
		(void)splink_take(&l, &m);
		came = poll(&f, 1, 0) == 1;
	}
	assert_true(came);
	splink_close(&l);
	close_peer(&p);
	close(epoll);
}

static void what_is_no_such_url_is_refused_with_a_sentence(void **state)
{
	static const char *const bad[] = {"",
					  "tcp://",
					  "tcp://localhost",
					  "ws://x:1",
					  "tcp://x:port",
					  "ipc://",
					  "tcp://:7400",
					  "inproc://x",
					  "tcp://no.such.host.invalid:7400"};
	struct splink l;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(-EINVAL, splink_open(&l, bad[i], SPLINK_SUB, -1));
		assert_true(err_text()[0] != '\0');
	}
	assert_int_equal(0, splink_open(&l, "tcp://[::1]:1", SPLINK_SUB, -1));
	splink_close(&l);
}

static void sending_waits_for_room_and_forgets_with_the_link(void **state)
{
	static const uint8_t rep[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
	size_t len = 8u << 20, got = 0;
	uint8_t *data = calloc(1, len), *back = malloc(len + 12), hello[8];
	struct splink l;
	struct peer p;

	(void)state;
	assert_non_null(data);
	assert_non_null(back);
	listen_tcp(&p);
	assert_int_equal(0, splink_open(&l, p.url, SPLINK_REQ, -1));
	assert_int_equal(-ENOTCONN, splink_send(&l, "\200\0\0\1", 4, "x", 1));
	for (int i = 0; i < 100 && l.state != SPLINK_GREETING; i++) {
		splink_wait(&l, 5);
		(void)splink_step(&l);
	}
	p.fd = accept(p.listener, NULL, NULL);
	say(&p, rep, 8);
	for (int i = 0; i < 100 && !splink_step(&l); i++)
		splink_wait(&l, 5);
	memset(data, 'd', len);
	assert_int_equal(0, splink_send(&l, "\200\0\0\2", 4, data, len));
	assert_int_equal(8, recv(p.fd, hello, 8, MSG_WAITALL));
	while (got < len + 12) { /* more than a socket holds */
		ssize_t n = recv(p.fd, back + got, len + 12 - got, MSG_DONTWAIT);

		got += n > 0 ? (size_t)n : 0;
		(void)splink_step(&l);
	}
	assert_memory_equal("\0\0\0\0\0\200\0\4\200\0\0\2", back, 12);
	assert_memory_equal(data, back + 12, len);
	assert_int_equal(0, splink_send(&l, "\200\0\0\3", 4, data, len));
	hang_up(&p);
	expect_end(&l, "");
	assert_int_equal(0, l.out.len);
	free(data);
	free(back);
	splink_close(&l);
	close_peer(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_however_the_bytes_are_cut),
		cmocka_unit_test(a_large_message_is_whole),
		cmocka_unit_test(nonsense_ends_the_link_with_a_sentence),
		cmocka_unit_test(a_thousand_cuts_leave_nothing_behind),
		cmocka_unit_test(the_callers_epoll_wakes_for_messages_and_redials),
		cmocka_unit_test(what_is_no_such_url_is_refused_with_a_sentence),
		cmocka_unit_test(sending_waits_for_room_and_forgets_with_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
