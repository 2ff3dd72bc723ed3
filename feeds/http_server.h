/*
 * http_server - a scripted HTTP server on a thread, for the tests of http and
 * fetcher: the n-th request is answered with the n-th text, the last one repeats.
 *
 * A text is sent as it is.  Markers at its beginning: "STALL" sends the rest and
 * then nothing, "CLOSE" sends the rest and closes, "ENDLESS" repeats the rest's body
 * until the other side goes.  Without a marker the connection is kept.
 */
#pragma once
#include "feeds/feed_test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define SERVER_SEEN 64

struct http_server {
	const char *const *script; /* NULL-terminated */
	int fd;
	char url[64];
	pthread_t thread;
	atomic_bool stop;
	atomic_int requests;
	atomic_int connections;
	char seen[SERVER_SEEN][2048]; /* requests, head and body */
};

struct server_conn {
	int fd;
	size_t len;
	char in[2048];
};

static inline size_t server_request_len(const char *in)
{
	const char *end = strstr(in, "\r\n\r\n");
	const char *form = strstr(in, "Content-Length: ");

	if (end == NULL)
		return 0;
	return (size_t)(end + 4 - in) +
	       (form != NULL ? strtoul(form + 16, NULL, 10) : 0);
}

static inline void server_send(struct http_server *s, int fd, const char *text,
			       size_t len)
{
	while (len > 0 && !s->stop) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		ssize_t n = poll(&p, 1, 50) > 0
				    ? send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT)
				    : 0;

		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* False: the connection is to be closed. */
static inline bool server_answer(struct http_server *s, int fd, int number)
{
	int i = 0;
	const char *text;
	bool close_it, endless;

	while (i < number && s->script[i + 1] != NULL)
		i++;
	text = s->script[i];
	close_it = strncmp(text, "CLOSE", 5) == 0;
	endless = strncmp(text, "ENDLESS", 7) == 0;
	if (close_it || strncmp(text, "STALL", 5) == 0)
		text += 5;
	if (endless)
		text += 7;
	server_send(s, fd, text, strlen(text));
	if (endless) {
		struct pollfd p = {.fd = fd};

		text = strstr(text, "\r\n\r\n") + 4;
		while (!s->stop && poll(&p, 1, 0) == 0)
			server_send(s, fd, text, strlen(text));
	}
	return !close_it;
}

static inline bool server_input(struct http_server *s, struct server_conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len, 0);
	size_t want;
	int number;

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	want = server_request_len(c->in);
	if (want == 0 || c->len < want)
		return true;
	number = s->requests;
	if (number < SERVER_SEEN)
		memcpy(s->seen[number], c->in, c->len + 1);
	s->requests++;
	c->len = 0;
	return server_answer(s, c->fd, number);
}

static inline void *server_run(void *arg)
{
	struct http_server *s = arg;
	struct server_conn conn[16];
	struct pollfd p[17] = {{.fd = s->fd, .events = POLLIN}};
	size_t n = 0;

	while (!s->stop) {
		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){.fd = conn[i].fd, .events = POLLIN};
		poll(p, n + 1, 20);
		for (size_t i = n; i-- > 0;) {
			if (p[i + 1].revents == 0 || server_input(s, &conn[i]))
				continue;
			close(conn[i].fd);
			conn[i] = conn[--n];
		}
		if ((p[0].revents & POLLIN) == 0 || n == 16)
			continue;
		conn[n] = (struct server_conn){.fd = accept(s->fd, NULL, NULL)};
		if (conn[n].fd >= 0) {
			s->connections++;
			n++;
		}
	}
	while (n > 0)
		close(conn[--n].fd);
	return NULL;
}

static inline void server_start(struct http_server *s, const char *const *script)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->script = script;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
}

static inline void server_stop(struct http_server *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	close(s->fd);
}
