/*
 * symbuf - one array of slots, depth of them per symbol, and one row per symbol.
 *
 *	row[symbol]   next, served, high water | last sequence of each kind
 *	slot[symbol * depth + place % depth]   stamp, meta, the event's words
 *
 * A slot is a small seqlock: `stamp` is 1 + the place of the event inside, or
 * BUSY while the owner changes it.  A reader copies the words out and keeps them
 * only if the stamp was the same before and after.
 *
 * The words are stored with release and loaded with acquire, which costs nothing
 * on x86, needs no fence, and lets ThreadSanitizer follow: a reader that saw a
 * word of the new event also sees that the stamp has changed.
 *
 * A mark is consistent for the same reason: a push turns the stamp of the slot at
 * `next` to BUSY before it touches a sequence, then to the new stamp, and moves
 * `next` last.  Thus, if that stamp is an old one and neither it nor next has
 * changed after the sequences were read, no push was under way in between.
 */
#include "bus/symbuf.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUSY       UINT64_MAX
#define LINE       64
#define DEPTH_MAX  (1u << 20)
#define MARK_TRIES 16

/* meta: sequence in the high 48 bits, then length, then kind. */
#define META_LEN_SHIFT 8
#define META_SEQ_SHIFT 16

struct row {
	_Alignas(64) _Atomic uint64_t next; /* place of the next event */
	_Atomic uint64_t served;            /* places below are done */
	_Atomic uint64_t high_water;
	_Alignas(64) _Atomic uint64_t seq[EVENT_KINDS]; /* last one given */
};

struct slot {
	_Atomic uint64_t stamp;
	_Atomic uint64_t meta;
	_Atomic uint64_t word[];
};

struct symbuf {
	struct row *rows; /* owned mapping */
	uint8_t *slots;   /* owned mapping */
	uint64_t mask;    /* depth - 1 */
	size_t slot_bytes;
	size_t event_bytes;
	uint32_t symbols_max;
	size_t rows_bytes;
	size_t slots_bytes;
};

static uint64_t get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_acquire);
}

/** What the owner alone writes, read by the owner. */
static uint64_t own(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static void put(_Atomic uint64_t *v, uint64_t value)
{
	atomic_store_explicit(v, value, memory_order_release);
}

static struct slot *slot_at(const struct symbuf *b, uint32_t symbol, uint64_t place)
{
	size_t i = (size_t)symbol * (b->mask + 1) + (place & b->mask);

	return (struct slot *)(void *)(b->slots + i * b->slot_bytes);
}

/*
 * Zeroed pages that take no memory until they are touched.  Ids are dense, so
 * huge pages waste little, and without them every append misses the TLB.
 */
static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

int symbuf_new(uint32_t symbols_max, uint32_t depth, size_t event_bytes,
	       struct symbuf **out)
{
	size_t n = 2;
	struct symbuf *b;

	if (symbols_max == 0 || symbols_max == UINT32_MAX || depth == 0 ||
	    depth > DEPTH_MAX || event_bytes == 0 || event_bytes > SYMBUF_EVENT_MAX)
		return err_set(-EINVAL,
			       "buffers of %u events of %zu bytes for %u symbols",
			       depth, event_bytes, symbols_max);
	while (n < depth)
		n *= 2;

	b = calloc(1, sizeof(*b));
	if (!b)
		goto fail;
	b->mask = n - 1;
	b->event_bytes = (event_bytes + 7) & ~(size_t)7;
	b->slot_bytes = sizeof(struct slot) + b->event_bytes;
	b->symbols_max = symbols_max;
	b->rows_bytes = symbols_max * sizeof(struct row);
	if (__builtin_mul_overflow(n * b->slot_bytes, (size_t)symbols_max,
				   &b->slots_bytes))
		goto fail;
	b->rows = reserve(b->rows_bytes);
	b->slots = reserve(b->slots_bytes);
	if (!b->rows || !b->slots)
		goto fail;
	*out = b;
	return 0;
fail:
	symbuf_free(b);
	return err_set(-ENOMEM, "no memory for buffers of %u events for %u symbols",
		       depth, symbols_max);
}

void symbuf_free(struct symbuf *b)
{
	if (!b)
		return;
	if (b->rows)
		(void)munmap(b->rows, b->rows_bytes);
	if (b->slots)
		(void)munmap(b->slots, b->slots_bytes);
	free(b);
}

uint32_t symbuf_depth_max(const struct symbuf *b)
{
	return (uint32_t)(b->mask + 1);
}

size_t symbuf_event_bytes(const struct symbuf *b)
{
	return b->event_bytes;
}

static void put_words(_Atomic uint64_t *w, const void *data, size_t len)
{
	const uint8_t *from = data;
	uint64_t last = 0;

	for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from, sizeof(word));
		put(w++, word);
		from += sizeof(word);
	}
	if (len == 0)
		return;
	memcpy(&last, from, len);
	put(w, last);
}

uint64_t symbuf_push(struct symbuf *b, uint32_t symbol, enum event_kind kind,
		     const void *data, size_t len)
{
	struct row *r = &b->rows[symbol];
	uint64_t place = own(&r->next);
	uint64_t seq = own(&r->seq[kind]) + 1;
	struct slot *s = slot_at(b, symbol, place);
	uint64_t pending = place + 1 - own(&r->served);

	assert(symbol < b->symbols_max);
	assert(len <= b->event_bytes);

	put(&s->stamp, BUSY);
	put(&r->seq[kind], seq);
	put(&s->meta, seq << META_SEQ_SHIFT | len << META_LEN_SHIFT | (uint64_t)kind);
	put_words(s->word, data, len);
	put(&s->stamp, place + 1);
	put(&r->next, place + 1);

	if (pending > own(&r->high_water))
		put(&r->high_water, pending);
	return seq;
}

uint64_t symbuf_pending(const struct symbuf *b, uint32_t symbol)
{
	const struct row *r = &b->rows[symbol];

	return own(&r->next) - own(&r->served);
}

bool symbuf_front(const struct symbuf *b, uint32_t symbol, struct symbuf_view *out)
{
	const struct row *r = &b->rows[symbol];
	uint64_t place = own(&r->served);
	const struct slot *s = slot_at(b, symbol, place);
	uint64_t meta = own(&s->meta);

	if (place == own(&r->next))
		return false;
	/* The bus appends only while the queue is shorter than the buffer. */
	assert(own(&s->stamp) == place + 1);
	*out = (struct symbuf_view){.data = (const void *)s->word,
				    .seq = meta >> META_SEQ_SHIFT,
				    .symbol_id = symbol,
				    .len = (uint8_t)(meta >> META_LEN_SHIFT),
				    .kind = (uint8_t)meta};
	return true;
}

void symbuf_done(struct symbuf *b, uint32_t symbol)
{
	struct row *r = &b->rows[symbol];

	assert(own(&r->served) < own(&r->next));
	put(&r->served, own(&r->served) + 1);
}

void symbuf_prefetch(const struct symbuf *b, uint32_t symbol)
{
	const struct row *r = &b->rows[symbol];

	__builtin_prefetch(r, 1);
	__builtin_prefetch(r->seq, 1);
}

void symbuf_prefetch_slot(const struct symbuf *b, uint32_t symbol)
{
	const struct slot *s = slot_at(b, symbol, own(&b->rows[symbol].next));

	const uint8_t *last = (const uint8_t *)s + b->slot_bytes - 1;

	/* Every line: a store that misses holds up all loads that wait for stores. */
	for (const uint8_t *at = (const uint8_t *)s; at < last; at += LINE)
		__builtin_prefetch(at, 1);
	__builtin_prefetch(last, 1);
}

int symbuf_at(const struct symbuf *b, uint32_t symbol, uint64_t place,
	      struct symbuf_event *out)
{
	const struct slot *s = slot_at(b, symbol, place);
	uint64_t word[SYMBUF_EVENT_MAX / sizeof(uint64_t)];
	uint64_t meta;
	size_t len;

	if (get(&s->stamp) != place + 1)
		return SYMBUF_LAPPED;
	meta = get(&s->meta);
	len = (uint8_t)(meta >> META_LEN_SHIFT);
	for (size_t i = 0; i * sizeof(*word) < len; i++)
		word[i] = get(&s->word[i]);
	if (own(&s->stamp) != place + 1)
		return SYMBUF_LAPPED;

	out->seq = meta >> META_SEQ_SHIFT;
	out->symbol_id = symbol;
	out->len = (uint16_t)len;
	out->kind = (uint8_t)meta;
	out->reserved = 0;
	memcpy(out->data, word, len);
	return 0;
}

int symbuf_read(const struct symbuf *b, uint32_t symbol, uint64_t *cursor,
		struct symbuf_event *out)
{
	uint64_t next = get(&b->rows[symbol].next);

	if (*cursor == next)
		return SYMBUF_EMPTY;
	if (symbuf_at(b, symbol, *cursor, out) == 0) {
		(*cursor)++;
		return 0;
	}
	/* A quarter ahead of the oldest, so that the next read has time. */
	next = get(&b->rows[symbol].next);
	*cursor = next - (b->mask + 1) + (b->mask + 1) / 4;
	return SYMBUF_LAPPED;
}

bool symbuf_mark(const struct symbuf *b, uint32_t symbol, struct symbuf_mark *out)
{
	const struct row *r = &b->rows[symbol];

	for (unsigned i = 0; i < MARK_TRIES; i++) {
		uint64_t next = get(&r->next);
		const struct slot *s = slot_at(b, symbol, next);
		uint64_t stamp = get(&s->stamp);
		struct symbuf_mark m = {.next = next};

		/* Being written, or written and not yet counted. */
		if (stamp == BUSY || stamp == next + 1)
			continue;
		for (unsigned k = 0; k < EVENT_KINDS; k++)
			m.seq[k] = get(&r->seq[k]);
		if (get(&s->stamp) == stamp && get(&r->next) == next) {
			*out = m;
			return true;
		}
	}
	return false;
}

uint64_t symbuf_next(const struct symbuf *b, uint32_t symbol)
{
	return get(&b->rows[symbol].next);
}

uint64_t symbuf_served(const struct symbuf *b, uint32_t symbol)
{
	return get(&b->rows[symbol].served);
}

uint64_t symbuf_depth(const struct symbuf *b, uint32_t symbol)
{
	uint64_t served = get(&b->rows[symbol].served);

	return get(&b->rows[symbol].next) - served;
}

uint64_t symbuf_high_water(const struct symbuf *b, uint32_t symbol)
{
	return get(&b->rows[symbol].high_water);
}
