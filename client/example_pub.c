/* example_pub - publish one trade: example_pub AAPL 187.25 100 */
#include "client/tickbus.h"
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec now;
	struct tickbus_tick tick;
	struct tickbus_ack ack;
	struct tickbus_pub *pub;

	if (argc != 4) {
		fprintf(stderr, "usage: example_pub SYMBOL PRICE SIZE\n");
		return 64;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (tickbus_tick_init(&tick, argv[1],
			      now.tv_sec * INT64_C(1000000000) + now.tv_nsec) ||
	    tickbus_decimal_parse(argv[2], TICKBUS_PRICE, &tick.price_e9) ||
	    tickbus_decimal_parse(argv[3], TICKBUS_SIZE, &tick.size_e8) ||
	    tickbus_pub_open(NULL, NULL, "example", 1, &pub))
		goto fail;
	if (tickbus_pub_batch(pub, &tick, 1, &ack))
		goto fail;
	if (ack.rejected)
		printf("rejected: %s\n", tickbus_reason_name(ack.runs[0].reason));
	else
		printf("accepted at log position %llu%s\n",
		       (unsigned long long)ack.last_pos,
		       ack.is_synced ? ", on the disk" : "");
	tickbus_pub_close(pub);
	return ack.rejected ? 1 : 0;
fail:
	fprintf(stderr, "example_pub: %s\n", tickbus_error());
	return 1;
}
