/*
 * ws - the keeper of libwebsockets: connections to vendors' streams, WebSocket or
 * plain TCP, all on one thread and one event loop.
 *
 *	wss://HOST[:PORT]/PATH    TLS 1.2 or 1.3, the certificate is verified
 *	ws://HOST[:PORT]/PATH     only where the parameters allow it
 *	tcp://HOST:PORT           bytes (Databento live; nothing secret is sent there)
 *
 * Refused: redirects, proxies of the environment, addresses that ws_target.refuse
 * does not like (before anything is sent), messages above message_max.  Compression
 * is not offered (docs/ARCHITECTURE.md says why), so nothing can unpack to more than
 * came.  Every 10 s a ping goes out; who does not answer within 20 s is gone.
 *
 * One thread, but for ws_wake().  Callbacks run inside ws_step() alone.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct ws_pool;
struct ws;

#define WS_PING_S   10
#define WS_SILENT_S 30

struct ws_params {
	const char
		*ca_file; /* PEM, trusted instead of the system's; NULL: the system's */
	size_t message_max; /* bytes; 0: 8 MiB */
	/** What libwebsockets has to say, a line without its end; NULL: nobody hears.
	    One for the process: the last pool's. */
	void (*log)(int level, const char *line);
};

/** Where to, and what is allowed on the way; the URL is copied. */
struct ws_target {
	const char *url;
	bool plain_allowed; /* ws:// as well */
	/** May not be connected to (private, loopback ...); NULL: all may. */
	bool (*refuse)(const struct sockaddr *to, size_t len);
};

/** What a connection tells; @arg comes back in each. */
struct ws_handler {
	void *arg;
	void (*open)(void *arg);
	/** One whole message, or a piece of a TCP stream; valid during the call.
	    Anything but 0 ends the connection, and closed() is not called. */
	int (*input)(void *arg, const char *data, size_t len);
	/** The last call: it could not be made, or it ended.  May dial again. */
	void (*closed)(void *arg, const char *why);
};

/** 0; -EIO: the CA file cannot be read; -ENOMEM. */
int ws_pool_new(const struct ws_params *p, struct ws_pool **out);
/** Ends what is open; nobody is called. */
void ws_pool_free(struct ws_pool *p);

/** Is this URL one of ours?  0 or -EINVAL and why not. */
int ws_check_url(const char *url, bool plain_allowed);
/** Begin to connect; @h is copied.  0, or -EINVAL (the URL), -ENOMEM, -EAGAIN. */
int ws_dial(struct ws_pool *p, const struct ws_target *to, const struct ws_handler *h,
	    struct ws **out);
/** Queue one message (text), or bytes; wiped from memory when it has left.
    0 or -ENOBUFS: the peer does not read, give it up. */
int ws_send(struct ws *w, const void *data, size_t len);
/** Close without a call; @w is gone.  Also inside a callback of @w. */
void ws_hang_up(struct ws *w);
/** Stop reading (what was read already still comes), or go on. */
void ws_pause(struct ws *w, bool on);

/** Wait for something, at most @timeout_ns, and handle what came. */
void ws_step(struct ws_pool *p, int64_t timeout_ns);
/** Any thread: end the wait of ws_step(). */
void ws_wake(struct ws_pool *p);
/** Connections, those on their way included. */
size_t ws_count(const struct ws_pool *p);
