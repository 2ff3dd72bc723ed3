/*
 * pub_torture - what pub_torture.py runs.
 *
 *	pub_torture publish INGEST_URL BATCHES     10 ticks each, as producer "torture"
 *	pub_torture loop PORT_BASE TICKS           one thread: a publisher and two
 *	                                           subscriptions in one poll() loop
 */
#include "base/clock.h"
#include "client/tickbus.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH    10
#define BEGIN_NS INT64_C(1700000000000000000)

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "pub_torture: %s: %s\n", what, tickbus_error());
	exit(1);
}

/* Tick @i: of A or B, a millisecond behind the one before. */
static void add(struct tickbus_pub *pub, uint64_t i)
{
	struct tickbus_tick t;

	if (tickbus_tick_init(&t, i % 2 ? "A" : "B", BEGIN_NS + (int64_t)i * NS_PER_MS))
		die("tick");
	t.price_e9 = INT64_C(1000000000);
	t.size_e8 = INT64_C(100000000);
	t.source_seq = i;
	if (tickbus_pub_add(pub, &t))
		die("add");
}

static int publish(const char *url, uint64_t batches)
{
	struct tickbus_options o = {.url = {[TICKBUS_INGEST] = url},
				    .timeout_ms = 1000};
	uint64_t accepted = 0, duplicate = 0, rejected = 0, resends = 0, late = 0;
	struct tickbus_pub *pub;
	struct tickbus_ack ack;

	if (tickbus_pub_open(&o, "torture", "test", 1, &pub))
		die("open");
	for (uint64_t b = 0; b < batches; b++) {
		int rc;

		for (uint64_t i = 1; i <= BATCH; i++)
			add(pub, b * BATCH + i);
		/* The batch stays until its outcome is known. */
		for (int try = 0; (rc = tickbus_pub_flush(pub, &ack)) < 0; try++) {
			late++;
			if (try == 60)
				die("flush");
		}
		if (rc > 0)
			die("refused");
		accepted += ack.accepted;
		duplicate += ack.duplicate;
		rejected += ack.rejected;
		resends += ack.resends;
	}
	printf("{\"accepted\":%llu,\"duplicate\":%llu,\"rejected\":%llu,"
	       "\"resends\":%llu,\"late\":%llu}\n",
	       (unsigned long long)accepted, (unsigned long long)duplicate,
	       (unsigned long long)rejected, (unsigned long long)resends,
	       (unsigned long long)late);
	tickbus_pub_close(pub);
	return 0;
}

/* All that @sub has; each the next of its stream. */
static uint64_t take_all(struct tickbus_sub *sub, uint64_t next[2])
{
	struct tickbus_event e;
	uint64_t n = 0;
	int rc;

	while ((rc = tickbus_sub_next(sub, 0, &e)) != TICKBUS_TIMEOUT) {
		uint64_t *want;

		if (rc == TICKBUS_LIVE)
			continue;
		if (rc != 0)
			die("next");
		want = &next[e.tick->symbol[0] == 'A'];
		if (e.head->seq != ++*want)
			die("out of order");
		n++;
	}
	return n;
}

static int loop(uint16_t port_base, uint64_t ticks)
{
	static const char *const a[] = {"A"};
	struct tickbus_options o = {.port_base = port_base};
	struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK),
				   .from = TICKBUS_FROM_OLDEST};
	uint64_t next[2][2] = {{0}}, got[2] = {0}, sent = 0, idle = 0;
	struct tickbus_sub *sub[2];
	struct tickbus_pub *pub;
	struct tickbus_ack ack;
	struct pollfd p[2];

	if (tickbus_sub_open(&o, &f, &sub[0]))
		die("open");
	f.symbols = a;
	f.n_symbols = 1;
	if (tickbus_sub_open(&o, &f, &sub[1]) ||
	    tickbus_pub_open(&o, "loop", "test", 1, &pub))
		die("open");
	for (int i = 0; i < 2; i++)
		p[i] = (struct pollfd){.fd = tickbus_sub_fd(sub[i]), .events = POLLIN};
	while (got[0] < ticks || got[1] < ticks / 2) {
		int n = poll(p, 2, 2000);

		if (n == 0 && ++idle > 10)
			die("nothing wakes the loop");
		for (int i = 0; i < 2; i++)
			if (p[i].revents)
				got[i] += take_all(sub[i], next[i]);
		for (int i = 0; i < BATCH && sent < ticks; i++)
			add(pub, ++sent);
		if (tickbus_pub_flush(pub, &ack) || ack.rejected)
			die("flush");
	}
	printf("{\"all\":%llu,\"a\":%llu}\n", (unsigned long long)got[0],
	       (unsigned long long)got[1]);
	tickbus_sub_close(sub[0]);
	tickbus_sub_close(sub[1]);
	tickbus_pub_close(pub);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "publish") == 0)
		return publish(argv[2], strtoull(argv[3], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "loop") == 0)
		return loop((uint16_t)atoi(argv[2]), strtoull(argv[3], NULL, 10));
	return 64;
}
