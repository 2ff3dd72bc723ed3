/*
 * ring - records on their way from one thread to one other, in place.
 *
 * The writer claims a slot, fills it where it lies, and now and then publishes
 * everything claimed so far; the reader looks at what is published where it
 * lies and gives slots back in bulk.  Nothing is copied twice and nobody waits:
 * a full ring answers NULL, and what to do then is the writer's business.
 *
 *          released          published          claimed
 *             |                  |                 |
 *      free   v  reader's turn   v  being filled   v   free (slots in all)
 *      -------+------------------+-----------------+------------
 *            head               tail             next
 *
 * Publish every RING_BATCH records or at the end of the input, then wake the
 * reader once: publishing each record alone costs two to three times as much
 * (docs/PERFORMANCE.md).  A shard ring wants 4,096 slots or more.
 *
 * Elements are of one size, chosen at the start; `struct item *it =
 * ring_claim_item(r)` is the variant for the log's items.
 */
#pragma once
#include "proto/record.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BATCH 32  /* records between two publishes */
#define RING_LINE  128 /* two cache lines: processors fetch them in pairs */

/*
 * Each group of fields has one owner and lines of its own; head and tail are
 * the only ones that the other side reads, and it reads them only when its own
 * remembered value (head_seen, tail_seen) says full or empty.
 */
struct ring {
	_Alignas(RING_LINE) _Atomic uint64_t tail; /* published; writer's */
	_Alignas(RING_LINE) uint64_t next;         /* claimed; writer's */
	uint64_t head_seen;
	_Alignas(RING_LINE) _Atomic uint64_t head; /* released; reader's */
	_Alignas(RING_LINE) uint64_t read;         /* the reader's copy of head */
	uint64_t tail_seen;
	_Alignas(RING_LINE) uint8_t *slots; /* owned */
	uint64_t mask;
	size_t elem_size;
};

/** @slots is rounded up to a power of two.  0, -EINVAL, -ENOMEM. */
int ring_new(size_t slots, size_t elem_size, struct ring **out);
void ring_free(struct ring *r);

/* ---- the writer ---- */

/** How many slots can be claimed now; looks at the reader's progress. */
static inline size_t ring_room(struct ring *r)
{
	r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
	return (size_t)(r->mask + 1 - (r->next - r->head_seen));
}

/** Claimed and not yet published. */
static inline size_t ring_unpublished(const struct ring *r)
{
	return (size_t)(r->next - atomic_load_explicit(&r->tail, memory_order_relaxed));
}

/** Can @n slots be claimed now?  Cheap: looks at the reader only when in doubt. */
static inline bool ring_has_room(struct ring *r, size_t n)
{
	return r->next - r->head_seen + n <= r->mask + 1 || ring_room(r) >= n;
}

/**
 * The next slot, to be filled before the next publish; NULL when full.  A full
 * ring with unpublished slots stays full until they are published.
 */
static inline void *ring_claim(struct ring *r)
{
	if (!ring_has_room(r, 1))
		return NULL;
	return r->slots + (r->next++ & r->mask) * r->elem_size;
}

static inline struct item *ring_claim_item(struct ring *r)
{
	assert(r->elem_size == sizeof(struct item));
	if (!ring_has_room(r, 1))
		return NULL;
	return (struct item *)(void *)r->slots + (r->next++ & r->mask);
}

/** Hand everything claimed to the reader.  Waking it is the caller's part. */
static inline void ring_publish(struct ring *r)
{
	atomic_store_explicit(&r->tail, r->next, memory_order_release);
}

/* ---- the reader ---- */

/**
 * The oldest published slots, in place: *@out_n of them lie one behind the
 * other (a second call after the release shows what lies beyond the edge).
 * NULL and 0 when there are none.  Valid until they are released.
 */
static inline void *ring_peek(struct ring *r, size_t *out_n)
{
	uint64_t to_edge = r->mask + 1 - (r->read & r->mask);
	uint64_t n;

	if (r->read == r->tail_seen)
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
	n = r->tail_seen - r->read;
	*out_n = (size_t)(n < to_edge ? n : to_edge);
	return n ? r->slots + (r->read & r->mask) * r->elem_size : NULL;
}

static inline const struct item *ring_peek_items(struct ring *r, size_t *out_n)
{
	assert(r->elem_size == sizeof(struct item));
	return (const struct item *)ring_peek(r, out_n);
}

/** Give the first @n peeked slots back. */
static inline void ring_release(struct ring *r, size_t n)
{
	assert(n <= r->tail_seen - r->read);
	r->read += n;
	atomic_store_explicit(&r->head, r->read, memory_order_release);
}

/* ---- anybody ---- */

/** Published and not released; a moment old unless the caller is the reader. */
static inline size_t ring_depth(const struct ring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

	return (size_t)(tail - head);
}

static inline size_t ring_slots(const struct ring *r)
{
	return (size_t)(r->mask + 1);
}
