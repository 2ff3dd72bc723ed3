/* example_sub - print the one-minute bars of some symbols: example_sub AAPL MSFT */
#include "client/tickbus.h"
#include <stdio.h>

int main(int argc, char **argv)
{
	struct tickbus_filter filter = {
		.kinds = TICKBUS_KIND(EVENT_BAR),
		.symbols = argc > 1 ? (const char *const *)(argv + 1) : NULL,
		.n_symbols = (size_t)(argc - 1),
		.timeframe = "1m",
		.from = TICKBUS_FROM_OLDEST,
	};
	struct tickbus_event event;
	struct tickbus_sub *sub;

	if (tickbus_sub_open(NULL, &filter, &sub) < 0)
		goto fail;
	for (;;) {
		switch (tickbus_sub_next(sub, -1, &event)) {
		case 0:
			if (puts(tickbus_sub_json(sub, &event)) == EOF)
				return 1;
			break;
		case TICKBUS_GAP:
			fprintf(stderr, "%s: bars %llu to %llu are lost\n",
				event.gap.symbol,
				(unsigned long long)event.gap.first_seq,
				(unsigned long long)event.gap.last_seq);
			break;
		case TICKBUS_EPOCH:
		case TICKBUS_LIVE:
		case TICKBUS_TIMEOUT:
			break;
		default:
			goto fail;
		}
	}
fail:
	fprintf(stderr, "example_sub: %s\n", tickbus_error());
	return 1;
}
