/*
 * broadcast_layout - a broadcast ring as it lies in shared memory.
 *
 * One daemon writes, any number of processes map it read-only and read.  All
 * integers are little-endian; each 64-bit word is written by one store, so a
 * client in any language that can load an aligned 64-bit word can read the ring.
 *
 *	byte 0 .. 4095     struct broadcast_head
 *	byte 4096 ..       the ring: `capacity` bytes, a power of two
 *
 * Positions count bytes since the ring was made and only rise; the byte at
 * position p lies at 4096 + (p & (capacity - 1)).  Frames follow one another:
 *
 *	word 0   length of the payload (low 32 bits), BROADCAST_x (high 32 bits)
 *	word 1   sequence number of the frame, from 1, +1 per frame
 *	then     the payload, padded to a multiple of 16 bytes
 *
 *	       oldest_pos                 half_pos              tail_pos
 *	          |                          |                     |
 *	 overwrit-v frame  frame  frame  PAD v frame  frame  frame v END  (being
 *	 ten -----+--------------------------+---------------------+---- written)
 *
 * A frame never crosses the edge: a PAD (its length covers the rest of the lap,
 * its sequence is the next frame's) fills up to it.  At tail_pos stands END with
 * the sequence of the frame that will be written there.
 *
 * How to read at position p:
 *	1. load tail_pos; if it equals p there is nothing new;
 *	2. load word 0 and word 1 at p, copy the payload, word by word;
 *	3. load oldest_pos *after* that; if it is greater than p, what was copied may
 *	   be torn: throw it away, you were lapped.  Go on at half_pos or oldest_pos,
 *	   whichever is greater (at oldest_pos alone you lose less and are lapped
 *	   again sooner); the sequence of the frame there tells how many you lost.
 * The loads must be acquires (on x86 every load is).  Lengths and types are to be
 * trusted only after step 3, and are to be checked against the capacity before
 * anything is copied.  To start at the newest, begin at tail_pos; at the oldest
 * held, at oldest_pos.
 *
 * The descriptor is a memfd with F_SEAL_SHRINK and F_SEAL_GROW (so that a
 * reader cannot be killed by a shrinking file) and F_SEAL_FUTURE_WRITE (so that
 * nobody but the daemon can write).
 *
 * To change the layout: raise BROADCAST_VERSION; readers refuse what they do
 * not know.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define BROADCAST_MAGIC      UINT64_C(0x31474e4952424b54) /* "TKBRING1" */
#define BROADCAST_VERSION    1
#define BROADCAST_HEAD_BYTES 4096
#define BROADCAST_ALIGN      16 /* of frames */
#define BROADCAST_FRAME_HEAD 16 /* bytes before the payload */

enum broadcast_type {
	BROADCAST_END = 0, /* nothing here yet */
	BROADCAST_FRAME,
	BROADCAST_PAD,
};

struct broadcast_head {
	uint64_t magic;
	uint32_t version;
	uint32_t head_bytes; /* BROADCAST_HEAD_BYTES */
	uint64_t capacity;   /* bytes of the ring, a power of two */
	uint64_t len_max;    /* of a payload: a quarter of the ring less its head */
	uint32_t kind;       /* what the ring carries: enum event_kind */
	uint32_t writer_pid;
	uint64_t reserved[11];
	_Atomic uint64_t oldest_pos; /* what lies before may be overwritten */
	uint64_t oldest_pad[15];
	_Atomic uint64_t tail_pos; /* end of the newest frame */
	_Atomic uint64_t half_pos; /* start of a frame about half a ring old */
	uint64_t tail_pad[14];
};
_Static_assert(sizeof(struct broadcast_head) <= BROADCAST_HEAD_BYTES, "one page");
_Static_assert(offsetof(struct broadcast_head, oldest_pos) == 128, "layout");
_Static_assert(offsetof(struct broadcast_head, tail_pos) == 256, "layout");
_Static_assert(offsetof(struct broadcast_head, half_pos) == 264, "layout");

/** Bytes that a frame with a payload of @len takes. */
static inline uint64_t broadcast_span(uint64_t len)
{
	return (BROADCAST_FRAME_HEAD + len + BROADCAST_ALIGN - 1) &
	       ~(uint64_t)(BROADCAST_ALIGN - 1);
}
