/* state_test - what was saved loads; what was not does not, and nothing crashes. */
#include "base/state.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct thing {
	uint32_t n;
	int64_t ns[4];
	__int128 sum;
	double x;
	bool on;
};

static void thing_state(struct state *st, struct thing *t)
{
	state_same(st, 7);
	state_count(st, &t->n, 4);
	for (uint32_t i = 0; i < t->n; i++)
		state_i64(st, &t->ns[i]);
	state_i128(st, &t->sum);
	state_f64(st, &t->x);
	state_bool(st, &t->on);
	state_end(st);
}

static struct thing sample(void)
{
	return (struct thing){.n = 3,
			      .ns = {1, -2, INT64_MAX},
			      .sum = -((__int128)1 << 100),
			      .x = -0.0,
			      .on = true};
}

static void what_was_saved_loads(void **state)
{
	struct thing a = sample(), b = {0};
	struct buf out = {0}, again = {0};
	struct state save = state_saving(&out), load, resave = state_saving(&again);

	(void)state;
	thing_state(&save, &a);
	load = state_loading(out.data, out.len);
	thing_state(&load, &b);
	assert_false(state_bad(&load));
	assert_true(b.sum == a.sum);
	assert_int_equal(b.ns[2], INT64_MAX);
	thing_state(&resave, &b);
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.data, out.data, out.len);
	buf_free(&out);
	buf_free(&again);
}

static void every_shorter_text_is_refused(void **state)
{
	struct thing a = sample();
	struct buf out = {0};
	struct state save = state_saving(&out);

	(void)state;
	thing_state(&save, &a);
	for (size_t len = 0; len < out.len; len++) {
		struct thing b = {0};
		struct state load = state_loading(out.data, len);

		thing_state(&load, &b);
		assert_true(state_bad(&load));
	}
	buf_free(&out);
}

static void a_count_beyond_its_bound_reads_as_zero(void **state)
{
	struct thing a = sample(), b = {.n = 9};
	struct buf out = {0};
	struct state save = state_saving(&out), load;

	(void)state;
	thing_state(&save, &a);
	out.data[8] = 200;
	load = state_loading(out.data, out.len);
	thing_state(&load, &b);
	assert_true(state_bad(&load));
	assert_int_equal(b.n, 0);
	buf_free(&out);
}

static void bytes_left_over_are_refused(void **state)
{
	struct thing a = sample(), b = {0};
	struct buf out = {0};
	struct state save = state_saving(&out), load;

	(void)state;
	thing_state(&save, &a);
	buf_add(&out, "x", 1);
	load = state_loading(out.data, out.len);
	thing_state(&load, &b);
	assert_true(state_bad(&load));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_loads),
		cmocka_unit_test(every_shorter_text_is_refused),
		cmocka_unit_test(a_count_beyond_its_bound_reads_as_zero),
		cmocka_unit_test(bytes_left_over_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
