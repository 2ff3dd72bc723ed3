/*
 * broadcast - one writer, in three steps per frame:
 *
 *   1. make room: raise oldest_pos past every frame that the new one, the pad
 *      before it and the END mark behind it will overwrite;
 *   2. write the words, each a release store;
 *   3. move tail_pos, a release store.
 *
 * Why readers are safe: step 1 comes before step 2 in program order and every
 * store of step 2 is a release, so whoever has seen a word of step 2 also sees
 * what step 1 wrote (proto/broadcast_read.c has the other half).  On x86 these
 * are plain stores; no fence is needed, and none would be understood by
 * ThreadSanitizer.
 *
 * The oldest frame is found by walking the writer's own frame heads, which
 * nobody else can change: the file is sealed against other writers.
 */
#include "bus/broadcast.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Since Linux 5.1; older C libraries do not name it. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define BYTES_MIN ((size_t)4096)
#define BYTES_MAX ((size_t)1 << 36)

struct broadcast {
	struct broadcast_head *head; /* owned mapping */
	uint8_t *ring;
	uint64_t mask;
	uint64_t oldest;
	uint64_t tail;
	uint64_t half;      /* what half_pos says */
	uint64_t half_next; /* the newest candidate to become half_pos */
	uint64_t seq;       /* of the next frame */
	size_t map_bytes;
	int fd;
};

static _Atomic uint64_t *words_at(const struct broadcast *b, uint64_t pos)
{
	return (_Atomic uint64_t *)(void *)(b->ring + (pos & b->mask));
}

static void put(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

static void put_head(struct broadcast *b, uint64_t pos, uint32_t type, uint64_t len)
{
	_Atomic uint64_t *w = words_at(b, pos);

	put(&w[0], (uint64_t)type << 32 | len);
	put(&w[1], b->seq);
}

static int seal(int fd)
{
	/* The writer's own mapping exists already: it alone stays writable. */
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return err_set(-errno, "cannot seal a broadcast ring: %s",
			       strerror(errno));
	return 0;
}

static int map_ring(struct broadcast *b)
{
	void *map;

	b->fd = memfd_create("tickbus-broadcast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (b->fd < 0)
		return err_set(-errno, "memfd_create: %s", strerror(errno));
	if (ftruncate(b->fd, (off_t)b->map_bytes) < 0)
		return err_set(-errno, "cannot size a broadcast ring of %zu bytes: %s",
			       b->map_bytes, strerror(errno));
	map = mmap(NULL, b->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (map == MAP_FAILED)
		return err_set(-errno, "cannot map a broadcast ring of %zu bytes: %s",
			       b->map_bytes, strerror(errno));
	b->head = map;
	b->ring = (uint8_t *)map + BROADCAST_HEAD_BYTES;
	return seal(b->fd);
}

int broadcast_new(size_t bytes, uint32_t kind, struct broadcast **out)
{
	size_t n = BYTES_MIN;
	struct broadcast *b;
	int rc;

	if (bytes > BYTES_MAX)
		return err_set(-EINVAL, "a broadcast ring of %zu bytes", bytes);
	while (n < bytes)
		n *= 2;

	b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(-ENOMEM, "no memory for a broadcast ring");
	b->fd = -1;
	b->mask = n - 1;
	b->map_bytes = BROADCAST_HEAD_BYTES + n;
	b->seq = 1;
	rc = map_ring(b);
	if (rc < 0) {
		broadcast_free(b);
		return rc;
	}

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a map is never NULL */
	b->head->version = BROADCAST_VERSION;
	b->head->head_bytes = BROADCAST_HEAD_BYTES;
	b->head->capacity = n;
	b->head->len_max = broadcast_write_max(b);
	b->head->kind = kind;
	b->head->writer_pid = (uint32_t)getpid();
	put_head(b, 0, BROADCAST_END, 0);
	b->head->magic = BROADCAST_MAGIC;
	*out = b;
	return 0;
}

void broadcast_free(struct broadcast *b)
{
	if (!b)
		return;
	if (b->head)
		(void)munmap(b->head, b->map_bytes);
	if (b->fd >= 0)
		(void)close(b->fd);
	free(b);
}

int broadcast_fd(const struct broadcast *b)
{
	return b->fd;
}

size_t broadcast_write_max(const struct broadcast *b)
{
	return (size_t)(b->mask + 1) / 4 - BROADCAST_FRAME_HEAD;
}

uint64_t broadcast_next_seq(const struct broadcast *b)
{
	return b->seq;
}

/** Give up the oldest frames until everything before @end may be written. */
static void make_room(struct broadcast *b, uint64_t end)
{
	uint64_t oldest = b->oldest;

	while (oldest + b->mask + 1 < end) {
		uint64_t head =
			atomic_load_explicit(words_at(b, oldest), memory_order_relaxed);

		oldest += broadcast_span(head & UINT32_MAX);
	}
	if (oldest == b->oldest)
		return;
	b->oldest = oldest;
	put(&b->head->oldest_pos, oldest);
}

/*
 * Two frame starts, a quarter of a ring or more apart: while the tail moves away
 * from the newer one the older is where lapped readers go on.  With small frames
 * it is between a quarter and half a ring old; with the largest it may be
 * overwritten, then readers go on at the oldest frame.
 */
static void move_half(struct broadcast *b, uint64_t start)
{
	if (start - b->half_next < (b->mask + 1) / 4)
		return;
	b->half = b->half_next;
	b->half_next = start;
	put(&b->head->half_pos, b->half);
}

static void put_payload(_Atomic uint64_t *w, const void *data, size_t len)
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

int broadcast_write(struct broadcast *b, const void *data, size_t len)
{
	uint64_t span = broadcast_span(len);
	uint64_t to_edge = b->mask + 1 - (b->tail & b->mask);
	uint64_t start = b->tail;

	if (len > broadcast_write_max(b))
		return err_set(-EMSGSIZE, "a frame of %zu bytes, the ring takes %zu",
			       len, broadcast_write_max(b));
	if (span > to_edge)
		start += to_edge;

	make_room(b, start + span + BROADCAST_FRAME_HEAD);
	if (start != b->tail)
		put_head(b, b->tail, BROADCAST_PAD, to_edge - BROADCAST_FRAME_HEAD);
	put_head(b, start, BROADCAST_FRAME, len);
	put_payload(words_at(b, start + BROADCAST_FRAME_HEAD), data, len);

	b->seq++;
	b->tail = start + span;
	put_head(b, b->tail, BROADCAST_END, 0);
	move_half(b, start);
	put(&b->head->tail_pos, b->tail);
	return 0;
}
