/*
 * ws_server_test - a server for one connection, written by hand: it shakes hands or
 * not, sends its bytes, and hears what comes.
 */
#pragma once
#include "base/buf.h"
#include <arpa/inet.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
	int listener;
	uint16_t port;
	bool is_tcp;          /* no handshake */
	const char *answer;   /* instead of a handshake */
	const uint8_t *bytes; /* sent afterwards */
	size_t len;
	bool closes;  /* then; else it waits for the other side */
	size_t reads; /* ... or for so many bytes */
	struct buf request;
	struct buf heard; /* what came after the request */
	pthread_t thread;
};

static inline void read_request(struct server *s, int fd)
{
	char c;

	buf_reserve(&s->request, 512);
	while (memmem(s->request.data, s->request.len, "\r\n\r\n", 4) == NULL &&
	       recv(fd, &c, 1, 0) == 1)
		buf_add(&s->request, &c, 1);
}

static inline void shake_hands(struct server *s, int fd)
{
	char line[300], key[128] = "", accept[64];
	unsigned char hash[20];
	const char *at;

	read_request(s, fd);
	at = strcasestr(buf_text(&s->request), "sec-websocket-key: ");
	if (at != NULL)
		(void)sscanf(at + 19, "%60[^\r]", key);
	strncat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 40);
	lws_SHA1((unsigned char *)key, strlen(key), hash);
	lws_b64_encode_string((char *)hash, 20, accept, sizeof(accept));
	(void)snprintf(line, sizeof(line),
		       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		       accept);
	(void)send(fd, line, strlen(line), MSG_NOSIGNAL);
}

static inline void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char block[4096];
	ssize_t n;

	if (fd < 0)
		return NULL;
	if (s->answer != NULL) {
		read_request(s, fd);
		(void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	} else if (!s->is_tcp) {
		shake_hands(s, fd);
	}
	if (s->len > 0)
		(void)send(fd, s->bytes, s->len, MSG_NOSIGNAL);
	while (!s->closes && (s->reads == 0 || s->heard.len < s->reads) &&
	       (n = recv(fd, block, sizeof(block), 0)) > 0)
		buf_add(&s->heard, block, (size_t)n);
	close(fd);
	return NULL;
}

static inline void server_start(struct server *s)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sa, &len), 0);
	s->port = ntohs(sa.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static inline void server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	buf_free(&s->request);
	buf_free(&s->heard);
}
