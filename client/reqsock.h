/*
 * reqsock - one nng REQ socket that is not trusted: after a time-out or an error
 * it is thrown away and made anew (nng 1.5.2 may never redial by itself).
 */
#pragma once
#include <nng/nng.h>
#include <stdbool.h>
#include <stddef.h>

#define REQSOCK_REPLY_MAX (64u << 20)

struct reqsock {
	const char *url; /* borrowed */
	nng_socket socket;
	bool is_open;
};

void reqsock_init(struct reqsock *r, const char *url);
void reqsock_close(struct reqsock *r);
/** Open and dial in the background, unless that is so.  0 or a negated errno. */
int reqsock_ensure(struct reqsock *r);
/**
 * Send @data and wait for the reply, which the caller frees with nng_msg_free().
 * 0, -ETIMEDOUT, or another negated errno.
 */
int reqsock_ask(struct reqsock *r, const void *data, size_t len, int timeout_ms,
		nng_msg **out);
/** A negated errno for nng's error numbers. */
int reqsock_errno(int nng_error);
