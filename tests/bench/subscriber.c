/*
 * subscriber - what libtickbus itself costs: ready-made frames of 128 ticks of 1,000
 * symbols, taken as fast as they can be read.
 *
 *	subscriber ring [ROUNDS]    from shared memory, written before it is read
 *	subscriber nng [ROUNDS]     over tcp; the sender stays 200 frames ahead
 *
 * Every event's sequence is checked by the library; events a second by the clock, and
 * a second of the reading thread's own, a line each a round.
 */
#include "base/clock.h"
#include "bus/broadcast.h"
#include "client/tickbus.h"
#include "proto/frame.h"
#include "proto/topic.h"
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RINGS   5
#define SYMBOLS 1000u
#define FRAMES  8192u
#define AHEAD   200u
#define TICKS   ((uint64_t)FRAMES * FRAME_EVENTS_MAX)

struct bench {
	struct broadcast *ring[RINGS];
	int listener;
	nng_socket pub;
	uint64_t made; /* ticks */
	uint64_t frame_seq;
	_Atomic uint64_t taken;
	uint8_t frame[FRAME_EVENTS_MAX * sizeof(struct event_tick) + 128];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "subscriber: %s: %s\n", what, tickbus_error());
	exit(1);
}

static size_t next_frame(struct bench *b)
{
	struct event_tick e = {.source_id = 1, .price_e9 = 1};
	struct frame f;

	frame_begin(&f, b->frame, sizeof(b->frame), EVENT_TICK, 1);
	for (unsigned i = 0; i < FRAME_EVENTS_MAX; i++, b->made++) {
		e.symbol_id = (uint32_t)(b->made % SYMBOLS);
		e.head.seq = b->made / SYMBOLS + 1;
		e.head.pos = b->made + 1;
		(void)snprintf(e.symbol, sizeof(e.symbol), "S%04u", e.symbol_id);
		(void)frame_add(&f, &e);
	}
	return frame_seal(&f, ++b->frame_seq, 1);
}

/* Hand the rings to whoever connects. */
static void *hand_over(void *arg)
{
	struct bench *b = arg;
	int conn = accept(b->listener, NULL, NULL), fds[RINGS];
	uint32_t hello[4] = {0, 1, RINGS, 0};
	struct iovec iov = {hello, sizeof(hello)};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fds))] = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	memcpy(hello, "TBRG", 4);
	for (int i = 0; i < RINGS; i++)
		fds[i] = broadcast_fd(b->ring[i]);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	(void)sendmsg(conn, &msg, 0);
	close(conn);
	return NULL;
}

/* What this thread has used: the machine may have others to run. */
static int64_t thread_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void take(struct bench *b, struct tickbus_sub *sub, const char *how)
{
	int64_t begin = clock_mono_ns(), cpu = thread_ns();
	struct tickbus_event e;
	uint64_t n = 0;

	while (n < TICKS) {
		int rc = tickbus_sub_next(sub, 0, &e);

		if (rc == TICKBUS_TIMEOUT) {
			sched_yield();
			continue;
		}
		if (rc != 0)
			die("next");
		if (++n % FRAME_EVENTS_MAX == 0)
			atomic_store(&b->taken, n);
	}
	printf("subscriber\t%s_events_per_s\t%.0f\n"
	       "subscriber\t%s_events_per_cpu_s\t%.0f\n",
	       how, (double)n / ((double)(clock_mono_ns() - begin) / 1e9), how,
	       (double)n / ((double)(thread_ns() - cpu) / 1e9));
}

static void ring_round(void)
{
	static const enum event_kind kinds[RINGS] = {EVENT_TICK, EVENT_BAR, EVENT_TIER1,
						     EVENT_TIER2, EVENT_STATUS};
	const struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK),
					 .use_ring = 1};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct bench *b = calloc(1, sizeof(*b));
	struct tickbus_options o = {.ring_path = addr.sun_path};
	struct tickbus_sub *sub;
	pthread_t thread;

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/tickbus-bench-%d",
		       (int)getpid());
	for (int i = 0; i < RINGS; i++)
		if (broadcast_new(i == 0 ? (size_t)256 << 20 : 1 << 20,
				  (uint32_t)kinds[i], &b->ring[i]) < 0)
			die("ring");
	b->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(b->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(b->listener, 1) < 0 ||
	    pthread_create(&thread, NULL, hand_over, b) != 0 ||
	    tickbus_sub_open(&o, &f, &sub) < 0)
		die("open");
	(void)pthread_join(thread, NULL);
	for (unsigned i = 0; i < FRAMES; i++)
		(void)broadcast_write(b->ring[0], b->frame, next_frame(b));
	take(b, sub, "ring");
	tickbus_sub_close(sub);
	for (int i = 0; i < RINGS; i++)
		broadcast_free(b->ring[i]);
	close(b->listener);
	unlink(addr.sun_path);
	free(b);
}

static void *send_all(void *arg)
{
	struct bench *b = arg;
	char topic[TOPIC_MAX];
	size_t topic_len = topic_kind(topic, EVENT_TICK);

	while (b->made < TICKS) {
		size_t len = next_frame(b);
		nng_msg *msg;

		while (b->made - atomic_load(&b->taken) > AHEAD * FRAME_EVENTS_MAX)
			sched_yield();
		if (nng_msg_alloc(&msg, 0) != 0 ||
		    nng_msg_append(msg, topic, topic_len) != 0 ||
		    nng_msg_append(msg, b->frame, len) != 0 ||
		    nng_sendmsg(b->pub, msg, 0) != 0)
			die("send");
	}
	return NULL;
}

static void nng_round(void)
{
	static const char url[] = "tcp://127.0.0.1:27411";
	const struct tickbus_options o = {.url = {[TICKBUS_TICK] = url}};
	const struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK)};
	struct bench *b = calloc(1, sizeof(*b));
	struct tickbus_sub *sub;
	pthread_t thread;

	if (nng_pub0_open(&b->pub) != 0 ||
	    nng_socket_set_int(b->pub, NNG_OPT_SENDBUF, 1024) != 0 ||
	    nng_listen(b->pub, url, NULL, 0) != 0 || tickbus_sub_open(&o, &f, &sub) < 0)
		die("open");
	sleep(1); /* a connection in the background */
	if (pthread_create(&thread, NULL, send_all, b) != 0)
		die("thread");
	take(b, sub, "nng");
	(void)pthread_join(thread, NULL);
	tickbus_sub_close(sub);
	(void)nng_close(b->pub);
	free(b);
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 3;

	if (argc < 2)
		return 64;
	for (int i = 0; i < rounds; i++) {
		if (strcmp(argv[1], "ring") == 0)
			ring_round();
		else
			nng_round();
	}
	return 0;
}
