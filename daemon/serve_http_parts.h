/*
 * serve_http_parts - what serve_http.c (requests) and serve_http_stream.c share;
 * nobody else includes it.
 */
#pragma once
#include "daemon/serve_http.h"
#include <microhttpd.h>

#define PATH_BYTES 256

struct http {
	struct MHD_Daemon *mhd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* uv handles still to close */
	http_fn fn;
	void *arg;
	unsigned clients, clients_max;
	char host[64];                /* what is listened on */
	struct http_request *waiting; /* set aside, not answered */
	struct http_stream *streams;
	bool closing;
};

struct http_request {
	struct http *http;           /* NULL: the connection has gone */
	struct MHD_Connection *conn; /* as long as there is a http */
	struct http_request *next;
	struct MHD_Response *response; /* owned; the answer, not yet queued */
	unsigned status;
	char path[PATH_BYTES];
	bool began;    /* the handler was called */
	bool answered; /* by the handler, which has forgotten it */
	bool aside;    /* the connection is suspended */
};

struct http_stream {
	struct http *http;
	struct MHD_Connection *conn;
	http_gone_fn gone;
	void *arg;
	struct buf out;
	size_t at;
	bool aside;
	struct http_stream *next;
};

/** Let MHD look again soon: something was answered outside of it. */
ON_LOOP void http_kick(struct http *h);
/** The answer of @r is there: go on with its connection. */
ON_LOOP void http_resume(struct http_request *r);
