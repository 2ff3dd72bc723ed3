/*
 * A ring written by hand, as proto/broadcast_layout.h describes it: the writer of
 * the daemon lies in a layer that clients cannot see.
 */
#include "client/tickbus.h"
#include "proto/broadcast_layout.h"
#include "proto/frame.h"
#include "proto/sample_test.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define RINGS    6
#define CAPACITY (1u << 20)

static const enum event_kind kind_of[RINGS] = {EVENT_TICK,  EVENT_BAR,    EVENT_TIER1,
					       EVENT_TIER2, EVENT_STATUS, EVENT_NEWS};

static struct {
	char dir[64];
	char path[96];
	int listener;
	int fds[RINGS];
	struct broadcast_head *ring[RINGS];
	uint64_t seq; /* of the tick ring's next frame */
	uint32_t version;
	int n; /* connections to answer */
	pthread_t thread;
} server;

static void make_ring(int i)
{
	size_t size = BROADCAST_HEAD_BYTES + CAPACITY;
	struct broadcast_head *h;
	uint64_t *end;

	server.fds[i] = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(server.fds[i], (off_t)size), 0);
	h = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, server.fds[i], 0);
	assert_ptr_not_equal(h, MAP_FAILED);
	h->magic = BROADCAST_MAGIC;
	h->version = BROADCAST_VERSION;
	h->head_bytes = BROADCAST_HEAD_BYTES;
	h->capacity = CAPACITY;
	h->len_max = CAPACITY / 4 - BROADCAST_FRAME_HEAD;
	h->kind = kind_of[i];
	end = (uint64_t *)((char *)h + BROADCAST_HEAD_BYTES);
	end[1] = 1; /* END, and the sequence of the frame to come */
	assert_int_equal(fcntl(server.fds[i], F_ADD_SEALS,
			       F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE),
			 0);
	server.ring[i] = h;
}

static void write_frame(const void *data, size_t len)
{
	struct broadcast_head *h = server.ring[0];
	uint64_t tail = h->tail_pos;
	size_t step = (BROADCAST_FRAME_HEAD + len + BROADCAST_ALIGN - 1) /
		      BROADCAST_ALIGN * BROADCAST_ALIGN;
	char *at = (char *)h + BROADCAST_HEAD_BYTES + tail;
	uint64_t end[2] = {0, server.seq + 1};
	uint64_t head[2] = {(uint64_t)BROADCAST_FRAME << 32 | len, server.seq};

	memcpy(at + BROADCAST_FRAME_HEAD, data, len);
	memcpy(at + step, end, sizeof(end));
	memcpy(at, head, sizeof(head));
	server.seq++;
	atomic_store(&h->tail_pos, tail + step);
}

static void write_tick(uint64_t seq)
{
	struct event_tick e = sample_tick();
	uint8_t data[512];
	struct frame f;

	e.head.seq = seq;
	frame_begin(&f, data, sizeof(data), EVENT_TICK, 3);
	frame_add(&f, &e);
	write_frame(data, frame_seal(&f, seq, SAMPLE_NS));
}

static void *hand_over(void *arg)
{
	while (server.n-- > 0) {
		int conn = accept(server.listener, NULL, NULL);
		uint32_t hello[4] = {0, server.version, RINGS, 0};
		struct iovec iov = {hello, sizeof(hello)};
		_Alignas(
			struct cmsghdr) char control[CMSG_SPACE(sizeof(server.fds))] = {
			0};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

		memcpy(hello, "TBRG", 4);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(server.fds));
		memcpy(CMSG_DATA(c), server.fds, sizeof(server.fds));
		if (sendmsg(conn, &msg, MSG_NOSIGNAL) < 0)
			perror("sendmsg");
		close(conn);
	}
	return arg;
}

static void start(uint32_t version, int n)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	server.version = version;
	server.n = n;
	snprintf(server.dir, sizeof(server.dir), "/tmp/tickbus-ring-XXXXXX");
	assert_non_null(mkdtemp(server.dir));
	snprintf(server.path, sizeof(server.path), "%s/sock", server.dir);
	memcpy(addr.sun_path, server.path, strlen(server.path));
	server.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server.listener, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	assert_int_equal(listen(server.listener, 4), 0);
	server.seq = 1;
	for (int i = 0; i < RINGS; i++)
		make_ring(i);
	assert_int_equal(pthread_create(&server.thread, NULL, hand_over, NULL), 0);
}

static void stop(void)
{
	pthread_join(server.thread, NULL);
	for (int i = 0; i < RINGS; i++) {
		munmap(server.ring[i], BROADCAST_HEAD_BYTES + CAPACITY);
		close(server.fds[i]);
	}
	close(server.listener);
	unlink(server.path);
	rmdir(server.dir);
}

static const struct tickbus_filter ticks = {.kinds = TICKBUS_KIND(EVENT_TICK),
					    .use_ring = 1,
					    .policy = TICKBUS_BEST_EFFORT};

static void gives_tick(struct tickbus_sub *sub, uint64_t seq)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), 0);
	assert_int_equal(e.head->seq, seq);
	assert_string_equal(e.tick->symbol, "AAPL");
}

static void frames_come_out_of_shared_memory(void **state)
{
	struct tickbus_options o = {.ring_path = server.path};
	struct tickbus_sub *sub;
	struct tickbus_event e;

	(void)state;
	start(1, 1);
	assert_int_equal(tickbus_sub_open(&o, &ticks, &sub), 0);
	write_tick(5);
	write_tick(6);
	gives_tick(sub, 5);
	gives_tick(sub, 6);
	assert_int_equal(tickbus_sub_next(sub, 5, &e), TICKBUS_TIMEOUT);
	write_tick(9);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_int_equal(e.gap.first_seq, 7);
	assert_int_equal(e.gap.last_seq, 8);
	gives_tick(sub, 9);
	write_frame("junk", 4);
	write_tick(10);
	gives_tick(sub, 10);
	assert_int_equal(tickbus_sub_counts(sub)->malformed, 1);
	tickbus_sub_close(sub);
	stop();
}

/* Another daemon, other rings: found after silence, read from their beginning. */
static void the_rings_of_a_new_daemon_are_taken_over(void **state)
{
	struct tickbus_options o = {.ring_path = server.path, .heartbeat_ms = 10};
	struct tickbus_sub *sub;
	struct broadcast_head *old;
	int old_fd;

	(void)state;
	start(1, 2);
	assert_int_equal(tickbus_sub_open(&o, &ticks, &sub), 0);
	write_tick(5);
	gives_tick(sub, 5);
	old = server.ring[0];
	old_fd = server.fds[0];
	make_ring(0);
	server.seq = 1;
	write_tick(5);
	write_tick(6);
	gives_tick(sub, 6);
	assert_int_equal(tickbus_sub_counts(sub)->duplicates, 1);
	munmap(old, BROADCAST_HEAD_BYTES + CAPACITY);
	close(old_fd);
	tickbus_sub_close(sub);
	stop();
}

static void strangers_are_refused(void **state)
{
	struct tickbus_options o = {.ring_path = server.path};
	struct tickbus_options nobody = {.ring_path = "/nonexistent/ring.sock"};
	struct tickbus_sub *sub = NULL;

	(void)state;
	start(2, 1); /* a version of the future */
	assert_int_equal(tickbus_sub_open(&o, &ticks, &sub), -EPROTO);
	stop();
	assert_int_equal(tickbus_sub_open(&nobody, &ticks, &sub), -ENOENT);
	assert_null(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_of_shared_memory),
		cmocka_unit_test(the_rings_of_a_new_daemon_are_taken_over),
		cmocka_unit_test(strangers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
