/*
 * history - how fast libtickbus fetches what a running tickbusd holds.
 *
 *	history PORT_BASE [ROUNDS]
 *
 * Every tick from the oldest on until LIVE, each numbered by its stream's sequence and
 * covered by the count and hash that both sides keep.  One line per round, events a
 * second.
 */
#include "base/clock.h"
#include "client/tickbus.h"
#include <stdio.h>
#include <stdlib.h>

static int round_trip(uint16_t port_base)
{
	const struct tickbus_options o = {.port_base = port_base};
	const struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK),
					 .from = TICKBUS_FROM_OLDEST};
	int64_t begin = clock_mono_ns();
	struct tickbus_sub *sub;
	struct tickbus_event e;
	uint64_t n = 0;
	int rc = tickbus_sub_open(&o, &f, &sub);

	if (rc < 0)
		return rc;
	while ((rc = tickbus_sub_next(sub, -1, &e)) == 0)
		n++;
	if (rc == TICKBUS_LIVE && n == e.live.count)
		printf("history\tevents\t%llu\nhistory\tevents_per_s\t%.0f\n",
		       (unsigned long long)n,
		       (double)n / ((double)(clock_mono_ns() - begin) / 1e9));
	tickbus_sub_close(sub);
	return rc == TICKBUS_LIVE ? 0 : -1;
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : 3;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 64;
	for (int i = 0; i < rounds; i++) {
		if (round_trip((uint16_t)atoi(argv[1])) < 0) {
			fprintf(stderr, "history: %s\n", tickbus_error());
			return 1;
		}
	}
	return 0;
}
