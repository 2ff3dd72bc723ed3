/*
 * lookup - names to addresses without waiting: a thread of its own asks the resolver.
 *
 * getaddrinfo() may take as long as the network's worst name server; whoever serves
 * several connections on one thread cannot stand still for one of them.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define LOOKUP_ADDRESSES_MAX 8

struct lookup;

enum { LOOKUP_WAITS = 1 };

struct lookup_address {
	struct sockaddr_storage sa;
	socklen_t len;
};

/** Begin.  A literal address is known at once.  0 or -ENOMEM, -EAGAIN. */
int lookup_start(const char *host, uint16_t port, struct lookup **out);
/**
 * 0: *@out_n addresses at *@out, the lookup's until lookup_end(); LOOKUP_WAITS;
 * -ENOENT: no such name, or nobody can say: err_text() tells.
 */
int lookup_poll(struct lookup *l, const struct lookup_address **out, size_t *out_n);
/** Also while it waits: the answer is then nobody's.  NULL is fine. */
void lookup_end(struct lookup *l);
