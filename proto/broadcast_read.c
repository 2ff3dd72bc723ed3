/*
 * broadcast_read - copy first, then ask whether the copy counts.
 *
 * The writer raises oldest_pos past a frame before it overwrites the first byte
 * of it, and stores every word with release.  A reader that loaded one word of
 * the new content (an acquire) therefore sees the raised oldest_pos in its later
 * load of it: a copy after which oldest_pos is still at or below the frame's
 * start is a copy of that frame and of nothing else.
 *
 * Until that check has passed, word 0 is a number like any other.  It is only
 * used after plausible() has kept it inside the ring and, if it is not
 * plausible, it is the check that tells "lapped" from "corrupt".
 *
 * expect_seq is the sequence of the frame at pos; 0 when it is not known yet
 * (then the first frame that is read tells).  At tail_pos the END mark carries
 * it, so a reader at the newest knows it from the start.
 */
#include "proto/broadcast_read.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CAPACITY_MIN (UINT64_C(1) << 12)
#define CAPACITY_MAX (UINT64_C(1) << 36)

struct broadcast_reader {
	const struct broadcast_head *head; /* owned mapping */
	const uint8_t *ring;
	uint64_t capacity; /* our own checked copies: the page is not ours */
	uint64_t len_max;
	size_t map_bytes;
	uint64_t pos;
	uint64_t expect_seq;
	struct broadcast_loss lost;
};

/** The two words before a payload. */
struct frame {
	uint64_t len;
	uint32_t type;
	uint64_t seq;
};

static uint64_t load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static const _Atomic uint64_t *words_at(const struct broadcast_reader *r, uint64_t pos)
{
	return (const _Atomic uint64_t *)(const void *)(r->ring +
							(pos & (r->capacity - 1)));
}

static struct frame frame_at(const struct broadcast_reader *r, uint64_t pos)
{
	const _Atomic uint64_t *w = words_at(r, pos);
	uint64_t first = load(&w[0]);

	return (struct frame){.len = first & UINT32_MAX,
			      .type = (uint32_t)(first >> 32),
			      .seq = load(&w[1])};
}

/** Does the frame stay inside the ring and inside its limits? */
static bool plausible(const struct broadcast_reader *r, uint64_t pos,
		      const struct frame *f)
{
	uint64_t to_edge = r->capacity - (pos & (r->capacity - 1));

	if (f->type == BROADCAST_PAD)
		return BROADCAST_FRAME_HEAD + f->len == to_edge;
	return f->type == BROADCAST_FRAME && f->len <= r->len_max &&
	       broadcast_span(f->len) <= to_edge;
}

static bool is_overwritten(const struct broadcast_reader *r, uint64_t pos)
{
	return load(&r->head->oldest_pos) > pos;
}

static int corrupt(const struct broadcast_reader *r)
{
	return err_set(-EBADMSG, "the broadcast ring is corrupt at position %llu",
		       (unsigned long long)r->pos);
}

static int check_seals(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return err_set(-EPERM, "the descriptor of the broadcast ring is not a "
				       "sealed memory file");
	if (!(seals & F_SEAL_SHRINK))
		return err_set(-EPERM, "the broadcast ring is not sealed against "
				       "shrinking: its reader could be killed");
	return 0;
}

static int check_head(struct broadcast_reader *r)
{
	const struct broadcast_head *h = r->head;
	uint64_t capacity = h->capacity;

	if (h->magic != BROADCAST_MAGIC)
		return err_set(-EBADMSG, "the shared memory is not a broadcast ring");
	if (h->version != BROADCAST_VERSION || h->head_bytes != BROADCAST_HEAD_BYTES)
		return err_set(-EBADMSG,
			       "the broadcast ring has version %u, we know %d",
			       h->version, BROADCAST_VERSION);
	if (capacity < CAPACITY_MIN || capacity > CAPACITY_MAX ||
	    (capacity & (capacity - 1)) != 0 ||
	    capacity != r->map_bytes - BROADCAST_HEAD_BYTES)
		return err_set(-EBADMSG,
			       "the broadcast ring says %llu bytes in a file "
			       "of %zu",
			       (unsigned long long)capacity, r->map_bytes);
	r->capacity = capacity;
	r->len_max = capacity / 4 - BROADCAST_FRAME_HEAD;
	return 0;
}

int broadcast_open(int fd, struct broadcast_reader **out)
{
	struct broadcast_reader *r = NULL;
	struct stat st;
	void *map;
	int rc = check_seals(fd);

	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return err_set(-errno, "fstat of a broadcast ring: %s",
			       strerror(errno));
	if (st.st_size <= BROADCAST_HEAD_BYTES)
		return err_set(-EBADMSG, "a broadcast ring of %lld bytes",
			       (long long)st.st_size);

	r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(-ENOMEM, "no memory for a reader");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		rc = err_set(-errno, "cannot map a broadcast ring: %s",
			     strerror(errno));
		goto fail;
	}
	r->head = map;
	r->ring = (const uint8_t *)map + BROADCAST_HEAD_BYTES;
	r->map_bytes = (size_t)st.st_size;

	rc = check_head(r);
	if (rc < 0)
		goto fail;
	broadcast_seek_newest(r);
	*out = r;
	return 0;
fail:
	broadcast_close(r);
	return rc;
}

void broadcast_close(struct broadcast_reader *r)
{
	if (!r)
		return;
	if (r->head)
		(void)munmap((void *)(uintptr_t)r->head, r->map_bytes);
	free(r);
}

/** Move to @pos, whatever stands there tells the sequence. */
static int move_to(struct broadcast_reader *r, uint64_t pos)
{
	struct frame f;

	if (pos % BROADCAST_ALIGN != 0)
		return corrupt(r);
	f = frame_at(r, pos);
	r->pos = pos;
	r->expect_seq = is_overwritten(r, pos) ? 0 : f.seq;
	return 0;
}

/*
 * Overtaken: go on at half_pos, which leaves a good part of the ring before the
 * writer comes round again.  If it comes round all the same while we look, the
 * sequence stays what was expected before and the next lap counts both.
 */
static int lapped(struct broadcast_reader *r)
{
	uint64_t from = r->pos;
	uint64_t expected = r->expect_seq;
	uint64_t half = load(&r->head->half_pos);
	uint64_t oldest = load(&r->head->oldest_pos);
	int rc;

	if (oldest <= from)
		return corrupt(r);
	rc = move_to(r, half > oldest ? half : oldest);
	if (rc < 0)
		return rc;
	if (r->expect_seq == 0)
		r->expect_seq = expected;
	else if (expected != 0 && r->expect_seq >= expected)
		r->lost.frames += r->expect_seq - expected;
	r->lost.bytes += r->pos - from;
	return BROADCAST_LAPPED;
}

static void copy_payload(const struct broadcast_reader *r, void *buf, size_t len)
{
	const _Atomic uint64_t *w = words_at(r, r->pos + BROADCAST_FRAME_HEAD);
	uint64_t *to = buf;
	uint64_t last;

	for (; len >= sizeof(*to); len -= sizeof(*to))
		*to++ = load(w++);
	if (len == 0)
		return;
	last = load(w);
	memcpy(to, &last, len);
}

int broadcast_read(struct broadcast_reader *r, void *buf, size_t cap, size_t *out_len,
		   uint64_t *out_seq)
{
	struct frame f;

	assert((uintptr_t)buf % sizeof(uint64_t) == 0);
	for (unsigned pads = 0; pads < 2; pads++) {
		if (load(&r->head->tail_pos) == r->pos)
			return BROADCAST_EMPTY;
		f = frame_at(r, r->pos);
		if (!plausible(r, r->pos, &f))
			return is_overwritten(r, r->pos) ? lapped(r) : corrupt(r);
		if (f.type == BROADCAST_FRAME)
			break;
		if (is_overwritten(r, r->pos))
			return lapped(r);
		r->pos += broadcast_span(f.len);
	}
	if (f.type != BROADCAST_FRAME)
		return corrupt(r);
	if (f.len > cap && !is_overwritten(r, r->pos)) {
		*out_len = (size_t)f.len;
		return BROADCAST_TOO_LONG;
	}
	if (f.len <= cap)
		copy_payload(r, buf, (size_t)f.len);
	if (is_overwritten(r, r->pos))
		return lapped(r);

	/* After a lap whose new start was lost again before we saw its sequence. */
	if (r->expect_seq != 0 && f.seq > r->expect_seq)
		r->lost.frames += f.seq - r->expect_seq;
	r->pos += broadcast_span(f.len);
	r->expect_seq = f.seq + 1;
	*out_len = (size_t)f.len;
	*out_seq = f.seq;
	return 0;
}

void broadcast_seek_newest(struct broadcast_reader *r)
{
	(void)move_to(r, load(&r->head->tail_pos));
}

void broadcast_seek_oldest(struct broadcast_reader *r)
{
	(void)move_to(r, load(&r->head->oldest_pos));
}

/*
 * Walk from the oldest frame.  Each step is checked after it was read; when the
 * writer overtakes the walk it begins again from the new oldest, which it may do
 * only as long as @seq can still be ahead, and not more often than this.
 */
#define SEEK_TRIES 64

/** 0: at @seq; BROADCAST_GONE; BROADCAST_LAPPED: try again. */
static int walk(struct broadcast_reader *r, uint64_t seq)
{
	uint64_t pos = load(&r->head->oldest_pos);
	uint64_t tail = load(&r->head->tail_pos);

	while (pos % BROADCAST_ALIGN == 0) {
		struct frame f = frame_at(r, pos);

		if (is_overwritten(r, pos))
			return BROADCAST_LAPPED;
		if (f.seq > seq || (pos >= tail && f.seq != seq))
			return BROADCAST_GONE;
		if (f.seq == seq) {
			r->pos = pos;
			r->expect_seq = seq;
			return 0;
		}
		if (!plausible(r, pos, &f))
			return BROADCAST_GONE;
		pos += broadcast_span(f.len);
	}
	return BROADCAST_GONE;
}

int broadcast_seek(struct broadcast_reader *r, uint64_t seq)
{
	for (unsigned i = 0; i < SEEK_TRIES; i++) {
		int rc = walk(r, seq);

		if (rc != BROADCAST_LAPPED)
			return rc;
	}
	return BROADCAST_GONE;
}

const struct broadcast_loss *broadcast_lost(const struct broadcast_reader *r)
{
	return &r->lost;
}

uint64_t broadcast_lag(const struct broadcast_reader *r)
{
	return load(&r->head->tail_pos) - r->pos;
}

size_t broadcast_len_max(const struct broadcast_reader *r)
{
	return (size_t)r->len_max;
}

uint32_t broadcast_kind(const struct broadcast_reader *r)
{
	return r->head->kind;
}
