/*
 * tcp_peers - who is connected to a port of ours, and how many bytes wait for him.
 *
 * nng does not say how far behind a subscriber is; the kernel does: what it holds
 * unsent or unacknowledged for a connection is what the subscriber has not taken.
 * Read from /proc/net/tcp and tcp6 (proc(5)).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_peer {
	char address[64];   /* "127.0.0.1:40312", "[::1]:40312": the other end */
	uint16_t port;      /* ours */
	uint64_t waiting_b; /* bytes sent to him that he has not taken */
};

/** One line of /proc/net/tcp or tcp6; false: no established connection. */
bool tcp_peer_parse(const char *line, struct tcp_peer *out);

typedef void (*tcp_peer_fn)(void *arg, const struct tcp_peer *peer);
/** Every established connection of this network namespace: a line of text for each is
    read, so on a host of very many it takes its time.  -errno: no such file. */
int tcp_peers_each(tcp_peer_fn fn, void *arg);
