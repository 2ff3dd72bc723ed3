/* subscription - policies: lag, conflate, block; and that every loss is told and
 * counted. */
#include "bus/bus_fixture_test.h"

static void a_slow_reader_is_told_what_it_lost(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct sub *s = subscribe_all(f, POLICY_LAG);
	struct symbuf_event e;
	struct bus_counts c;
	struct bus_symbol_counts sc;
	uint64_t lost = 0;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		assert_int_equal(publish(f, 6, i), 0);
		step_all(f);
	}
	assert_int_equal(sub_read(s, &e, &lost), SUB_LAPPED);
	assert_int_equal(e.symbol_id, 6);
	assert_int_equal(e.kind, EVENT_TICK);
	assert_int_equal(sub_read(s, &e, &lost), 0);
	assert_int_equal(e.seq, lost + 1);
	assert_int_equal(value_of(&e), lost + 1);
	bus_counts(f->bus, EVENT_TICK, &c);
	bus_symbol_counts(f->bus, 6, &sc);
	assert_int_equal(c.lapped, lost);
	assert_int_equal(sc.lapped, lost);
	bus_unsubscribe(f->bus, s);
	fixture_free(f);
}

static void a_loss_is_told_even_when_nothing_follows_it(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct sub *s = subscribe_all(f, POLICY_LAG);
	struct symbuf_event e;
	uint64_t lost = 0;
	uint64_t v = 1;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(publish(f, 6, i), 0);
	step_all(f);
	/* Bars, which the reader does not want, turn the buffer over. */
	for (int i = 0; i < 40; i++) {
		assert_int_equal(bus_publish(f->bus, EVENT_BAR, 6, &v, 8), 0);
		step_all(f);
	}
	assert_int_equal(sub_read(s, &e, &lost), SUB_LAPPED);
	assert_int_equal(lost, 3);
	assert_int_equal(e.kind, EVENT_TICK);
	assert_int_equal(sub_read(s, &e, &lost), SUB_EMPTY);
	assert_int_equal(sub_counts(s)->lapped, 3);
	bus_unsubscribe(f->bus, s);
	fixture_free(f);
}

static void a_conflating_reader_gets_the_newest_of_each_symbol(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct sub *s = subscribe_all(f, POLICY_CONFLATE);
	struct symbuf_event e;
	struct bus_counts c;
	uint64_t lost = 0;
	uint64_t v = 5;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++) {
		assert_int_equal(publish(f, 3, i), 0);
		assert_int_equal(publish(f, 4, i + 100), 0);
		step_all(f);
	}
	assert_int_equal(bus_publish(f->bus, EVENT_BAR, 4, &v, 8), 0);
	step_all(f);
	assert_int_equal(sub_read(s, &e, &lost), 0);
	assert_int_equal(value_of(&e), 50);
	assert_int_equal(sub_read(s, &e, &lost), 0);
	assert_int_equal(e.kind, EVENT_TICK);
	assert_int_equal(value_of(&e), 150);
	assert_int_equal(sub_read(s, &e, &lost), SUB_EMPTY);
	assert_int_equal(sub_counts(s)->conflated, 98);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_int_equal(c.conflated, 98);
	assert_int_equal(c.lapped, 0);
	bus_unsubscribe(f->bus, s);
	fixture_free(f);
}

static void a_blocking_reader_stops_the_publisher_until_it_reads(void **state)
{
	struct fixture *f = fixture_new(&small);
	struct sub *s = subscribe_all(f, POLICY_BLOCK);
	struct symbuf_event e;
	struct bus_counts c;
	uint64_t lost = 0;
	uint64_t v = 0;
	uint64_t taken = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		taken += publish(f, 6, taken) == 0;
		step_all(f);
	}
	assert_int_equal(taken, 16);
	assert_int_equal(publish(f, 5, 1), 0); /* other symbols are not blocked */
	step_all(f);
	for (uint64_t want = 0; want < 1000;) {
		int rc = sub_read(s, &e, &lost);

		if (rc == SUB_EMPTY) {
			while (publish(f, 6, taken) == 0)
				taken++;
			step_all(f);
			continue;
		}
		assert_int_equal(rc, 0);
		if (e.symbol_id != 6)
			continue;
		assert_int_equal(value_of(&e), want);
		want++;
	}
	/* Kinds that it does not want must not block it for ever. */
	for (int i = 0; i < 100; i++) {
		if (bus_publish(f->bus, EVENT_BAR, 7, &v, 8) == 0)
			v++;
		step_all(f);
		(void)sub_read(s, &e, &lost);
	}
	assert_in_range(v, 90, 100);
	bus_counts(f->bus, EVENT_TICK, &c);
	assert_true(c.blocked >= 84);
	assert_int_equal(c.lapped, 0);
	bus_unsubscribe(f->bus, s);
	for (uint64_t i = 0; i < 50; i++) { /* it is gone: nobody blocks */
		assert_int_equal(publish(f, 6, i), 0);
		step_all(f);
	}
	fixture_free(f);
}

static void a_busy_symbol_does_not_hide_the_quiet_ones_from_a_reader(void **state)
{
	struct bus_params p = small;
	struct fixture *f;
	struct symbuf_event e;
	struct sub *s;
	uint64_t lost;
	int before = 0;

	(void)state;
	p.history = 1024;
	f = fixture_new(&p);
	s = subscribe_all(f, POLICY_LAG);
	for (uint64_t i = 0; i < 900; i++) {
		assert_int_equal(publish(f, 1, i), 0);
		step_all(f);
	}
	assert_int_equal(publish(f, 9, 1), 0);
	step_all(f);
	for (;; before++) {
		assert_int_equal(sub_read(s, &e, &lost), 0);
		if (e.symbol_id == 9)
			break;
	}
	assert_int_equal(before, 64);
	bus_unsubscribe(f->bus, s);
	fixture_free(f);
}

static void too_many_subscribers_are_refused(void **state)
{
	struct fixture *f = fixture_new(&small);
	const struct filter all = {.kinds = FILTER_KINDS_ALL, .all_symbols = true};
	const struct filter none = {.all_symbols = true};
	struct sub *s[BUS_SUBS_MAX];
	struct sub *extra = NULL;

	(void)state;
	assert_int_equal(bus_subscribe(f->bus, &none, POLICY_LAG, &extra), -EINVAL);
	for (int i = 0; i < BUS_SUBS_MAX; i++)
		s[i] = subscribe_all(f, POLICY_LAG);
	assert_int_equal(bus_subscribe(f->bus, &all, POLICY_LAG, &extra), -ENOSPC);
	assert_null(extra);
	bus_unsubscribe(f->bus, s[10]);
	s[10] = subscribe_all(f, POLICY_LAG);
	for (int i = 0; i < BUS_SUBS_MAX; i++)
		bus_unsubscribe(f->bus, s[i]);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_is_told_what_it_lost),
		cmocka_unit_test(a_loss_is_told_even_when_nothing_follows_it),
		cmocka_unit_test(a_conflating_reader_gets_the_newest_of_each_symbol),
		cmocka_unit_test(a_blocking_reader_stops_the_publisher_until_it_reads),
		cmocka_unit_test(
			a_busy_symbol_does_not_hide_the_quiet_ones_from_a_reader),
		cmocka_unit_test(too_many_subscribers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
