/*
 * serve_ring - hands the broadcast rings to local subscribers.
 *
 * A unix socket of mode 0600.  Whoever connects and has our uid or is root gets
 * one 16-byte message {"TBRG", version, count, 0} with one sealed, read-only
 * memory descriptor per kind (order: tick, bar, tier1, tier2, status, news), then the
 * connection closes.  After that tickbusd does not know its readers.
 */
#pragma once
#include "base/role.h"
#include <uv.h>

#define RING_FDS 6

struct ring_server;

/** @fds are borrowed for the server's life. */
ON_LOOP int ring_server_open(uv_loop_t *loop, const char *path, const int fds[RING_FDS],
			     struct ring_server **out);
ON_LOOP void ring_server_close(struct ring_server *r);
