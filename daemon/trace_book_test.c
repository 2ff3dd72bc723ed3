/* trace_book_test - spans, histograms, exemplars and the slowest, by hand. */
#include "bus/stats.h"
#include "daemon/trace_book.h"
#include "daemon/trace_step_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

static void a_span_is_the_time_from_the_stage_before(void **state)
{
	struct trace_step s = whole;

	(void)state;
	assert_int_equal(trace_span_ns(&s, SPAN_COMMIT), S);
	assert_int_equal(trace_span_ns(&s, SPAN_DISPATCH), S / 2);
	assert_int_equal(trace_span_ns(&s, SPAN_WORKER), 2 * S + S / 2);
	assert_int_equal(trace_span_ns(&s, SPAN_TIER2), 2 * S);
	assert_int_equal(trace_span_ns(&s, SPAN_PUBLISH), 4 * S);
	assert_int_equal(trace_span_ns(&s, SPAN_TICK), S / 2);
	assert_int_equal(trace_span_ns(&s, SPAN_TOTAL), 10 * S);
}

static void what_is_not_known_is_no_span(void **state)
{
	struct trace_step s = whole;

	(void)state;
	s.at_ns[TRACE_WORKER] = 0;
	assert_int_equal(trace_span_ns(&s, SPAN_WORKER), -1);
	assert_int_equal(trace_span_ns(&s, SPAN_TIER2), -1);
	s.at_ns[TRACE_COMMIT] = 0;
	assert_int_equal(trace_span_ns(&s, SPAN_COMMIT), -1);
	assert_int_equal(trace_span_ns(&s, SPAN_DISPATCH), -1);
	assert_int_equal(trace_span_ns(&s, SPAN_TOTAL), 10 * S);
	s.last_tick = 0;
	assert_int_equal(trace_span_ns(&s, SPAN_TICK), -1);
	s.at_ns[TRACE_PUBLISH] = 0;
	assert_int_equal(trace_span_ns(&s, SPAN_TOTAL), -1);
	s = whole;
	s.recv_ns = 300 * S; /* the wall was set back meanwhile */
	assert_int_equal(trace_span_ns(&s, SPAN_TOTAL), 0);
}

/* Step @pos of one record that takes @took_ns from acceptance to publication. */
static void pass(struct trace *t, uint64_t pos, int64_t took_ns)
{
	int64_t now = clock_mono_ns(), wall = clock_wall_ns();
	const struct trace_step s = {.first_pos = pos,
				     .last_pos = pos,
				     .last_tick = pos,
				     .recv_ns = wall - took_ns};

	role_assert_store();
	trace_committed(t, pos, now);
	trace_dispatched(t, &s);
	for (unsigned k = TRACE_TICK; k <= TRACE_WORKER; k++)
		trace_reached(t, k, pos, clock_mono_ns());
}

static void every_record_is_counted_and_the_slowest_are_kept(void **state)
{
	const struct trace_span_times *total;
	struct trace_step s, list[TRACE_SLOWEST];
	struct trace_book *b;
	struct trace *t;
	uint64_t told;

	(void)state;
	role_assert_loop();
	assert_int_equal(trace_new(64, 1, &t), 0);
	assert_int_equal(trace_book_new(t, &b), 0);
	told = stats_get(STAT_SLOW_RECORDS);
	for (uint64_t pos = 1; pos <= 1000; pos++) {
		pass(t, pos, pos % 100 == 0 ? (int64_t)pos * S : S / 1000);
		trace_book_step(b, 950 * S);
	}
	total = trace_book_times(b, SPAN_TOTAL);
	assert_int_equal(atomic_load(&total->times.count), 1000);
	assert_int_equal(stats_get(STAT_SLOW_RECORDS) - told, 1);

	/* Long since overwritten, but slow: still known. */
	assert_false(trace_find(t, 100, &s));
	assert_true(trace_book_find(b, 100, &s) && s.first_pos == 100);
	assert_true(trace_book_find(b, 990, &s) && s.first_pos == 990);
	assert_int_equal(trace_book_slowest(b, list), TRACE_SLOWEST);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(list[i].first_pos, 1000 - 100 * i);
	assert_int_equal(trace_book_newest(b, 3, list), 3);
	assert_true(list[0].first_pos == 1000 && list[2].first_pos == 998);

	/* An exemplar lies in its bucket. */
	for (unsigned i = 0; i < METRICS_BUCKETS; i++)
		if (total->newest[i].trace_id != 0)
			assert_int_equal(metrics_bucket(total->newest[i].value_ns), i);
	assert_int_equal(total->newest[METRICS_BUCKETS - 1].trace_id, 1000);
	trace_book_free(b);
	trace_free(t);
}

static void buckets_are_those_that_are_told(void **state)
{
	(void)state;
	assert_int_equal(metrics_bucket(-5), 0);
	assert_int_equal(metrics_bucket(1023), 0);
	assert_int_equal(metrics_bucket(1024), 1);
	assert_int_equal(metrics_bucket((INT64_C(1) << 34) - 1), METRICS_BUCKETS - 2);
	assert_int_equal(metrics_bucket(INT64_C(1) << 34), METRICS_BUCKETS - 1);
	assert_int_equal(metrics_bucket(INT64_MAX), METRICS_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_span_is_the_time_from_the_stage_before),
		cmocka_unit_test(what_is_not_known_is_no_span),
		cmocka_unit_test(every_record_is_counted_and_the_slowest_are_kept),
		cmocka_unit_test(buckets_are_those_that_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
