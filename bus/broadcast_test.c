/* broadcast - one writer, readers behind a read-only map, honest about losses. */
#include "bus/broadcast.h"
#include "bus/check_test.h"
#include "proto/broadcast_read.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_BYTES 4096

static struct broadcast *new_ring(void)
{
	struct broadcast *b;

	assert_int_equal(broadcast_new(RING_BYTES, 2, &b), 0);
	return b;
}

static struct broadcast_reader *new_reader(const struct broadcast *b)
{
	struct broadcast_reader *r;

	assert_int_equal(broadcast_open(broadcast_fd(b), &r), 0);
	return r;
}

static void write_number(struct broadcast *b, uint64_t v)
{
	assert_int_equal(broadcast_write(b, &v, sizeof(v)), 0);
}

static uint64_t read_number(struct broadcast_reader *r, uint64_t *seq)
{
	uint64_t v = 0;
	size_t len;

	assert_int_equal(broadcast_read(r, &v, sizeof(v), &len, seq), 0);
	assert_int_equal(len, sizeof(v));
	return v;
}

static void a_reader_sees_what_is_written_after_it_came(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r;
	uint64_t v, seq;
	size_t len;

	(void)state;
	write_number(b, 10);
	r = new_reader(b);
	assert_int_equal(broadcast_kind(r), 2);
	assert_int_equal(broadcast_read(r, &v, 8, &len, &seq), BROADCAST_EMPTY);
	write_number(b, 11);
	write_number(b, 12);
	assert_int_equal(read_number(r, &seq), 11);
	assert_int_equal(seq, 2);
	assert_int_equal(read_number(r, &seq), 12);
	assert_int_equal(seq, 3);
	assert_int_equal(broadcast_read(r, &v, 8, &len, &seq), BROADCAST_EMPTY);
	broadcast_close(r);
	broadcast_free(b);
}

static void a_reader_may_start_at_the_oldest_or_at_a_frame(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r = new_reader(b);
	uint64_t seq;
	uint64_t oldest;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		write_number(b, i * 10);
	broadcast_seek_oldest(r);
	oldest = read_number(r, &seq) / 10;
	assert_int_equal(oldest, seq);
	assert_in_range(oldest, 1000 - RING_BYTES / 32, 1000 - RING_BYTES / 32 + 4);

	assert_int_equal(broadcast_seek(r, 950), 0);
	assert_int_equal(read_number(r, &seq), 9500);
	assert_int_equal(broadcast_seek(r, 3), BROADCAST_GONE);
	assert_int_equal(read_number(r, &seq), 9510);
	assert_int_equal(broadcast_seek(r, 1002), BROADCAST_GONE);
	assert_int_equal(broadcast_seek(r, 1001), 0);
	assert_int_equal(broadcast_lag(r), 0);
	broadcast_seek_newest(r);
	write_number(b, 7);
	assert_int_equal(read_number(r, &seq), 7);
	assert_int_equal(seq, 1001);
	assert_int_equal(broadcast_lost(r)->frames, 0);
	broadcast_close(r);
	broadcast_free(b);
}

static void a_lapped_reader_is_told_how_many_frames_and_bytes(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r = new_reader(b);
	uint64_t v, seq;
	size_t len;

	(void)state;
	write_number(b, 1);
	assert_int_equal(read_number(r, &seq), 1);
	for (uint64_t i = 2; i <= 500; i++)
		write_number(b, i);
	assert_int_equal(broadcast_read(r, &v, 8, &len, &seq), BROADCAST_LAPPED);
	v = read_number(r, &seq);
	assert_int_equal(v, seq);
	assert_int_equal(broadcast_lost(r)->frames, v - 2);
	assert_int_equal(broadcast_lost(r)->bytes, (v - 2) * 32);
	/* It was put where it has time: neither at the brink nor at the end. */
	assert_in_range(v, 500 - 80, 500 - 20);
	for (uint64_t i = v + 1; i <= 500; i++)
		assert_int_equal(read_number(r, &seq), i);
	assert_int_equal(broadcast_read(r, &v, 8, &len, &seq), BROADCAST_EMPTY);
	broadcast_close(r);
	broadcast_free(b);
}

static void frames_of_every_length_cross_the_edge_whole(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r = new_reader(b);
	_Alignas(8) uint8_t out[RING_BYTES];
	uint8_t in[RING_BYTES];
	size_t max = broadcast_write_max(b);
	size_t len;
	uint64_t seq;

	(void)state;
	assert_int_equal(max, broadcast_len_max(r));
	for (size_t i = 0; i < 20000; i++) {
		size_t n = i * 7919 % (max + 1);

		memset(in, (int)(i & 0xff), n);
		assert_int_equal(broadcast_write(b, in, n), 0);
		memset(out, 0xee, n + 8);
		assert_int_equal(broadcast_read(r, out, sizeof(out), &len, &seq), 0);
		assert_int_equal(len, n);
		assert_int_equal(seq, i + 1);
		assert_memory_equal(in, out, n);
		assert_int_equal(out[n], 0xee);
	}
	assert_int_equal(broadcast_write(b, in, max + 1), -EMSGSIZE);
	assert_int_equal(broadcast_read(r, out, sizeof(out), &len, &seq),
			 BROADCAST_EMPTY);
	broadcast_close(r);
	broadcast_free(b);
}

static void whatever_the_frame_sizes_a_lapped_reader_finds_its_way_back(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r = new_reader(b);
	_Alignas(8) uint8_t out[RING_BYTES];
	size_t max = broadcast_write_max(b);
	uint64_t random = 88172645463325252u;
	uint64_t read = 0;
	uint64_t seq = 0;
	size_t len;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		int rc;

		for (unsigned i = 0; i < 1 + random % 9; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			memset(out, 'x', max);
			assert_int_equal(
				broadcast_write(b, out,
						random % 3 ? random % (max + 1) : max),
				0);
		}
		do {
			rc = broadcast_read(r, out, sizeof(out), &len, &seq);
			assert_true(rc >= 0);
			read += rc == 0;
		} while (rc == BROADCAST_LAPPED);
		/* Every frame so far was read or counted as lost. */
		assert_int_equal(read + broadcast_lost(r)->frames, seq);
	}
	assert_true(broadcast_lost(r)->frames > 1000);
	broadcast_close(r);
	broadcast_free(b);
}

static void a_buffer_too_small_is_refused_and_nothing_is_skipped(void **state)
{
	struct broadcast *b = new_ring();
	struct broadcast_reader *r = new_reader(b);
	_Alignas(8) char out[32];
	size_t len;
	uint64_t seq;

	(void)state;
	assert_int_equal(broadcast_write(b, "twenty bytes of text", 20), 0);
	assert_int_equal(broadcast_read(r, out, 19, &len, &seq), BROADCAST_TOO_LONG);
	assert_int_equal(len, 20);
	assert_int_equal(broadcast_read(r, out, 20, &len, &seq), 0);
	assert_memory_equal(out, "twenty bytes of text", 20);
	broadcast_close(r);
	broadcast_free(b);
}

static void readers_cannot_write_nor_shrink_the_ring(void **state)
{
	struct broadcast *b = new_ring();
	int fd = broadcast_fd(b);

	(void)state;
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	write_number(b, 1);
	broadcast_free(b);
}

static void what_is_no_ring_is_refused_with_a_reason(void **state)
{
	struct broadcast_reader *r = NULL;
	struct broadcast_head head = {.magic = BROADCAST_MAGIC,
				      .version = BROADCAST_VERSION + 1,
				      .head_bytes = BROADCAST_HEAD_BYTES,
				      .capacity = 8192};
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(broadcast_open(-1, &r), -EPERM);
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(broadcast_open(fd, &r), -EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(broadcast_open(fd, &r), -EBADMSG);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(broadcast_open(fd, &r), -EBADMSG);
	head.version = BROADCAST_VERSION; /* and a capacity that is not the file's */
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(broadcast_open(fd, &r), -EBADMSG);
	head.capacity = 4096;
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(broadcast_open(fd, &r), 0);
	broadcast_close(r);
	close(fd);
}

#define FRAMES 200000u

struct race {
	struct broadcast *b;
	atomic_bool done;
};

static void *write_all(void *arg)
{
	struct race *race = arg;
	uint64_t frame[40];

	for (uint64_t i = 1; i <= FRAMES; i++) {
		size_t n = 1 + i % 40;

		for (size_t k = 0; k < n; k++)
			frame[k] = i * 1000 + k;
		(void)broadcast_write(race->b, frame, n * sizeof(frame[0]));
	}
	atomic_store(&race->done, true);
	return NULL;
}

static void no_torn_frame_is_ever_given_out(void **state)
{
	struct race race = {.b = new_ring()};
	struct broadcast_reader *r = new_reader(race.b);
	uint64_t frame[40];
	uint64_t read = 0, wrong = 0, last = 0, seq;
	pthread_t writer;
	size_t len;

	(void)state;
	check_thread(&writer, write_all, &race);
	for (;;) {
		bool done = atomic_load(&race.done);
		int rc = broadcast_read(r, frame, sizeof(frame), &len, &seq);

		if (rc == BROADCAST_EMPTY && done)
			break;
		wrong += rc < 0 || rc == BROADCAST_TOO_LONG;
		if (rc != 0)
			continue;
		wrong += len != (1 + seq % 40) * 8 || seq <= last;
		for (size_t k = 0; k < len / 8; k++)
			wrong += frame[k] != seq * 1000 + k;
		read++;
		last = seq;
	}
	pthread_join(writer, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(last, FRAMES);
	assert_int_equal(read + broadcast_lost(r)->frames, FRAMES);
	broadcast_close(r);
	broadcast_free(race.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_sees_what_is_written_after_it_came),
		cmocka_unit_test(a_reader_may_start_at_the_oldest_or_at_a_frame),
		cmocka_unit_test(a_lapped_reader_is_told_how_many_frames_and_bytes),
		cmocka_unit_test(frames_of_every_length_cross_the_edge_whole),
		cmocka_unit_test(
			whatever_the_frame_sizes_a_lapped_reader_finds_its_way_back),
		cmocka_unit_test(a_buffer_too_small_is_refused_and_nothing_is_skipped),
		cmocka_unit_test(readers_cannot_write_nor_shrink_the_ring),
		cmocka_unit_test(what_is_no_ring_is_refused_with_a_reason),
		cmocka_unit_test(no_torn_frame_is_ever_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
