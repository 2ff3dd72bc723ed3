/*
 * splink - one connection that speaks SP (docs/PROTOCOL.md, section 1): to a PUB or a
 * REP socket, over tcp:// or ipc://, kept up and made again by itself.
 *
 * The daemon's side is nng; this side is not.  In nng 1.5.2 a connection that breaks in
 * the middle of a message can hang the thread that closes sockets for ever
 * (nanomsg/nng #1636): each later reconnect then left a thread and a socket behind.
 * What a client needs of SP is a greeting of 8 bytes and a length before each message.
 *
 *	RESTING ──due──> CONNECTING ──> GREETING ──> OPEN
 *	   ^                 |              |          |
 *	   └──── 50 ms, doubling to 500 ms ─┴──────────┘  closed, refused, nonsense
 *
 * No threads and no waiting: splink_step() does what can be done now.  What will make
 * it worth calling again is registered with the caller's epoll: the socket, and a timer
 * for the next attempt.  A name is looked up when the link is made, which may wait for
 * DNS, and again after every eighth attempt that failed; addresses need no DNS.
 *
 * One thread at a time.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SPLINK_MESSAGE_MAX (64u << 20)
#define SPLINK_ADDRESSES   8

enum splink_protocol { SPLINK_SUB = 0x21, SPLINK_REQ = 0x30 };
enum splink_state { SPLINK_RESTING, SPLINK_CONNECTING, SPLINK_GREETING, SPLINK_OPEN };
enum { SPLINK_EMPTY = 1 };

/** A whole message; free() it. */
struct splink_msg {
	size_t len;
	uint8_t data[];
};

struct splink {
	const char *url; /* borrowed */
	enum splink_protocol protocol;
	enum splink_state state;
	int epoll; /* borrowed; -1: nobody's */
	int timer; /* owned; -1 when epoll is */
	int fd;    /* owned; -1 while resting */
	uint32_t watched;
	bool is_ipc;
	struct sockaddr_storage address[SPLINK_ADDRESSES];
	socklen_t address_len[SPLINK_ADDRESSES];
	unsigned n_addresses, turn;
	unsigned failures; /* attempts without an open link since the last one */
	uint64_t opened;   /* how often it came to be open */
	int64_t due_ns;    /* RESTING: monotonic time of the next attempt */
	uint8_t head[9];   /* greeting, or what comes before a message */
	size_t n_head;
	struct splink_msg *msg; /* owned; being received; NULL: its head is */
	size_t n_msg;
	uint8_t *in; /* owned; received and not looked at yet */
	size_t in_at, in_len;
	struct buf out; /* to be sent */
	size_t out_at;
	char why[160]; /* of the last end, "" */
};

/**
 * @epoll: where the link registers its descriptors, -1: nowhere.  0; -EINVAL: not such
 * a URL, or no such host; -EMFILE, -ENOMEM.  The first attempt is made at once.
 */
int splink_open(struct splink *l, const char *url, enum splink_protocol protocol,
		int epoll);
void splink_close(struct splink *l);
/** Hang up now and begin anew. */
void splink_renew(struct splink *l);
/** Go on as far as it goes without waiting.  True: it is open. */
bool splink_step(struct splink *l);
/** The next whole message, the caller's to free: 0 or SPLINK_EMPTY.  Steps first. */
int splink_take(struct splink *l, struct splink_msg **out);
/**
 * Send @head and @data as one message.  0, or -ENOTCONN.  What does not fit the socket
 * is sent by later steps; a link that breaks forgets it.
 */
int splink_send(struct splink *l, const void *head, size_t head_len, const void *data,
		size_t len);
/** Wait until a step is worth it or @ms have passed; for links without an epoll. */
void splink_wait(struct splink *l, int ms);
