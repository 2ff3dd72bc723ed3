/*
 * mailbox - Vyukov's bounded queue, with one reader.
 *
 * Each slot carries a turn.  A slot at position p is free for the poster of p
 * while its turn is p, holds the letter of p while its turn is p + 1, and is
 * free for p + slots after the reader has set its turn to that.  A poster
 * claims a position by moving `tail`; the release store of the turn publishes
 * the letter, so the only data that two threads share unordered is atomic.
 */
#include "base/mailbox.h"
#include "base/err.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LINE      64
#define SLOTS_MAX ((size_t)1 << 24)

struct slot {
	_Atomic uint64_t turn;
	unsigned char letter[];
};

struct mailbox {
	_Alignas(LINE) _Atomic uint64_t tail; /* posters */
	_Alignas(LINE) uint64_t head;         /* the reader */
	_Alignas(LINE) uint64_t mask;
	size_t letter_size;
	size_t stride;
	mailbox_wake_fn wake;
	void *arg;
	unsigned char *slots; /* owned */
};

static struct slot *slot_at(const struct mailbox *m, uint64_t pos)
{
	return (struct slot *)(void *)(m->slots + (pos & m->mask) * m->stride);
}

int mailbox_new(size_t slots, size_t letter_size, mailbox_wake_fn wake, void *arg,
		struct mailbox **out)
{
	struct mailbox *m;
	size_t n = 2, bytes;

	if (slots > SLOTS_MAX || letter_size == 0 || letter_size > 65536)
		return err_set(-EINVAL,
			       "a mailbox of %zu slots of %zu bytes is too big", slots,
			       letter_size);
	while (n < slots)
		n *= 2;

	m = aligned_alloc(LINE, sizeof(*m));
	if (!m)
		return err_set(-ENOMEM, "no memory for a mailbox");
	*m = (struct mailbox){
		.mask = n - 1, .letter_size = letter_size, .wake = wake, .arg = arg};
	m->stride = (sizeof(struct slot) + letter_size + 7) & ~(size_t)7;
	if (__builtin_mul_overflow(n, m->stride, &bytes))
		goto no_memory;
	m->slots = calloc(1, bytes);
	if (!m->slots)
		goto no_memory;
	for (size_t i = 0; i < n; i++)
		atomic_init(&slot_at(m, i)->turn, i);
	*out = m;
	return 0;
no_memory:
	free(m);
	return err_set(-ENOMEM, "no memory for a mailbox of %zu slots", n);
}

void mailbox_free(struct mailbox *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m);
}

int mailbox_post(struct mailbox *m, const void *letter)
{
	uint64_t pos = atomic_load_explicit(&m->tail, memory_order_relaxed);
	struct slot *s;

	for (;;) {
		uint64_t turn;

		s = slot_at(m, pos);
		turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		if (turn == pos) {
			if (atomic_compare_exchange_weak_explicit(
				    &m->tail, &pos, pos + 1, memory_order_relaxed,
				    memory_order_relaxed))
				break;
		} else if ((int64_t)(turn - pos) < 0) {
			return MAILBOX_FULL;
		} else {
			pos = atomic_load_explicit(&m->tail, memory_order_relaxed);
		}
	}
	memcpy(s->letter, letter, m->letter_size);
	atomic_store_explicit(&s->turn, pos + 1, memory_order_release);
	if (m->wake)
		m->wake(m->arg);
	return 0;
}

int mailbox_take(struct mailbox *m, void *out)
{
	struct slot *s = slot_at(m, m->head);

	if (atomic_load_explicit(&s->turn, memory_order_acquire) != m->head + 1)
		return MAILBOX_EMPTY;
	memcpy(out, s->letter, m->letter_size);
	atomic_store_explicit(&s->turn, m->head + m->mask + 1, memory_order_release);
	m->head++;
	return 0;
}
