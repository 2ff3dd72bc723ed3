#include "proto/sample_test.h"
#include "proto/topic.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void is_topic(enum event_kind kind, const void *event, const char *want)
{
	char out[TOPIC_MAX] = {0};
	size_t len = topic_event(out, kind, event);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
}

static void json_topics_name_symbol_and_timeframe(void **state)
{
	struct event_tick tick = sample_tick();
	struct event_bar bar = sample_bar();
	struct event_tier1 tier1 = sample_tier1();
	struct sample_matrix m = sample_matrix();
	struct event_status status = sample_status();

	(void)state;
	is_topic(EVENT_TICK, &tick, "tick.AAPL|");
	is_topic(EVENT_BAR, &bar, "bar.1m.AAPL|");
	is_topic(EVENT_TIER1, &tier1, "tier1.1m.AAPL|");
	is_topic(EVENT_TIER2, &m, "tier2.tech.1m|");
	is_topic(EVENT_STATUS, &status, "status.AAPL|");
	is_topic(EVENT_HEARTBEAT, NULL, "hb|");
	memset(tick.symbol, 'X', sizeof(tick.symbol));
	is_topic(EVENT_TICK, &tick, "tick.XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX|");
}

static void a_message_is_cut_at_its_bar(void **state)
{
	char out[TOPIC_MAX];
	struct topic t;
	size_t len = topic_kind(out, EVENT_TIER1);

	(void)state;
	assert_int_equal(len, 6);
	assert_memory_equal(out, "tier1|", 6);
	assert_int_equal(topic_split("tick|abc", 8, &t), 0);
	assert_int_equal(t.kind, EVENT_TICK);
	assert_int_equal(t.body_len, 3);
	assert_memory_equal(t.body, "abc", 3);
	assert_int_equal(topic_split("bar.1m.BRK.B|{}", 15, &t), 0);
	assert_int_equal(t.kind, EVENT_BAR);
	assert_int_equal(t.text_len, 12);
	assert_int_equal(topic_split("hb|", 3, &t), 0);
	assert_int_equal(t.body_len, 0);
}

static void messages_without_a_sound_topic_are_refused(void **state)
{
	char none[200];
	struct topic t;

	(void)state;
	memset(none, 'a', sizeof(none));
	assert_int_equal(topic_split(none, sizeof(none), &t), TOPIC_BAD);
	assert_int_equal(topic_split("", 0, &t), TOPIC_BAD);
	assert_int_equal(topic_split("tick", 4, &t), TOPIC_BAD);
	assert_int_equal(topic_split("|x", 2, &t), TOPIC_BAD);
	assert_int_equal(topic_split("ticks|x", 7, &t), TOPIC_BAD);
	none[150] = '|'; /* too far behind to be a topic */
	assert_int_equal(topic_split(none, sizeof(none), &t), TOPIC_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_topics_name_symbol_and_timeframe),
		cmocka_unit_test(a_message_is_cut_at_its_bar),
		cmocka_unit_test(messages_without_a_sound_topic_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
