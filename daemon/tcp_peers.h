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
enum { TCP_PEERS_MORE = 1 };

/**
 * Every established connection of this network namespace.  The kernel writes a line of
 * text for each socket there is, about a microsecond of time: at most @lines_max are
 * read, and TCP_PEERS_MORE says that there are more.  -errno: no such file.
 */
int tcp_peers_each(unsigned lines_max, tcp_peer_fn fn, void *arg);
