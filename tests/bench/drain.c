/*
 * drain - the subscriber's side of the end-to-end benchmark: takes every event of a
 * running tickbusd through libtickbus and counts.
 *
 *	drain PORT_BASE QUIET_S [RING_PATH]
 *
 * Beside what the library says is lost it numbers every stream itself: an event
 * that is not the next of its (kind, symbol) is a hole.  Ends when nothing came for
 * QUIET_S seconds after the first event.  With RING_PATH it reads shared memory.
 */
#include "base/clock.h"
#include "client/tickbus.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SYMBOLS 16384

struct tally {
	uint64_t n[EVENT_KINDS];
	uint64_t holes, gaps, epochs;
	uint64_t next[EVENT_KINDS][SYMBOLS]; /* sequence expected; 0: none came yet */
	int64_t first_ns, last_ns;
};

static uint32_t stream_of(const struct tickbus_event *e)
{
	switch (e->kind) {
	case EVENT_TICK:
		return e->tick->symbol_id;
	case EVENT_BAR:
		return e->bar->symbol_id;
	case EVENT_TIER1:
		return e->tier1->symbol_id;
	case EVENT_STATUS:
		return e->status->symbol_id;
	default:
		return 0; /* one universe of one timeframe */
	}
}

static void count(struct tally *t, const struct tickbus_event *e)
{
	uint64_t *next = &t->next[e->kind][stream_of(e) % SYMBOLS];

	t->n[e->kind]++;
	t->holes += e->head->seq != (*next == 0 ? 1 : *next);
	*next = e->head->seq + 1;
}

/* Reading the clock for every event would cost as much as the event. */
static int drain(struct tickbus_sub *sub, struct tally *t, int64_t quiet_ns)
{
	struct tickbus_event e;

	for (;;) {
		int rc = tickbus_sub_next(sub, 0, &e);

		if (rc == TICKBUS_TIMEOUT) {
			int64_t now = clock_mono_ns();

			rc = tickbus_sub_next(sub, 100, &e);
			if (rc == TICKBUS_TIMEOUT && t->first_ns != 0 &&
			    now - t->last_ns > quiet_ns)
				return 0;
			if (rc == 0)
				t->last_ns = clock_mono_ns();
			if (rc == 0 && t->first_ns == 0)
				t->first_ns = t->last_ns;
		}
		if (rc < 0)
			return rc;
		if (rc == 0)
			count(t, &e);
		t->gaps += rc == TICKBUS_GAP;
		t->epochs += rc == TICKBUS_EPOCH;
	}
}

static void report(const struct tally *t, const struct tickbus_counts *c)
{
	struct rusage u;
	uint64_t all = 0;

	for (int k = 0; k < EVENT_KINDS; k++) {
		if (t->n[k] > 0)
			printf("drain\t%s\t%llu\n",
			       tickbus_kind_name((enum event_kind)k),
			       (unsigned long long)t->n[k]);
		all += t->n[k];
	}
	(void)getrusage(RUSAGE_SELF, &u);
	printf("drain\tevents\t%llu\ndrain\tholes\t%llu\ndrain\tlost\t%llu\n"
	       "drain\tfilled\t%llu\ndrain\tgaps\t%llu\ndrain\tlapped\t%llu\n"
	       "drain\tmalformed\t%llu\ndrain\tepochs\t%llu\ndrain\tseconds\t%.2f\n"
	       "drain\tcpu_seconds\t%.2f\n",
	       (unsigned long long)all, (unsigned long long)t->holes,
	       (unsigned long long)c->lost, (unsigned long long)c->filled,
	       (unsigned long long)c->gaps, (unsigned long long)c->lapped,
	       (unsigned long long)c->malformed, (unsigned long long)t->epochs,
	       (double)(t->last_ns - t->first_ns) / 1e9,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

int main(int argc, char **argv)
{
	static struct tally t;
	struct tickbus_options o = {0};
	struct tickbus_filter f = {
		.kinds = TICKBUS_KIND(EVENT_TICK) | TICKBUS_KIND(EVENT_BAR) |
			 TICKBUS_KIND(EVENT_TIER1) | TICKBUS_KIND(EVENT_TIER2) |
			 TICKBUS_KIND(EVENT_STATUS)};
	struct tickbus_sub *sub;

	if (argc < 3) {
		fprintf(stderr, "usage: drain PORT_BASE QUIET_S [RING_PATH]\n");
		return 64;
	}
	o.port_base = (uint16_t)atoi(argv[1]);
	o.ring_path = argc > 3 ? argv[3] : NULL;
	f.use_ring = argc > 3;
	if (tickbus_sub_open(&o, &f, &sub) < 0 ||
	    drain(sub, &t, atoi(argv[2]) * NS_PER_S) < 0) {
		fprintf(stderr, "drain: %s\n", tickbus_error());
		return 1;
	}
	report(&t, tickbus_sub_counts(sub));
	tickbus_sub_close(sub);
	return 0;
}
