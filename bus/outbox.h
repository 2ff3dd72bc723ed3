/*
 * outbox - messages of any size on their way from one thread to one other.
 *
 * A byte ring: the writer claims room for one message, builds it in place,
 * commits it, and publishes what it has committed in batches; the reader sees
 * one message after the other where it lies.  Nothing derived is ever dropped:
 * when there is no room the writer waits (outbox_wait) or tries again later.
 *
 *        popped           published         committed   claimed
 *          |                  |                 |          |
 *          v  for the reader  v  not yet shown  v building v      free
 *      ----+------------------+-----------------+----------+-----------
 *
 * A message is {u32 len, u32 kind} and then len bytes, 16-byte aligned, never
 * torn by the edge of the ring.  Messages of up to a quarter of the ring
 * (outbox_len_max) always fit an empty outbox.
 */
#pragma once
#include "base/parker.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

enum { OUTBOX_FULL = 1 };

/** @bytes is rounded up to a power of two, at least 4,096. */
int outbox_new(size_t bytes, struct outbox **out);
void outbox_free(struct outbox *o);
/** The longest message that is certain to fit when the outbox is empty. */
size_t outbox_len_max(const struct outbox *o);

/* ---- the writer ---- */

/** Would a claim of @len succeed now? */
bool outbox_room(struct outbox *o, size_t len);
/**
 * Room for a message of @len <= outbox_len_max() bytes, 16-byte aligned; NULL
 * when there is none now.  Valid until the commit; a claim that is not
 * committed never happened.
 */
void *outbox_claim(struct outbox *o, uint32_t kind, size_t len);
/** The claimed message is complete. */
void outbox_commit(struct outbox *o);
/** Shorten the claimed message to @len bytes and commit it. */
void outbox_commit_len(struct outbox *o, size_t len);
/** Show everything committed to the reader; waking it is the caller's part. */
void outbox_publish(struct outbox *o);
/** Bytes committed and not yet published. */
size_t outbox_unpublished(const struct outbox *o);
/**
 * Publish, then sleep until the reader has made room or @timeout_ns has passed
 * (< 0: no limit).  0 when a message of @len fits now; OUTBOX_FULL when the time
 * has passed or the wake came too early: ask again.  The reader must be awake
 * or be woken by the caller before, or both sleep for ever.
 */
int outbox_wait(struct outbox *o, size_t len, int64_t timeout_ns);
/** Ends a wait from another thread (at shutdown). */
void outbox_wake_writer(struct outbox *o);

/* ---- the reader ---- */

/** The oldest message, in place until the pop; NULL when there is none. */
const void *outbox_peek(struct outbox *o, uint32_t *out_kind, size_t *out_len);
/** Give back the message that the last peek showed. */
void outbox_pop(struct outbox *o);

/* ---- anybody ---- */

/** Bytes published and not popped, a moment old. */
size_t outbox_depth(const struct outbox *o);
size_t outbox_bytes(const struct outbox *o);
