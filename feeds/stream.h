/*
 * stream - a vendor's realtime protocol without its socket.
 *
 * A session is a state machine over messages: bytes come in, ticks and answers go
 * out.  Who dials, waits, pings and dials again is feeds/livelink.h's business.
 *
 * The thread of the connection; no I/O, no clock.
 */
#pragma once
#include "base/buf.h"
#include "feeds/feed.h"
#include "feeds/vendor.h"

enum stream_state {
	STREAM_OPEN = 0,    /* connected, nothing said yet */
	STREAM_AUTH,        /* credentials sent */
	STREAM_SUBSCRIBING, /* subscription sent, not confirmed */
	STREAM_LIVE,
	STREAM_ENDED, /* the vendor refused or said goodbye: problem says what */
};

/** What should flow; symbols are ours, as in struct vendor_ask. */
struct stream_want {
	const char *const *symbols;
	size_t n_symbols;
	bool trades;
	bool quotes;
	bool news;
};

/** Where a session delivers.  Non-zero from tick() stops and is forwarded. */
struct stream_sink {
	void *arg;
	int (*tick)(void *arg, const struct feed_tick *t);
	void (*article)(void *arg, const struct hist_article *a);
	/** One message was no good; the session goes on. */
	void (*bad)(void *arg, const char *why);
};

struct stream_counts {
	uint64_t messages;
	uint64_t ticks;
	uint64_t articles;
	uint64_t bad;
	uint64_t ignored; /* kinds that nobody wants */
};

struct stream; /* one session; the vendor's own struct begins with the ops */

struct stream_ops {
	const char *name;
	bool is_websocket; /* else plain TCP */
	const char *path;  /* appended to the stream URL; NULL: by settings */
	/** A fresh session for a fresh connection. */
	int (*open)(const struct vendor_settings *s, const struct stream_want *w,
		    const struct stream_sink *sink, struct stream **out);
	void (*close)(struct stream *st);
	/**
	 * Bytes: one whole message of a WebSocket, or a piece of a TCP stream of any
	 * size.  What is to be sent is added to @out: messages, each ended by a NUL
	 * for WebSocket; bytes as they are for TCP.  0; -EPROTO: give the connection
	 * up, problem() says why; else what the sink returned.
	 */
	int (*input)(struct stream *st, const char *data, size_t len, struct buf *out);
	enum stream_state (*state)(const struct stream *st);
	/** Why it ended: verdicts as for requests. */
	void (*problem)(const struct stream *st, struct vendor_problem *out);
	void (*counts)(const struct stream *st, struct stream_counts *out);
};

extern const struct stream_ops alpaca_stream_ops;
extern const struct stream_ops polygon_stream_ops;
extern const struct stream_ops databento_live_ops;

const struct stream_ops *stream_find(const char *name);
