/*
 * broadcast_read - the reading side of a broadcast ring.
 *
 * Maps a ring that was handed over as a descriptor (proto/broadcast_layout.h)
 * and reads it without a system call and without the writer's knowledge.  The
 * memory is foreign: every length is checked before it is used, and a descriptor
 * that could shrink under us is refused.  One thread per reader.
 */
#pragma once
#include "proto/broadcast_layout.h"

struct broadcast_reader;

/** Outcomes of broadcast_read() and broadcast_seek(). */
enum {
	BROADCAST_EMPTY = 1, /* the reader has seen everything */
	BROADCAST_LAPPED,    /* frames were lost: see broadcast_lost() */
	BROADCAST_TOO_LONG,  /* the caller's buffer is too small; *out_len tells */
	BROADCAST_GONE,      /* the sequence sought is not held (any more, or yet) */
};

struct broadcast_loss {
	uint64_t frames; /* lost since the reader was opened */
	uint64_t bytes;  /* of ring, heads and padding included */
};

/**
 * Map the ring behind @fd, which stays the caller's and may be closed after.
 * The reader stands at the newest: it sees what is written from now on.
 * 0; -EBADMSG when it is no broadcast ring, -EPERM when it is not sealed, or
 * the errno of the mapping.
 */
int broadcast_open(int fd, struct broadcast_reader **out);
void broadcast_close(struct broadcast_reader *r);

/**
 * Copy the next frame into @buf and step past it.  0, BROADCAST_EMPTY,
 * BROADCAST_LAPPED (call again: the reader stands at a frame that is held),
 * BROADCAST_TOO_LONG or -EBADMSG (the ring is corrupt).  @out_len and @out_seq
 * are written on 0; on TOO_LONG *@out_len is the length wanted.
 * @buf must be 8-byte aligned.
 */
int broadcast_read(struct broadcast_reader *r, void *buf, size_t cap, size_t *out_len,
		   uint64_t *out_seq);

/** Skip everything: the next frame read is the next one written. */
void broadcast_seek_newest(struct broadcast_reader *r);
/** Go back to the oldest frame held. */
void broadcast_seek_oldest(struct broadcast_reader *r);
/**
 * Go to frame @seq: 0, or BROADCAST_GONE and the reader stays where it was.  The
 * frame that will be written next may be sought.
 */
int broadcast_seek(struct broadcast_reader *r, uint64_t seq);

/** What this reader has lost so far; seeking is not losing. */
const struct broadcast_loss *broadcast_lost(const struct broadcast_reader *r);
/** Bytes written and not read yet. */
uint64_t broadcast_lag(const struct broadcast_reader *r);
/** The longest frame the ring can carry: a buffer of this size is enough. */
size_t broadcast_len_max(const struct broadcast_reader *r);
/** What the ring carries (enum event_kind). */
uint32_t broadcast_kind(const struct broadcast_reader *r);
