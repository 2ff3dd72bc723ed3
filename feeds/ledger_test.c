/* Spans lie end to end, what is open is never forgotten, saved is read again. */
#include "base/err.h"
#include "feeds/ledger.h"
#include "feeds/rng.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char *const two[] = {"AAPL", "MSFT"};

static struct ledger *make(void)
{
	struct ledger *l;

	assert_int_equal(ledger_new(two, 2, &l), 0);
	return l;
}

/* "live 10-20, open 20-30 why" */
static const char *said(const struct ledger *l, size_t i)
{
	static char text[4096];
	size_t n, len = 0;
	const struct ledger_span *v = ledger_spans(l, i, &n);

	text[0] = '\0';
	for (size_t k = 0; k < n; k++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s%s %lld-%lld%s%s", k > 0 ? ", " : "",
					ledger_kind_name(v[k].kind),
					(long long)v[k].from_ns, (long long)v[k].to_ns,
					v[k].why[0] ? " " : "", v[k].why);
	return text;
}

static void settle(struct ledger *l, size_t i, int64_t from, int64_t to,
		   enum ledger_kind kind, uint64_t ticks)
{
	const struct ledger_span s = {
		.from_ns = from, .to_ns = to, .kind = (uint8_t)kind, .ticks = ticks};

	ledger_settle(l, i, &s);
}

static void a_cut_leaves_a_hole_that_a_refill_closes(void **state)
{
	struct ledger *l = make();
	struct ledger_span grows;
	int64_t from, to;

	(void)state;
	ledger_on(l, 10);
	assert_false(
		ledger_open_hull(l, &from, &to)); /* nothing before the first time */
	ledger_good(l, 25);
	ledger_good(l, 20);
	assert_true(ledger_growing(l, &grows));
	assert_int_equal(grows.to_ns, 25);
	ledger_off(l);
	ledger_good(l, 90); /* not while it is off */
	ledger_on(l, 40);
	ledger_good(l, 50);
	assert_string_equal(said(l, 0), "live 10-25, open 25-40");
	assert_true(ledger_open_hull(l, &from, &to));
	assert_int_equal(from, 25);
	assert_int_equal(to, 40);
	assert_int_equal(ledger_open_count(l), 2);
	settle(l, 0, 25, 40, LEDGER_REFILLED, 3);
	settle(l, 1, 0, 100, LEDGER_QUIET, 0);
	assert_string_equal(said(l, 0), "live 10-25, refilled 25-40");
	assert_string_equal(said(l, 1), "live 10-25, quiet 25-40");
	assert_int_equal(ledger_open_count(l), 0);
	ledger_free(l);
}

static void a_hole_may_be_settled_in_parts(void **state)
{
	struct ledger *l = make();

	(void)state;
	ledger_on(l, 0);
	ledger_good(l, 10);
	ledger_off(l);
	ledger_on(l, 100);
	settle(l, 0, 30, 50, LEDGER_REFILLED, 7);
	assert_string_equal(said(l, 0),
			    "live 0-10, open 10-30, refilled 30-50, open 50-100");
	ledger_note(l, 0, 60, 70, "not yet");
	assert_string_equal(said(l, 0),
			    "live 0-10, open 10-30, refilled 30-50, open 50-100 "
			    "not yet");
	settle(l, 0, 0, 40, LEDGER_REFILLED, 2);
	assert_string_equal(said(l, 0),
			    "live 0-10, refilled 10-50, open 50-100 not yet");
	settle(l, 0, 0, 1000, LEDGER_LOST, 0);
	assert_string_equal(said(l, 0), "live 0-10, refilled 10-50, lost 50-100");
	ledger_free(l);
}

static void a_connection_without_data_is_all_hole(void **state)
{
	struct ledger *l = make();

	(void)state;
	ledger_on(l, 10);
	ledger_off(l);
	ledger_on(l, 20);
	ledger_on(l, 30);
	ledger_off(l);
	assert_string_equal(said(l, 0), "open 10-30");
	ledger_free(l);
}

static void a_clock_that_steps_back_makes_no_overlap(void **state)
{
	struct ledger *l = make();

	(void)state;
	ledger_on(l, 100);
	ledger_good(l, 200);
	ledger_off(l);
	ledger_on(l, 150);
	ledger_good(l, 180);
	ledger_off(l);
	assert_string_equal(said(l, 0), "live 100-200");
	ledger_free(l);
}

static void what_is_saved_is_read_again(void **state)
{
	static const char *const other[] = {"MSFT", "TSLA"};
	struct ledger *l = make(), *again, *changed;
	struct buf saved = {0};

	(void)state;
	ledger_on(l, 10);
	ledger_good(l, 20);
	ledger_off(l);
	ledger_on(l, 30);
	ledger_note(l, 1, 0, 100, "the vendor is down");
	ledger_good(l, 45);
	ledger_save(l, &saved);
	assert_int_equal(ledger_read(saved.data, saved.len, &again), 0);
	assert_string_equal(said(again, 0), "live 10-20, open 20-30, live 30-45");
	assert_string_equal(ledger_symbol(again, 1), "MSFT");
	assert_int_equal(ledger_good_ns(again), 45);
	/* The next life: from where it was good to where it flows again. */
	ledger_on(again, 60);
	assert_string_equal(said(again, 1),
			    "live 10-20, open 20-30 the vendor is down, "
			    "live 30-45, open 45-60");
	/* Another configuration: one left, one new. */
	assert_int_equal(ledger_new(other, 2, &changed), 0);
	assert_int_equal(ledger_load(changed, saved.data, saved.len), 0);
	ledger_on(changed, 60);
	assert_string_equal(said(changed, 0),
			    "live 10-20, open 20-30 the vendor is down, "
			    "live 30-45, open 45-60");
	assert_string_equal(said(changed, 1), "");
	ledger_free(l);
	ledger_free(again);
	ledger_free(changed);
	buf_free(&saved);
}

static void a_damaged_one_is_refused(void **state)
{
	struct ledger *l = make(), *again = NULL;
	uint64_t seed = (uint64_t)time(NULL);
	struct buf saved = {0};
	struct rng r;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	rng_seed(&r, seed);
	ledger_on(l, 10);
	ledger_good(l, 20);
	ledger_off(l);
	ledger_on(l, 30);
	ledger_save(l, &saved);
	for (size_t n = 0; n < saved.len; n++)
		assert_int_equal(ledger_read(saved.data, n, &again), -EBADMSG);
	buf_add(&saved, "x", 1);
	assert_int_equal(ledger_read(saved.data, saved.len, &again), -EBADMSG);
	for (int i = 0; i < 20000; i++) {
		size_t at = rng_below(&r, (uint32_t)saved.len - 1);
		uint8_t was = saved.data[at];

		saved.data[at] = (uint8_t)rng_u64(&r);
		if (ledger_read(saved.data, saved.len - 1, &again) == 0)
			ledger_free(again);
		saved.data[at] = was;
	}
	ledger_free(l);
	buf_free(&saved);
}

/* Whatever happens: end to end, in order, bounded, and no open moment is forgotten. */
static void chance_leaves_no_seam(void **state)
{
	uint64_t seed = (uint64_t)time(NULL);
	struct rng r;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 100; round++) {
		struct ledger *l = make();
		int64_t now = 0;
		size_t n;
		const struct ledger_span *v;

		rng_seed(&r, seed + (uint64_t)round);
		for (int i = 0; i < 1000; i++) {
			bool was_open = false;
			int64_t at = (int64_t)rng_below(&r, (uint32_t)now + 1);
			uint32_t what = rng_below(&r, 10);

			v = ledger_spans(l, 0, &n);
			for (size_t k = 0; k < n; k++)
				was_open |= v[k].kind == LEDGER_OPEN &&
					    v[k].from_ns <= at && at < v[k].to_ns;
			now += 1 + rng_below(&r, 20);
			if (what < 3)
				ledger_on(l, now);
			else if (what < 5)
				ledger_off(l);
			else if (what < 9)
				ledger_good(l, now);
			else
				settle(l, 0, now - 50, now - rng_below(&r, 50),
				       LEDGER_QUIET, 0);
			v = ledger_spans(l, 0, &n);
			assert_true(n <= LEDGER_SPANS_MAX);
			for (size_t k = 0; k < n; k++) {
				assert_true(v[k].to_ns > v[k].from_ns);
				if (k > 0)
					assert_true(v[k].from_ns == v[k - 1].to_ns);
				if (was_open && v[k].from_ns <= at && at < v[k].to_ns &&
				    what < 9)
					assert_int_equal(v[k].kind, LEDGER_OPEN);
			}
			if (was_open && what < 9)
				assert_true(n > 0 && v[0].from_ns <= at);
		}
		ledger_free(l);
	}
}

static void a_symbol_begins_where_it_is_told_to(void **state)
{
	struct ledger *l = make();

	(void)state;
	assert_true(ledger_end_ns(l, 0) == INT64_MIN);
	ledger_begin(l, 10);
	assert_int_equal(ledger_end_ns(l, 0), 10);
	ledger_on(l, 30);
	ledger_off(l);
	assert_string_equal(said(l, 0), "open 10-30");
	settle(l, 0, 10, 30, LEDGER_REFILLED, 2);
	ledger_begin(l, 90); /* of these two something is known */
	assert_int_equal(ledger_end_ns(l, 1), 30);
	ledger_on(l, 40);
	ledger_off(l);
	assert_string_equal(said(l, 0), "refilled 10-30, open 30-40");
	assert_string_equal(said(l, 1), "open 10-40");
	ledger_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_leaves_a_hole_that_a_refill_closes),
		cmocka_unit_test(a_hole_may_be_settled_in_parts),
		cmocka_unit_test(a_connection_without_data_is_all_hole),
		cmocka_unit_test(a_clock_that_steps_back_makes_no_overlap),
		cmocka_unit_test(what_is_saved_is_read_again),
		cmocka_unit_test(a_damaged_one_is_refused),
		cmocka_unit_test(chance_leaves_no_seam),
		cmocka_unit_test(a_symbol_begins_where_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
