/*
 * serve_http - a small HTTP server on the loop: pages, read-only questions, streams.
 *
 * libmicrohttpd in external-polling mode: its epoll descriptor sits in the loop,
 * so a request runs on the loop thread and reads what the loop owns.  A request is
 * answered once, now or later; while it waits its connection is set aside.  A stream
 * is an answer that does not end (server-sent events): it is given a piece at a time
 * and holds one, so a slow reader costs one piece and misses the next.
 *
 * GET and HEAD only; 5 s to send a request or to take what is sent, 8 KiB of headers,
 * one request per connection.  The Host must be an address, localhost, this
 * machine's name, or the host that is listened on: a page of another site whose name
 * leads to us (DNS rebinding) reads nothing.
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include <stdbool.h>
#include <uv.h>

struct http;
struct http_request; /* valid until it is answered, also when its asker has gone */
struct http_stream;  /* valid until http_gone_fn */

/** Must lead to one http_answer() or http_stream_open(), maybe later. */
typedef void (*http_fn)(void *arg, struct http_request *r);
/** The stream's reader has gone, or the server closes. */
typedef void (*http_gone_fn)(void *arg, struct http_stream *s);

/** @endpoint is "127.0.0.1:7480".  -EADDRINUSE and friends. */
ON_LOOP int http_open(uv_loop_t *loop, const char *endpoint, unsigned clients_max,
		      http_fn fn, void *arg, struct http **out);
/** Requests that are not answered yet may be answered later: nobody hears it. */
ON_LOOP void http_close(struct http *h);

/** The path, decoded, without its query. */
ON_LOOP const char *http_path(const struct http_request *r);
/** What the Accept header says; "" when there is none. */
ON_LOOP const char *http_accept(const struct http_request *r);
/** Calls @fn for each key and value of the query, decoded. */
ON_LOOP void http_each_query(struct http_request *r,
			     void (*fn)(void *arg, const char *key, const char *value),
			     void *arg);
/** @type is a constant; @body is copied. */
ON_LOOP void http_answer(struct http_request *r, unsigned status, const char *type,
			 const void *body, size_t len);
/** Answer @r by a stream.  NULL: its asker has gone, or there is no memory. */
ON_LOOP struct http_stream *http_stream_open(struct http_request *r, const char *type,
					     http_gone_fn gone, void *arg);
/** False: the reader has not taken the last piece; this one is not sent. */
ON_LOOP bool http_stream_push(struct http_stream *s, const void *data, size_t len);
