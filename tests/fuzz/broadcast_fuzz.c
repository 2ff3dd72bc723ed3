/*
 * Foreign shared memory: a ring of 4,096 bytes whose head and contents are the
 * input.  The reader may refuse it or find it corrupt; it must not read outside
 * the mapping, nor run for ever, nor give out more than the ring can hold.
 *
 * input: up to 4,096 bytes of head (padded with zeros), then the ring.  An input
 * of at most 4,096 bytes is the ring alone behind a good head.
 */
#include "proto/broadcast_read.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(uint8_t *map, const uint8_t *data, size_t size)
{
	struct broadcast_head head = {.magic = BROADCAST_MAGIC,
				      .version = BROADCAST_VERSION,
				      .head_bytes = BROADCAST_HEAD_BYTES,
				      .capacity = RING_BYTES};
	size_t n = size < RING_BYTES ? size : RING_BYTES;

	if (size > BROADCAST_HEAD_BYTES) {
		memcpy(map, data, BROADCAST_HEAD_BYTES);
		data += BROADCAST_HEAD_BYTES;
		n = size - BROADCAST_HEAD_BYTES;
		n = n < RING_BYTES ? n : RING_BYTES;
	} else {
		/* The first 24 bytes are the three positions. */
		uint64_t pos[3] = {0};

		memcpy(pos, data, size < sizeof(pos) ? size : sizeof(pos));
		head.oldest_pos = pos[0];
		head.tail_pos = pos[1];
		head.half_pos = pos[2];
		memcpy(map, &head, sizeof(head));
	}
	memcpy(map + BROADCAST_HEAD_BYTES, data, n);
}

static void read_some(struct broadcast_reader *r)
{
	static uint64_t buf[RING_BYTES / sizeof(uint64_t)];
	size_t len;
	uint64_t seq;

	for (int i = 0; i < 300; i++) {
		int rc = broadcast_read(r, buf, sizeof(buf), &len, &seq);

		if (rc == 0 && len > broadcast_len_max(r))
			abort();
		if (rc < 0 || rc == BROADCAST_EMPTY)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct broadcast_reader *r;
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t bytes = BROADCAST_HEAD_BYTES + RING_BYTES;
	uint8_t *map;

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		abort();
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		abort();
	fill(map, data, size);
	if (broadcast_open(fd, &r) == 0) {
		read_some(r);
		broadcast_seek_oldest(r);
		read_some(r);
		if (broadcast_seek(r, size ? data[size - 1] : 1) == 0)
			read_some(r);
		broadcast_close(r);
	}
	(void)munmap(map, bytes);
	(void)close(fd);
	return 0;
}
