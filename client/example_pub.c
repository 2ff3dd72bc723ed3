/* example_pub - publish one trade, now: example_pub 7400 AAPL 187.25 100 */
#include <stdio.h>
#include <stdlib.h>
#include <tickbus.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct tickbus_options options = {
		.port_base = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0)};
	int64_t now = (int64_t)time(NULL) * INT64_C(1000000000);
	struct tickbus_tick tick;
	struct tickbus_ack ack;
	struct tickbus_pub *pub;

	if (argc != 5)
		return 64;
	if (tickbus_tick_init(&tick, argv[2], now) ||
	    tickbus_decimal_parse(argv[3], TICKBUS_PRICE, &tick.price_e9) ||
	    tickbus_decimal_parse(argv[4], TICKBUS_SIZE, &tick.size_e8) ||
	    tickbus_pub_open(&options, NULL, "example", 1, &pub) ||
	    tickbus_pub_add(pub, &tick) || tickbus_pub_flush(pub, &ack)) {
		fprintf(stderr, "example_pub: %s\n", tickbus_error());
		return 1;
	}
	if (ack.rejected)
		printf("rejected: %s\n", tickbus_reason_name(ack.runs[0].reason));
	else
		printf("accepted at log position %llu%s\n",
		       (unsigned long long)ack.last_pos,
		       ack.is_synced ? ", on the disk" : "");
	tickbus_pub_close(pub);
	return ack.rejected ? 1 : 0;
}
