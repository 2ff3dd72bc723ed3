/* example_news - publish a headline, now: example_news 7400 ID "Apple beats" AAPL MSFT
 */
#include <stdio.h>
#include <stdlib.h>
#include <tickbus.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct tickbus_options options = {
		.port_base = (uint16_t)(argc > 1 ? atoi(argv[1]) : 0)};
	struct tickbus_pub *pub;
	struct tickbus_ack ack;

	if (argc < 5)
		return 64;
	const struct tickbus_article article = {
		.id = argv[2],
		.headline = argv[3],
		.time_ns = (int64_t)time(NULL) * INT64_C(1000000000),
		.symbols = (const char *const *)(argv + 4),
		.n_symbols = (size_t)(argc - 4)};

	if (tickbus_pub_open(&options, NULL, "example", 1, &pub) ||
	    tickbus_pub_news(pub, &article, 1, &ack)) {
		fprintf(stderr, "example_news: %s\n", tickbus_error());
		return 1;
	}
	if (ack.rejected)
		printf("rejected: %s\n", tickbus_reason_name(ack.runs[0].reason));
	else
		printf("%s\n", ack.accepted ? "accepted" : "known already");
	tickbus_pub_close(pub);
	return ack.rejected ? 1 : 0;
}
