/*
 * reqsock - one connection to a REP socket: send a request, wait for its answer.  While
 * it waits the request is sent again whenever the connection had to be made again.
 */
#pragma once
#include "client/splink.h"

/** The 4 bytes that SP puts before a request, and its answer has as well. */
#define REQSOCK_ID_LEN 4u

struct reqsock {
	struct splink link;
	bool is_open;
	const char *url; /* borrowed */
	uint32_t id;     /* of the last request */
};

void reqsock_init(struct reqsock *r, const char *url);
void reqsock_close(struct reqsock *r);
/**
 * Send @data and wait for the reply, which the caller frees with free(); its first
 * REQSOCK_ID_LEN bytes are SP's.  0, -ETIMEDOUT, or another negated errno.
 */
int reqsock_ask(struct reqsock *r, const void *data, size_t len, int timeout_ms,
		struct splink_msg **out);

/** The bytes before request @id. */
void reqsock_id(uint32_t id, uint8_t out[REQSOCK_ID_LEN]);
/** Is @m the answer to request @id? */
bool reqsock_answers(const struct splink_msg *m, uint32_t id);
