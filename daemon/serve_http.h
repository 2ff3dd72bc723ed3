/*
 * serve_http - /metrics, /healthz and /readyz, on the loop.
 *
 * libmicrohttpd in external-polling mode: its epoll descriptor sits in the loop,
 * so a request runs on the loop thread and reads what the loop owns.  GET and
 * HEAD only; 64 connections, 5 s to send a request, 8 KiB of headers, one
 * request per connection.
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include <uv.h>

struct http;

/** Fill @body; return the HTTP status (200, 404, 503) and set *@type if not text. */
typedef unsigned (*http_fn)(void *arg, const char *path, struct buf *body,
			    const char **type);

/** @endpoint is "127.0.0.1:7480".  -EADDRINUSE and friends. */
ON_LOOP int http_open(uv_loop_t *loop, const char *endpoint, unsigned clients_max,
		      http_fn fn, void *arg, struct http **out);
ON_LOOP void http_close(struct http *h);
