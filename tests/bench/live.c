/*
 * live - how old a tick is when a subscriber holds it.
 *
 *	live PORT_BASE RATE SECONDS SYMBOLS [RING_PATH]
 *
 * One process, two threads: one publishes at an even RATE through libtickbus and
 * waits for each acknowledgement, the other subscribes to ticks.  A tick falls due
 * by the clock, whatever the publisher is doing (no omission while it waits); the
 * due time is its event time, so the daemon must run with clock mode wall.
 *
 *	due_to_event	from falling due to the subscriber: waits for the batch before
 *	call_to_event	from the publisher's call to the subscriber
 *	call_to_ack	one call, from flush to its acknowledgement
 *
 * The first second is not counted: symbols are made, memory is touched.
 */
#include "base/clock.h"
#include "client/tickbus.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH_MAX 1000

struct live {
	struct tickbus_options options;
	int64_t rate, seconds;
	unsigned symbols;
	int use_ring;
	int64_t begin_ns; /* wall; tick i falls due at begin + i / rate */
	int64_t *call_ns; /* [tick] when the publisher sent it */
	int64_t *got_ns;  /* [tick] when the subscriber had it; 0: not yet */
	int64_t *ack_ns;  /* [call] duration */
	size_t n_acks;
	atomic_bool is_ready, is_over;
	uint64_t lost;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "live: %s: %s\n", what, tickbus_error());
	exit(1);
}

static size_t total(const struct live *l)
{
	return (size_t)(l->rate * l->seconds);
}

static void *subscribe(void *arg)
{
	struct live *l = arg;
	struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK),
				   .use_ring = l->use_ring};
	struct tickbus_sub *sub;
	struct tickbus_event e;
	size_t n = 0;

	if (tickbus_sub_open(&l->options, &f, &sub) < 0)
		die("subscribe");
	while (n < total(l) && !atomic_load(&l->is_over)) {
		/* Nothing wakes a reader of shared memory: it looks. */
		int rc = tickbus_sub_next(sub, l->use_ring ? 0 : 100, &e);

		if (rc < 0)
			die("next");
		if (rc == TICKBUS_TIMEOUT && l->use_ring)
			sched_yield();
		if (rc == 0)
			atomic_store(&l->is_ready, true);
		if (rc != 0 || e.tick->source_seq == 0 || e.tick->source_seq > total(l))
			continue;
		l->got_ns[e.tick->source_seq - 1] = clock_wall_ns();
		n++;
	}
	l->lost = tickbus_sub_counts(sub)->lost;
	tickbus_sub_close(sub);
	return NULL;
}

static int64_t due_ns(const struct live *l, size_t i)
{
	return l->begin_ns + (int64_t)i * NS_PER_S / l->rate;
}

static void sleep_until(int64_t wall_ns)
{
	struct timespec t = {wall_ns / NS_PER_S, wall_ns % NS_PER_S};

	(void)clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

/* Everything that is due by now, as one call; returns the next tick. */
static size_t call(struct live *l, struct tickbus_pub *pub, size_t i)
{
	int64_t now = clock_wall_ns(), sent;
	struct tickbus_ack ack;
	struct tickbus_tick t;
	char symbol[16];

	for (size_t first = i; i < total(l) && due_ns(l, i) <= now; i++) {
		if (i - first >= BATCH_MAX)
			break;
		(void)snprintf(symbol, sizeof(symbol), "L%04u",
			       (unsigned)(i % l->symbols));
		(void)tickbus_tick_init(&t, symbol, due_ns(l, i));
		t.price_e9 = INT64_C(100000000000) + (int64_t)(i % 7) * 10000000;
		t.size_e8 = INT64_C(10000000000);
		t.source_seq = i + 1;
		l->call_ns[i] = now;
		if (tickbus_pub_add(pub, &t) != 0)
			die("add");
	}
	sent = clock_mono_ns();
	if (tickbus_pub_flush(pub, &ack) != 0 || ack.rejected != 0)
		die("flush");
	l->ack_ns[l->n_acks++] = clock_mono_ns() - sent;
	return i;
}

/* A tick that is not counted: the subscriber is there when one arrives. */
static void knock(struct tickbus_pub *pub)
{
	struct tickbus_ack ack;
	struct tickbus_tick t;

	(void)tickbus_tick_init(&t, "L0000", clock_wall_ns());
	t.price_e9 = INT64_C(100000000000);
	if (tickbus_pub_add(pub, &t) != 0 || tickbus_pub_flush(pub, &ack) != 0)
		die("flush");
}

static void publish(struct live *l)
{
	struct tickbus_pub *pub;

	if (tickbus_pub_open(&l->options, NULL, "live", 1, &pub) < 0)
		die("publish");
	while (!atomic_load(&l->is_ready))
		knock(pub);
	l->begin_ns = clock_wall_ns() + NS_PER_MS;
	for (size_t i = 0; i < total(l);) {
		sleep_until(due_ns(l, i));
		i = call(l, pub, i);
	}
	tickbus_pub_close(pub);
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles(const char *name, int64_t *ns, size_t n)
{
	static const struct {
		const char *name;
		double at;
	} q[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

	if (n == 0)
		return;
	qsort(ns, n, sizeof(*ns), ascending);
	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
		printf("live\t%s_us_%s\t%.1f\n", name, q[i].name,
		       (double)ns[(size_t)(q[i].at * (double)(n - 1))] / 1e3);
	printf("live\t%s_us_max\t%.1f\n", name, (double)ns[n - 1] / 1e3);
}

static void report(struct live *l)
{
	size_t n = 0, missing = 0, warm_acks = l->n_acks / (size_t)l->seconds;
	int64_t *due = calloc(total(l), sizeof(*due));
	int64_t *called = calloc(total(l), sizeof(*called));

	if (due == NULL || called == NULL)
		die("memory");
	for (size_t i = 0; i < total(l); i++) {
		missing += l->got_ns[i] == 0;
		if (i < (size_t)l->rate || l->got_ns[i] == 0)
			continue;
		due[n] = l->got_ns[i] - due_ns(l, i);
		called[n++] = l->got_ns[i] - l->call_ns[i];
	}
	printf("live\tticks\t%zu\nlive\tmissing\t%zu\nlive\tlost\t%llu\n"
	       "live\tticks_per_call\t%.1f\n",
	       total(l), missing, (unsigned long long)l->lost,
	       (double)total(l) / (double)l->n_acks);
	quantiles("due_to_event", due, n);
	quantiles("call_to_event", called, n);
	quantiles("call_to_ack", l->ack_ns + warm_acks, l->n_acks - warm_acks);
	free(due);
	free(called);
}

int main(int argc, char **argv)
{
	struct live l = {0};
	pthread_t thread;

	if (argc < 5) {
		fprintf(stderr,
			"usage: live PORT_BASE RATE SECONDS SYMBOLS [RING_PATH]\n");
		return 64;
	}
	l.options.port_base = (uint16_t)atoi(argv[1]);
	l.rate = atoi(argv[2]);
	l.seconds = atoi(argv[3]);
	l.symbols = (unsigned)atoi(argv[4]);
	l.use_ring = argc > 5;
	l.options.ring_path = argc > 5 ? argv[5] : NULL;
	if (l.rate < 1 || l.seconds < 2 || l.symbols < 1)
		return 64;
	l.call_ns = calloc(total(&l), sizeof(*l.call_ns));
	l.got_ns = calloc(total(&l), sizeof(*l.got_ns));
	l.ack_ns = calloc(total(&l), sizeof(*l.ack_ns));
	if (l.call_ns == NULL || l.got_ns == NULL || l.ack_ns == NULL ||
	    pthread_create(&thread, NULL, subscribe, &l) != 0)
		die("start");
	publish(&l);
	sleep_until(clock_wall_ns() + NS_PER_S);
	atomic_store(&l.is_over, true);
	(void)pthread_join(thread, NULL);
	report(&l);
	free(l.call_ns);
	free(l.got_ns);
	free(l.ack_ns);
	return 0;
}
