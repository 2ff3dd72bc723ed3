/*
 * fanout - events over nng tcp loopback to one and to eight subscribers.
 *
 *	fanout [ROUNDS [SECONDS]]
 *
 * A publisher process and as many subscriber processes, all on this machine.  The
 * publisher does per event what the daemon's does: encode into a frame, seal it at
 * 128 events (or, beside it, at one), send it on a PUB socket with the daemon's
 * queue.  Subscribers open every frame, copy out every event and check its number.
 * Nothing is lost: the publisher keeps at most WINDOW events (at least two frames)
 * in flight to the slowest.  Variants take turns; medians of ROUNDS (5).  Where
 * libzmq was found, ZeroMQ carries the same frames beside it.
 * Printed as "fanout <tab> variant <tab> measure <tab> value", one fact per line.
 */
#include "fanout.h"
#include "base/clock.h"
#include "proto/frame.h"
#include "proto/topic.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUBSCRIBERS_MAX 8
#define ROUNDS_MAX      25
#define WINDOW          4096
#define SYMBOLS         1000

/* Between the processes. */
struct shared {
	struct {
		_Alignas(64) _Atomic uint64_t n;
	} got[SUBSCRIBERS_MAX];
	_Atomic uint64_t wrong;
	atomic_bool over;
	double events_per_s;
};

struct variant {
	const char *name;
	const struct way *way;
	unsigned n_events; /* in a message */
	unsigned n_subscribers;
};

_Noreturn void fanout_die(const char *what)
{
	fprintf(stderr, "fanout: %s\n", what);
	_exit(1);
}

/* ---- a subscriber ---- */

static uint64_t take(struct shared *s, const void *data, size_t len, uint64_t expected)
{
	struct frame_view v;
	struct event_tick e;
	struct topic t;

	if (topic_split(data, len, &t) != 0 || frame_open(t.body, t.body_len, &v) != 0)
		fanout_die("a message is no frame");
	while (frame_next(&v, &e) == 0) {
		if (e.head.pos != expected)
			atomic_fetch_add(&s->wrong, 1);
		expected = e.head.pos + 1;
	}
	return expected;
}

static void subscriber(struct shared *s, const struct way *way, unsigned index,
		       const char *url)
{
	uint64_t expected = 1;
	char topic[TOPIC_MAX];
	void *sub = way->sub_open(url, topic, topic_kind(topic, EVENT_TICK));

	while (!atomic_load(&s->over)) {
		const void *data;
		size_t len = way->sub_take(sub, &data);

		if (len == 0)
			continue;
		expected = take(s, data, len, expected);
		atomic_store(&s->got[index].n, expected - 1);
	}
}

/* ---- the publisher ---- */

static uint64_t slowest(struct shared *s, unsigned n_subscribers)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < n_subscribers; i++) {
		uint64_t n = atomic_load(&s->got[i].n);

		least = n < least ? n : least;
	}
	return least;
}

static void wait_for(struct shared *s, unsigned n_subscribers, uint64_t n)
{
	int64_t end = clock_mono_ns() + 5 * NS_PER_S;

	while (slowest(s, n_subscribers) < n) {
		sched_yield();
		if (clock_mono_ns() > end)
			fanout_die("a subscriber stands still: a message was lost");
	}
}

static struct event_tick tick_of(uint64_t pos)
{
	struct event_tick e = {.head = {pos / SYMBOLS, pos, (int64_t)pos, (int64_t)pos},
			       .price_e9 = INT64_C(100000000000) + (int64_t)(pos % 97),
			       .size_e8 = INT64_C(10000000000),
			       .bid_e9 = INT64_C(99990000000),
			       .ask_e9 = INT64_C(100010000000),
			       .source_seq = pos,
			       .symbol_id = (uint32_t)(pos % SYMBOLS),
			       .symbol = "S0000"};

	return e;
}

static void publish(struct shared *s, const struct variant *v, void *pub,
		    double seconds)
{
	static uint8_t data[FRAME_EVENTS_MAX * 256];
	size_t window = v->n_events * 2 > WINDOW ? v->n_events * 2 : WINDOW;
	int64_t begin = clock_mono_ns(), now = begin;
	uint64_t pos = 0, frames = 0;
	char topic[TOPIC_MAX];
	size_t topic_len = topic_kind(topic, EVENT_TICK);

	while ((double)(now - begin) < seconds * 1e9) {
		struct frame f;

		frame_begin(&f, data, sizeof(data), EVENT_TICK, 1);
		for (unsigned i = 0; i < v->n_events; i++) {
			struct event_tick e = tick_of(++pos);

			if (frame_add(&f, &e) != 0)
				fanout_die("the frame is full");
		}
		if (pos > window)
			wait_for(s, v->n_subscribers, pos - window);
		now = clock_mono_ns();
		v->way->pub_send(pub, topic, topic_len, data,
				 frame_seal(&f, ++frames, now));
	}
	wait_for(s, v->n_subscribers, pos);
	s->events_per_s = (double)pos / ((double)(clock_mono_ns() - begin) / 1e9);
	atomic_store(&s->over, true);
}

/* ---- a run: one process each, so that no library meets a fork ---- */

static double run(const struct variant *v, double seconds, unsigned port)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char url[64];
	double result;
	int status;

	if (s == MAP_FAILED)
		fanout_die("no memory");
	(void)snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", port);
	for (unsigned i = 0; i <= v->n_subscribers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fanout_die("cannot fork");
		if (pid > 0)
			continue;
		if (i == 0)
			publish(s, v, v->way->pub_open(url, v->n_subscribers), seconds);
		else
			subscriber(s, v->way, i - 1, url);
		_exit(0);
	}
	for (unsigned i = 0; i <= v->n_subscribers; i++) {
		if (wait(&status) < 0 || status != 0)
			atomic_fetch_add(&s->wrong, 1);
		if (status != 0)
			atomic_store(&s->over, true);
	}
	if (atomic_load(&s->wrong) != 0)
		fanout_die("events were lost or out of order");
	result = s->events_per_s;
	(void)munmap(s, sizeof(*s));
	return result;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static const struct variant variants[] = {
		{"128 events a message, 1 subscriber", &fanout_nng, 128, 1},
		{"128 events a message, 8 subscribers", &fanout_nng, 128, 8},
		{"one event a message, 1 subscriber", &fanout_nng, 1, 1},
		{"one event a message, 8 subscribers", &fanout_nng, 1, 8},
#ifdef HAVE_ZMQ
		{"ZeroMQ, 128 events a message, 1 subscriber", &fanout_zmq, 128, 1},
		{"ZeroMQ, 128 events a message, 8 subscribers", &fanout_zmq, 128, 8},
		{"ZeroMQ, one event a message, 1 subscriber", &fanout_zmq, 1, 1},
		{"ZeroMQ, one event a message, 8 subscribers", &fanout_zmq, 1, 8},
#endif
	};
	enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };
	static double got[VARIANTS][ROUNDS_MAX];
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	double seconds = argc > 2 ? atof(argv[2]) : 1;

	if (rounds < 1 || rounds > ROUNDS_MAX || seconds <= 0) {
		fprintf(stderr, "usage: fanout [ROUNDS [SECONDS]]\n");
		return 64;
	}
	for (int r = 0; r < rounds; r++)
		for (int v = 0; v < VARIANTS; v++)
			got[v][r] = run(&variants[v], seconds,
					20000 + (unsigned)getpid() % 10000 +
						(unsigned)(r * VARIANTS + v));
	for (int v = 0; v < VARIANTS; v++) {
		double *g = got[v], n = variants[v].n_subscribers;

		qsort(g, (size_t)rounds, sizeof(*g), ascending);
		printf("fanout\t%s\tM deliveries/s\t%.3f\nfanout\t%s\tmin\t%.3f\n"
		       "fanout\t%s\tmax\t%.3f\n",
		       variants[v].name, g[rounds / 2] * n / 1e6, variants[v].name,
		       g[0] * n / 1e6, variants[v].name, g[rounds - 1] * n / 1e6);
	}
	return 0;
}
