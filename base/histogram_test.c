/* histogram_test - buckets, and quantiles against sorted samples. */
#include "base/histogram.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void an_empty_one_answers_zero(void **state)
{
	(void)state;
	struct histogram h = {0};

	assert_int_equal(histogram_quantile(&h, 0.5), 0);
}

static void edges_rise_and_are_within_a_sixteenth(void **state)
{
	(void)state;
	assert_int_equal(histogram_edge(0), 0);
	assert_int_equal(histogram_edge(16), 16);
	for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
		int64_t low = histogram_edge(i - 1) + 1, high = histogram_edge(i);

		assert_true(high >= low);
		assert_true((high - low) * 16 < low);
	}
}

static void a_value_falls_into_the_bucket_whose_edges_hold_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		int64_t low = i == 0 ? 0 : histogram_edge(i - 1) + 1;
		struct histogram h = {0};

		histogram_add(&h, low);
		histogram_add(&h, histogram_edge(i));
		assert_int_equal(h.bucket[i], 2);
	}
}

static void absurd_values_are_counted_at_the_ends(void **state)
{
	(void)state;
	struct histogram h = {0};

	histogram_add(&h, -5);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.bucket[0], 1);
	assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(h.count, 2);
}

static void quantiles_match_the_sorted_samples(void **state)
{
	(void)state;
	static const double q[] = {0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
	static int64_t v[20001];
	struct histogram h = {0};
	size_t n = sizeof(v) / sizeof(v[0]);
	uint64_t x = 88172645463325252u, sum = 0;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v[i] = (int64_t)(x >> (24 + x % 38));
		histogram_add(&h, v[i]);
		sum += (uint64_t)v[i];
	}
	qsort(v, n, sizeof(v[0]), compare);
	for (size_t k = 0; k < sizeof(q) / sizeof(q[0]); k++) {
		double want = q[k] * (double)n;
		size_t rank = (size_t)want + ((double)(size_t)want < want);
		int64_t exact = v[rank == 0 ? 0 : rank - 1];
		int64_t got = histogram_quantile(&h, q[k]);

		assert_true(got >= exact);
		assert_true((got - exact) * 16 <= exact);
	}
	assert_true(h.sum_ns == sum);
	assert_int_equal(h.count, n);
}

static void merging_adds_up(void **state)
{
	(void)state;
	struct histogram a = {0}, b = {0};

	for (int i = 0; i < 100; i++)
		histogram_add(&a, 10);
	for (int i = 0; i < 300; i++)
		histogram_add(&b, 1000);
	histogram_merge(&a, &b);
	assert_int_equal(a.count, 400);
	assert_int_equal(a.sum_ns, 301000);
	assert_int_equal(histogram_quantile(&a, 0.25), 10);
	assert_true(histogram_quantile(&a, 0.26) >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_answers_zero),
		cmocka_unit_test(edges_rise_and_are_within_a_sixteenth),
		cmocka_unit_test(a_value_falls_into_the_bucket_whose_edges_hold_it),
		cmocka_unit_test(absurd_values_are_counted_at_the_ends),
		cmocka_unit_test(quantiles_match_the_sorted_samples),
		cmocka_unit_test(merging_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
