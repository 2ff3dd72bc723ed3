/*
 * ringfeed - frames out of the daemon's shared memory: no socket, no system call
 * per frame, no wake-up either; whoever reads has to look.
 *
 * The rings come over a unix socket as sealed descriptors (docs/PROTOCOL.md,
 * "Local ring").  A ring outlives its daemon, and nothing in it says so: when it
 * is silent for long, ringfeed_renew() asks the socket whether there are new ones.
 */
#pragma once
#include "base/buf.h"
#include "proto/broadcast_read.h"
#include "proto/event.h"
#include <stdint.h>
#include <sys/types.h>

#define RINGFEED_RINGS 6 /* tick, bar, tier1, tier2, status, news */

struct ringfeed {
	const char *path;                                /* borrowed */
	struct broadcast_reader *reader[RINGFEED_RINGS]; /* owned; NULL: not wanted */
	ino_t inode[RINGFEED_RINGS];
	uint32_t kinds;
	size_t turn;
	struct buf frame; /* the frame taken last */
	int64_t heard_ns;
	uint64_t lapped; /* frames overwritten before they were read */
};

enum { RINGFEED_EMPTY = 1 };

/** Rings of @kinds (a bit per enum event_kind), from their newest frame on. */
int ringfeed_open(struct ringfeed *r, const char *path, uint32_t kinds);
void ringfeed_close(struct ringfeed *r);
/** The next frame lies in r->frame until the next call: 0, RINGFEED_EMPTY, < 0. */
int ringfeed_take(struct ringfeed *r);
/** After silence: take over the rings of a new daemon from their oldest frame. */
void ringfeed_renew(struct ringfeed *r);
