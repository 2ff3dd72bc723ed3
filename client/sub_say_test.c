/* sub_say_test - what a subscription has to tell. */
#include "client/sub_world_test.h"

static const struct tickbus_filter ticks_unfilled = {.kinds = TICKBUS_KIND(EVENT_TICK),
						     .policy = TICKBUS_BEST_EFFORT};

static void outcomes_are_sentences(void **state)
{
	struct tickbus_sub *sub = subscribe(&ticks_unfilled);
	struct tickbus_event e;
	int rc;

	(void)state;
	send_ticks(5, 5, "AAPL");
	send_ticks(9, 9, "AAPL");
	gives_tick(sub, 5, 0);
	rc = tickbus_sub_next(sub, 2000, &e);
	assert_string_equal(tickbus_sub_sentence(sub, rc, &e),
			    "tick AAPL: events 6 to 8 are lost");
	e.gap.is_skipped = 1;
	assert_string_equal(tickbus_sub_sentence(sub, rc, &e),
			    "tick AAPL: events 6 to 8 were skipped");
	e.gap = (struct tickbus_gap){.first_pos = 3, .last_pos = 7};
	assert_string_equal(tickbus_sub_sentence(sub, rc, &e),
			    "catch-up does not show log positions 3 to 7: a tick may "
			    "be lost there");
	e.kind = EVENT_KINDS;
	assert_string_equal(tickbus_sub_sentence(sub, rc, &e),
			    "log positions 3 to 7 are not held any more");
	gives_tick(sub, 9, 0);
	assert_string_equal(tickbus_sub_sentence(sub, 0, &e), "");
	assert_string_equal(tickbus_sub_trouble(sub), "");
	nng_close(server.tick);
	for (int i = 0; i < 400 && tickbus_sub_trouble(sub)[0] == '\0'; i++)
		gives_nothing(sub);
	assert_non_null(strstr(tickbus_sub_trouble(sub), options.url[TICKBUS_TICK]));
	assert_string_equal(tickbus_sub_sentence(sub, TICKBUS_TIMEOUT, &e),
			    tickbus_sub_trouble(sub));
	tickbus_sub_close(sub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(outcomes_are_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
