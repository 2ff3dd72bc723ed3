/* hold_test - what others do not have yet is not retired, however old. */
#include "store/fixture_test.h"

#define NS_PER_S INT64_C(1000000000)

static uint64_t first_of(struct fixture *f)
{
	struct store_status s;

	tickstore_status(f->ts, &s);
	return s.first_pos;
}

static uint64_t first_batch(struct fixture *f, unsigned kind)
{
	uint64_t first = 0, next = 0;

	tickstore_derived_range(f->ts, kind, &first, &next);
	return first;
}

/* 500 records in segments of 100, a batch of two kinds behind each; all too old. */
static void fill(struct fixture *f)
{
	uint32_t p;

	f->params.retain_ns = NS_PER_S;
	f->params.derived[2] = (struct derived_limit){.batches = 2};
	f->params.derived[3] = (struct derived_limit){.ns = NS_PER_S};
	assert_int_equal(0, fixture_open(f));
	tickstore_hold_set(f->ts, 250);
	p = fixture_producer(f, "feed");
	for (uint64_t seq = 1; seq <= 500; seq += 100) {
		assert_int_equal(0, fixture_put(f, p, seq, 100));
		for (unsigned kind = 2; kind <= 3; kind++)
			assert_int_equal(0,
					 tickstore_derived_append(f->ts, kind, seq,
								  seq + 99, 1, "b", 1));
	}
	f->now_ns += 100 * NS_PER_S;
}

static void age_does_not_move_what_is_held(void **state)
{
	struct fixture *f = *state;
	uint32_t n = 0;

	fill(f);
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(2, n);
	assert_int_equal(201, first_of(f)); /* the third holds position 250 */
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 100, &n));
	assert_int_equal(2, n);
	assert_int_equal(3, first_batch(f, 3));
	tickstore_hold_set(f->ts, 300);
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 100, &n));
	assert_int_equal(3, first_batch(f, 3)); /* the next begins at 301 */
	tickstore_hold_set(f->ts, 301);
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 100, &n));
	assert_int_equal(4, first_batch(f, 3));
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(301, first_of(f));
	tickstore_hold_set(f->ts, UINT64_MAX);
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(401, first_of(f));
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 100, &n));
	assert_int_equal(5, first_batch(f, 3));
}

static void number_does_not_move_what_is_held_and_is_made_up_for_later(void **state)
{
	struct fixture *f = *state;

	fill(f);
	assert_int_equal(3, first_batch(f, 2));
	tickstore_hold_set(f->ts, UINT64_MAX);
	for (uint64_t pos = 501; pos < 505; pos++)
		assert_int_equal(
			0, tickstore_derived_append(f->ts, 2, pos, pos, 1, "b", 1));
	assert_int_equal(8, first_batch(f, 2));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_begin(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_end(*state);
	free(*state);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(age_does_not_move_what_is_held),
		TEST(number_does_not_move_what_is_held_and_is_made_up_for_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
