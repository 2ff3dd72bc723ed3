/*
 * outbox - the byte ring.
 *
 * The argument is that of bus/ring.c with bytes for slots: a byte is written
 * only after the reader's release of it was acquired, and read only after the
 * writer's release of it was acquired.
 *
 * A message that would cross the edge is preceded by a pad, a header with kind
 * PAD that covers the rest of the lap.  With messages (header included) of at
 * most a quarter of the ring, pad and message together take less than half:
 * that is why an empty ring always has room.
 *
 * Waking the writer.  The reader wakes it when it has given back a quarter of
 * the ring since the last time, and when it has found the ring empty.  A writer
 * that sleeps needs room; so the ring is not empty, so the reader has something
 * to read; reading it, it either gives back a quarter or reaches the end.  Thus
 * no sleep is for ever, and a wake is paid once per quarter, not per message.
 */
#include "bus/outbox.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/pages.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE      128
#define ALIGN     16
#define KIND_PAD  UINT32_MAX
#define BYTES_MIN ((size_t)4096)
#define BYTES_MAX ((size_t)1 << 32)

struct msg {
	uint32_t len;
	uint32_t kind;
	uint64_t unused; /* keeps the payload 16-byte aligned */
};
_Static_assert(sizeof(struct msg) == ALIGN, "header keeps the alignment");

struct outbox {
	_Alignas(LINE) _Atomic uint64_t tail; /* published; writer's */
	_Alignas(LINE) uint64_t next;         /* committed; writer's */
	uint64_t head_seen;
	uint64_t claim_at; /* where the claimed message begins */
	uint64_t claim_end;
	_Alignas(LINE) _Atomic uint64_t head; /* popped; reader's */
	_Alignas(LINE) uint64_t read;         /* the reader's copy of head */
	uint64_t tail_seen;
	uint64_t peek_end;            /* end of the message that peek showed; 0: none */
	uint64_t woken_at;            /* read, when the writer was last woken */
	_Alignas(LINE) uint8_t *data; /* owned */
	uint64_t mask;
	struct parker parker; /* the writer sleeps on it */
};

static uint64_t span(size_t len)
{
	return sizeof(struct msg) + ((uint64_t)len + ALIGN - 1) / ALIGN * ALIGN;
}

static struct msg *msg_at(const struct outbox *o, uint64_t at)
{
	return (struct msg *)(void *)(o->data + (at & o->mask));
}

int outbox_new(size_t bytes, struct outbox **out)
{
	size_t n = BYTES_MIN;
	struct outbox *o;

	if (bytes > BYTES_MAX)
		return err_set(-EINVAL, "an outbox of %zu bytes", bytes);
	while (n < bytes)
		n *= 2;

	o = aligned_alloc(LINE, sizeof(*o));
	if (!o)
		goto fail;
	*o = (struct outbox){.mask = n - 1};
	parker_init(&o->parker);

	o->data = pages_new(n);
	if (!o->data)
		goto fail;

	*out = o;
	return 0;
fail:
	outbox_free(o);
	return err_set(-ENOMEM, "no memory for an outbox of %zu bytes", n);
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	pages_free(o->data, (size_t)(o->mask + 1));
	free(o);
}

size_t outbox_len_max(const struct outbox *o)
{
	return (size_t)(o->mask + 1) / 4 - sizeof(struct msg);
}

/** Bytes of padding before a message of @bytes that is to stay in one piece. */
static uint64_t pad_for(const struct outbox *o, uint64_t bytes)
{
	uint64_t to_edge = o->mask + 1 - (o->next & o->mask);

	return bytes > to_edge ? to_edge : 0;
}

static bool has_room(struct outbox *o, uint64_t bytes)
{
	if (o->next + bytes - o->head_seen <= o->mask + 1)
		return true;
	o->head_seen = atomic_load_explicit(&o->head, memory_order_acquire);
	return o->next + bytes - o->head_seen <= o->mask + 1;
}

bool outbox_room(struct outbox *o, size_t len)
{
	uint64_t bytes = span(len);

	return has_room(o, pad_for(o, bytes) + bytes);
}

void *outbox_claim(struct outbox *o, uint32_t kind, size_t len)
{
	uint64_t bytes = span(len);
	uint64_t pad = pad_for(o, bytes);
	struct msg *m;

	assert(len <= outbox_len_max(o));
	assert(kind != KIND_PAD);
	if (!has_room(o, pad + bytes))
		return NULL;

	if (pad)
		*msg_at(o, o->next) = (struct msg){
			.len = (uint32_t)(pad - sizeof(struct msg)), .kind = KIND_PAD};
	o->claim_at = o->next + pad;
	o->claim_end = o->claim_at + bytes;
	m = msg_at(o, o->claim_at);
	*m = (struct msg){.len = (uint32_t)len, .kind = kind};
	return m + 1;
}

void outbox_commit(struct outbox *o)
{
	assert(o->claim_end > o->next);
	o->next = o->claim_end;
}

void outbox_commit_len(struct outbox *o, size_t len)
{
	struct msg *m = msg_at(o, o->claim_at);

	assert(len <= m->len);
	m->len = (uint32_t)len;
	o->claim_end = o->claim_at + span(len);
	outbox_commit(o);
}

void outbox_publish(struct outbox *o)
{
	atomic_store_explicit(&o->tail, o->next, memory_order_release);
}

size_t outbox_unpublished(const struct outbox *o)
{
	return (size_t)(o->next - atomic_load_explicit(&o->tail, memory_order_relaxed));
}

int outbox_wait(struct outbox *o, size_t len, int64_t timeout_ns)
{
	assert(len <= outbox_len_max(o));
	outbox_publish(o);
	if (outbox_room(o, len))
		return 0;

	parker_prepare(&o->parker);
	if (outbox_room(o, len)) {
		parker_cancel(&o->parker);
		return 0;
	}
	parker_wait(&o->parker, timeout_ns);
	return outbox_room(o, len) ? 0 : OUTBOX_FULL;
}

void outbox_wake_writer(struct outbox *o)
{
	parker_wake(&o->parker);
}

/** Step past what lies between read and @end. */
static void give_back(struct outbox *o, uint64_t end)
{
	o->read = end;
	atomic_store_explicit(&o->head, end, memory_order_release);
	if (end - o->woken_at > o->mask / 4) {
		o->woken_at = end;
		parker_wake(&o->parker);
	}
}

static bool is_empty(struct outbox *o)
{
	if (o->read != o->tail_seen)
		return false;
	o->tail_seen = atomic_load_explicit(&o->tail, memory_order_acquire);
	if (o->read != o->tail_seen)
		return false;
	if (o->woken_at != o->read) {
		o->woken_at = o->read;
		parker_wake(&o->parker);
	}
	return true;
}

const void *outbox_peek(struct outbox *o, uint32_t *out_kind, size_t *out_len)
{
	const struct msg *m;

	if (is_empty(o))
		return NULL;
	m = msg_at(o, o->read);
	if (m->kind == KIND_PAD) {
		/* A pad is published together with the message behind it. */
		give_back(o, o->read + span(m->len));
		m = msg_at(o, o->read);
	}
	o->peek_end = o->read + span(m->len);
	*out_kind = m->kind;
	*out_len = m->len;
	return m + 1;
}

void outbox_pop(struct outbox *o)
{
	assert(o->peek_end > o->read);
	give_back(o, o->peek_end);
}

size_t outbox_depth(const struct outbox *o)
{
	uint64_t head = atomic_load_explicit(&o->head, memory_order_acquire);

	return (size_t)(atomic_load_explicit(&o->tail, memory_order_acquire) - head);
}

size_t outbox_bytes(const struct outbox *o)
{
	return (size_t)(o->mask + 1);
}
