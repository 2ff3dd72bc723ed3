/* sub_policy_test - only the newest, and only so often; the chain. */
#include "base/clock.h"
#include "client/sub_world_test.h"

static void gives_skipped(struct tickbus_sub *sub, const char *symbol, uint64_t first,
			  uint64_t last)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_GAP);
	assert_string_equal(e.gap.symbol, symbol);
	assert_int_equal(e.gap.first_seq, first);
	assert_int_equal(e.gap.last_seq, last);
	assert_int_equal(e.gap.is_skipped, 1);
}

static const struct tickbus_filter conflated = {.kinds = TICKBUS_KIND(EVENT_TICK),
						.policy = TICKBUS_CONFLATE};

static void of_what_waits_the_newest_is_given_and_the_rest_announced(void **state)
{
	struct tickbus_sub *sub = subscribe(&conflated);

	(void)state;
	send_ticks(5, 9, "AAPL");
	gives_skipped(sub, "AAPL", 5, 8);
	gives_tick(sub, 9, 0);
	gives_nothing(sub);
	send_ticks(10, 10, "AAPL");
	gives_tick(sub, 10, 0);
	gives_nothing(sub);
	assert_int_equal(tickbus_sub_counts(sub)->events, 2);
	assert_int_equal(tickbus_sub_counts(sub)->skipped, 4);
	assert_int_equal(tickbus_sub_counts(sub)->lost, 0);
	tickbus_sub_close(sub);
}

/* Every stream has its turn, and none of its numbers goes unsaid. */
static void a_slow_reader_accounts_for_every_sequence(void **state)
{
	static const char *const symbols[3] = {"AAPL", "MSFT", "IBM"};
	struct tickbus_sub *sub = subscribe(&conflated);
	uint64_t sent[3] = {0}, next[3] = {1, 1, 1};
	unsigned events = 0;
	struct tickbus_event e;

	(void)state;
	for (int round = 0; round < 150; round++) {
		for (unsigned i = 0; i < 3 && round < 100; i++) {
			uint64_t n = 1 + (unsigned)(round + (int)i) % 4;

			send_ticks(sent[i] + 1, sent[i] + n, symbols[i]);
			sent[i] += n;
			(void)poll(NULL, 0, 1); /* a PUB socket drops what it cannot
						   pass on */
		}
		for (int rc; (rc = tickbus_sub_next(sub, round < 100 ? 0 : 5, &e)) !=
			     TICKBUS_TIMEOUT;) {
			const char *symbol = rc == 0 ? e.tick->symbol : e.gap.symbol;
			unsigned i = symbol[0] == 'A' ? 0 : symbol[0] == 'M' ? 1 : 2;

			assert_true(rc == 0 || rc == TICKBUS_GAP);
			assert_int_equal(next[i],
					 rc == 0 ? e.head->seq : e.gap.first_seq);
			next[i] = 1 + (rc == 0 ? e.head->seq : e.gap.last_seq);
			events += rc == 0;
			if (round % 3 != 0 && round < 100)
				break; /* slow */
		}
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(next[i], sent[i] + 1);
	assert_true(tickbus_sub_counts(sub)->skipped > 0);
	assert_int_equal(tickbus_sub_counts(sub)->events, events);
	tickbus_sub_close(sub);
}

static void what_is_older_than_the_newest_is_not_fetched(void **state)
{
	struct tickbus_sub *sub = subscribe(&conflated);

	(void)state;
	server.held_from = 1;
	server.held_to = 13;
	send_ticks(5, 5, "AAPL");
	gives_tick(sub, 5, 0);
	send_ticks(11, 11, "AAPL");
	gives_skipped(sub, "AAPL", 6, 10);
	gives_tick(sub, 11, 0);
	assert_int_equal(server.requests, 0);
	send_heartbeat(13, "AAPL"); /* but the newest itself is */
	gives_skipped(sub, "AAPL", 12, 12);
	gives_tick(sub, 13, 1);
	assert_int_equal(server.requests, 1);
	tickbus_sub_close(sub);
}

#define SAMPLE_MS 300

static int64_t interval_now(void)
{
	return clock_mono_ns() / (SAMPLE_MS * NS_PER_MS);
}

static void a_stream_goes_once_per_interval(void **state)
{
	const struct tickbus_filter filter = {.kinds = TICKBUS_KIND(EVENT_TICK),
					      .policy = TICKBUS_SAMPLE,
					      .sample_ms = SAMPLE_MS};
	struct tickbus_sub *sub = subscribe(&filter);
	int64_t first = interval_now();

	(void)state;
	while (interval_now() == first) /* a whole interval lies before us */
		(void)poll(NULL, 0, 1);
	first = interval_now();
	send_ticks(1, 1, "AAPL");
	gives_tick(sub, 1, 0);
	send_ticks(2, 3, "AAPL");
	gives_nothing(sub);
	send_ticks(4, 4, "AAPL");
	send_ticks(1, 1, "MSFT");
	gives_tick(sub, 1, 0); /* another stream's turn is its own */
	assert_int_equal(interval_now(), first);
	gives_skipped(sub, "AAPL", 2, 3);
	gives_tick(sub, 4, 0);
	assert_int_equal(interval_now(), first + 1);
	tickbus_sub_close(sub);
}

static void a_policy_must_make_sense(void **state)
{
	struct tickbus_filter f = {.kinds = TICKBUS_KIND(EVENT_TICK),
				   .policy = TICKBUS_SAMPLE};
	struct tickbus_sub *sub;

	(void)state;
	assert_int_equal(tickbus_sub_open(&options, &f, &sub), -EINVAL);
	f.policy = (enum tickbus_policy)17;
	assert_int_equal(tickbus_sub_open(&options, &f, &sub), -EINVAL);
}

static void send_matrix(uint64_t version, uint64_t *head)
{
	struct sample_matrix m = sample_matrix();
	uint8_t data[2048];
	struct frame f;

	m.e.head.seq = version;
	event_chain(EVENT_TIER2, &m.e, head);
	frame_begin(&f, data, sizeof(data), EVENT_TIER2, server.epoch);
	frame_add(&f, &m);
	publish(server.tier2, EVENT_TIER2, data, frame_seal(&f, 1, SAMPLE_NS));
}

static void gives_version(struct tickbus_sub *sub, uint64_t version)
{
	struct tickbus_event e;

	assert_int_equal(tickbus_sub_next(sub, 2000, &e), 0);
	assert_int_equal(e.kind, EVENT_TIER2);
	assert_int_equal(e.head->seq, version);
}

static void a_broken_chain_is_told_before_its_event(void **state)
{
	struct tickbus_filter filter = {.kinds = TICKBUS_KIND(EVENT_TIER2)};
	struct tickbus_sub *sub;
	struct tickbus_event e;
	uint64_t head = 17, other = 4711;
	uint64_t first = 0;

	(void)state;
	assert_int_equal(tickbus_sub_open(&options, &filter, &sub), 0);
	for (uint64_t v = 1; v < 200 && first == 0; v++) { /* until it is connected */
		send_matrix(v, &head);
		if (tickbus_sub_next(sub, 20, &e) == 0)
			first = v;
	}
	assert_true(first > 0);
	send_matrix(first + 1, &head);
	gives_version(sub, first + 1);
	send_matrix(first + 2, &other);
	assert_int_equal(tickbus_sub_next(sub, 2000, &e), TICKBUS_CHAIN);
	assert_int_equal(e.gap.first_seq, first + 2);
	assert_string_equal(e.gap.symbol, "tech");
	gives_version(sub, first + 2);
	send_matrix(first + 3, &other);
	gives_version(sub, first + 3);
	assert_int_equal(tickbus_sub_counts(sub)->chain_breaks, 1);
	tickbus_sub_close(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(of_what_waits_the_newest_is_given_and_the_rest_announced),
		WITH_SERVER(a_slow_reader_accounts_for_every_sequence),
		WITH_SERVER(what_is_older_than_the_newest_is_not_fetched),
		WITH_SERVER(a_stream_goes_once_per_interval),
		WITH_SERVER(a_policy_must_make_sense),
		WITH_SERVER(a_broken_chain_is_told_before_its_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
