/* Tests of newshold.h. */
#include "workers/newshold.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SYMBOLS 6

static struct newshold hold;

static int fresh(void **state)
{
	(void)state;
	return newshold_init(&hold, SYMBOLS);
}

static int gone(void **state)
{
	(void)state;
	newshold_deinit(&hold);
	return 0;
}

static void say(uint64_t pos, enum control_verb verb, uint8_t level, uint32_t id)
{
	const struct freeze f = {.level = level, .id = id};
	struct record r = {.type = RECORD_CONTROL,
			   .ref_seq = verb,
			   .symbol_id = id,
			   .source_seq = freeze_pack(&f)};

	newshold_control(&hold, pos, &r);
}

static void expect(uint64_t a, uint64_t b, uint64_t c)
{
	assert_int_equal(newshold_from(&hold, 0), a);
	assert_int_equal(newshold_from(&hold, 1), b);
	assert_int_equal(newshold_from(&hold, 2), c);
}

static void a_symbol_is_held_while_there_is_a_reason(void **state)
{
	(void)state;
	say(5, CONTROL_FREEZE, FREEZE_SYMBOL, 1);
	expect(0, 5, 0);
	say(7, CONTROL_PAUSE, 0, 1);
	say(8, CONTROL_PAUSE, 0, 0);
	say(9, CONTROL_RELEASE, FREEZE_SYMBOL, 1);
	expect(8, 5, 0);
	say(10, CONTROL_RESUME, 0, 1);
	expect(8, 0, 0);
	say(11, CONTROL_RESUME, 0, 0);
	expect(0, 0, 0);
	/* What no symbol is, and what is no freeze of news. */
	say(12, CONTROL_FREEZE, FREEZE_SYMBOL, SYMBOLS);
	say(13, CONTROL_PAUSE, 0, SYMBOLS);
	say(14, CONTROL_FREEZE, FREEZE_TIER, 1);
	say(15, CONTROL_FREEZE, FREEZE_ALL, 0);
	expect(0, 0, 0);
}

static void a_source_holds_the_symbols_that_it_writes_of(void **state)
{
	(void)state;
	newshold_article(&hold, 1, 0, 7);
	newshold_article(&hold, 2, 1, 7);
	newshold_article(&hold, 3, 1, 8); /* its newest is of another */
	say(5, CONTROL_FREEZE, FREEZE_SOURCE, 7);
	expect(5, 0, 0);
	newshold_article(&hold, 6, 1, 8);
	newshold_article(&hold, 7, 1, 7);
	newshold_article(&hold, 8, 1, 8); /* what it said is in the sums */
	newshold_article(&hold, 9, 2, 8);
	expect(5, 7, 0);
	say(10, CONTROL_FREEZE, FREEZE_SOURCE, 8);
	expect(5, 7, 10);
	say(11, CONTROL_RELEASE, FREEZE_SOURCE, 7);
	expect(0, 7, 10); /* the newest of 1 is of 8 */
	say(12, CONTROL_FREEZE, FREEZE_SYMBOL, 2);
	say(13, CONTROL_RELEASE, FREEZE_SOURCE, 8);
	expect(0, 0, 10);
}

static void no_source_is_one_too_many(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= FREEZE_SOURCES_MAX + 1; i++)
		say(i, CONTROL_FREEZE, FREEZE_SOURCE, i);
	newshold_article(&hold, 100, 0, FREEZE_SOURCES_MAX);
	newshold_article(&hold, 100, 1, FREEZE_SOURCES_MAX + 1);
	newshold_article(&hold, 100, 2, 0);
	expect(100, 0, 0);
}

static void a_saved_state_is_the_state(void **state)
{
	struct newshold other;
	struct buf a = {0}, b = {0};
	struct state st = state_saving(&a);

	(void)state;
	newshold_article(&hold, 1, 0, 7);
	newshold_article(&hold, 2, 3, 9);
	say(5, CONTROL_FREEZE, FREEZE_SOURCE, 7);
	say(6, CONTROL_PAUSE, 0, SYMBOLS - 1);
	newshold_state(&st, &hold);
	assert_int_equal(newshold_init(&other, SYMBOLS), 0);
	st = state_loading(a.data, a.len);
	newshold_state(&st, &other);
	assert_false(state_bad(&st));
	st = state_saving(&b);
	newshold_state(&st, &other);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	for (uint32_t i = 0; i < SYMBOLS; i++)
		assert_int_equal(newshold_from(&other, i), newshold_from(&hold, i));
	for (size_t len = 0; len < a.len; len++) {
		newshold_reset(&other);
		st = state_loading(a.data, len);
		newshold_state(&st, &other);
		assert_true(state_bad(&st));
	}
	newshold_deinit(&other);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_symbol_is_held_while_there_is_a_reason, fresh, gone),
		cmocka_unit_test_setup_teardown(
			a_source_holds_the_symbols_that_it_writes_of, fresh, gone),
		cmocka_unit_test_setup_teardown(no_source_is_one_too_many, fresh, gone),
		cmocka_unit_test_setup_teardown(a_saved_state_is_the_state, fresh,
						gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
