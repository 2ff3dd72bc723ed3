/* example_sub - one-minute bars, from the oldest held on: example_sub 7400 AAPL MSFT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <tickbus.h>

int main(int argc, char **argv)
{
	struct tickbus_options options = {
		.port_base = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0)};
	struct tickbus_filter filter = {
		.kinds = TICKBUS_KIND(EVENT_BAR),
		.symbols = argc > 2 ? (const char *const *)(argv + 2) : NULL,
		.n_symbols = argc > 2 ? (size_t)(argc - 2) : 0,
		.timeframe = "1m",
		.from = TICKBUS_FROM_OLDEST,
	};
	struct tickbus_event event;
	struct tickbus_sub *sub;
	int rc = tickbus_sub_open(&options, &filter, &sub);

	if (rc < 0)
		return fprintf(stderr, "example_sub: %s\n", tickbus_error()), 1;
	setvbuf(stdout, NULL, _IOLBF, 0);     /* each bar at once, also into a pipe */
	while (rc >= 0 || rc == -ETIMEDOUT) { /* no daemon yet: go on */
		const char *sentence;

		rc = tickbus_sub_next(sub, 5000, &event);
		if (rc == 0 && puts(tickbus_sub_json(sub, &event)) == EOF)
			return 1;
		sentence = tickbus_sub_sentence(sub, rc, &event); /* "" of a bar */
		if (sentence[0] != '\0')
			fprintf(stderr, "example_sub: %s\n", sentence);
	}
	return 1;
}
