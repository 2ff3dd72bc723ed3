/*
 * feedsock - one connection to a PUB socket, made anew when the heartbeat stops: a peer
 * that is gone without a word (a pulled cable, a stopped machine) says nothing else.
 */
#pragma once
#include "client/splink.h"
#include "proto/event.h"
#include "proto/topic.h"

#define FEEDSOCK_MISSES 3

struct feedsock {
	struct splink link;
	char topic[TOPIC_MAX]; /* of its kind, e.g. "bar|" */
	size_t topic_len;
	char beat[TOPIC_MAX]; /* of heartbeats */
	enum event_kind kind;
	size_t beat_len;
	int64_t heard_ns;  /* monotonic; of the last message or of the opening */
	bool is_late;      /* it had not been asked for long */
	int64_t looked_ns; /* when feedsock_is_silent() was last asked */
};

enum { FEEDSOCK_EMPTY = 1 };

/** Begin to connect; descriptors are registered with @epoll.  As splink_open(). */
int feedsock_open(struct feedsock *f, const char *url, enum event_kind kind, int epoll);
void feedsock_close(struct feedsock *f);
/** Hang up and connect anew. */
void feedsock_renew(struct feedsock *f);
/** The next message or heartbeat of its kind (two kinds may share a socket), the
 * caller's to free: 0, FEEDSOCK_EMPTY.
 */
int feedsock_take(struct feedsock *f, struct splink_msg **out);
/** Was it silent for too long? */
bool feedsock_is_silent(struct feedsock *f, int heartbeat_ms);
