/*
 * symbuf - the recent events of every symbol, bounded per symbol.
 *
 * One thread owns a symbol's buffer and appends to it; any thread may read with
 * a cursor of its own, and nobody waits for anybody.  One symbol's flood turns
 * over its own buffer and nobody else's.
 *
 *	     next - depth         served                 next
 *	          |                 |                      |
 *	 gone     v  kept, handled  v  kept, to be handled v  not yet written
 *	 ---------+-----------------+----------------------+-----------------
 *	                  ^ a reader's cursor
 *
 * Every event has two numbers: its place in the buffer (all kinds together),
 * which cursors count, and its sequence, +1 per (kind, symbol), from 1, which
 * tells a reader exactly how many events of a kind it has lost.
 *
 * The owner serves itself from the same buffer: what it has appended and not
 * yet marked done is the symbol's queue.
 */
#pragma once
#include "base/role.h"
#include "proto/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBUF_EVENT_MAX 128 /* bytes of an event */

struct symbuf;

enum {
	SYMBUF_EMPTY = 1, /* the cursor has seen everything */
	SYMBUF_LAPPED,    /* events were lost; the cursor stands at one that is held */
};

/** An event, copied out. */
struct symbuf_event {
	uint64_t seq;
	uint32_t symbol_id;
	uint16_t len;
	uint8_t kind; /* enum event_kind */
	uint8_t reserved;
	_Alignas(16) uint8_t data[SYMBUF_EVENT_MAX];
};

/** An event in place; only for the owner, until its next append. */
struct symbuf_view {
	const void *data; /* 8-byte aligned */
	uint64_t seq;
	uint32_t symbol_id;
	uint16_t len;
	uint8_t kind;
};

/** Where a buffer stands: the next place and the last sequence of every kind. */
struct symbuf_mark {
	uint64_t next;
	uint64_t seq[EVENT_KINDS];
};

/**
 * Buffers of @depth events (rounded up to a power of two) of up to @event_bytes
 * (<= SYMBUF_EVENT_MAX) for ids < @symbols_max.  Memory is reserved at once and
 * used as symbols appear.  0, -EINVAL, -ENOMEM.
 */
int symbuf_new(uint32_t symbols_max, uint32_t depth, size_t event_bytes,
	       struct symbuf **out);
void symbuf_free(struct symbuf *b);
uint32_t symbuf_depth_max(const struct symbuf *b);
size_t symbuf_event_bytes(const struct symbuf *b);

/* ---- the symbol's owner ---- */

/** Append a copy; never fails, never waits.  Returns the event's sequence. */
uint64_t symbuf_push(struct symbuf *b, uint32_t symbol, enum event_kind kind,
		     const void *data, size_t len);
/** Appended and not done. */
uint64_t symbuf_pending(const struct symbuf *b, uint32_t symbol);
/** The oldest event that is not done; false when there is none. */
bool symbuf_front(const struct symbuf *b, uint32_t symbol, struct symbuf_view *out);
/** That event has been handled. */
void symbuf_done(struct symbuf *b, uint32_t symbol);
/** Soon something will be appended to the symbol: fetch its row ... */
void symbuf_prefetch(const struct symbuf *b, uint32_t symbol);
/** ... and, a few events later, the slot that the row tells. */
void symbuf_prefetch_slot(const struct symbuf *b, uint32_t symbol);

/* ---- any thread ---- */

/**
 * Copy the event at *@cursor and step past it.  0, SYMBUF_EMPTY, or
 * SYMBUF_LAPPED (the cursor was moved; read again).  @out is written on 0 only.
 */
ANY_THREAD int symbuf_read(const struct symbuf *b, uint32_t symbol, uint64_t *cursor,
			   struct symbuf_event *out);
/** The same without stepping: SYMBUF_LAPPED when @place is not held (any more). */
ANY_THREAD int symbuf_at(const struct symbuf *b, uint32_t symbol, uint64_t place,
			 struct symbuf_event *out);
/** A consistent mark; false when the owner was in the way several times. */
ANY_THREAD bool symbuf_mark(const struct symbuf *b, uint32_t symbol,
			    struct symbuf_mark *out);
/** The place of the event to come: so many have been appended. */
ANY_THREAD uint64_t symbuf_next(const struct symbuf *b, uint32_t symbol);
/** How many events of the symbol the owner has marked done. */
ANY_THREAD uint64_t symbuf_served(const struct symbuf *b, uint32_t symbol);
/** Queued now, and the most that ever were. */
ANY_THREAD uint64_t symbuf_depth(const struct symbuf *b, uint32_t symbol);
ANY_THREAD uint64_t symbuf_high_water(const struct symbuf *b, uint32_t symbol);
