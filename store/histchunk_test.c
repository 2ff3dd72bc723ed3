/* histchunk_test - bars packed and unpacked, exactly; bytes that are no bars. */
#include "base/clock.h"
#include "store/fixture_test.h"
#include "store/histchunk.h"
#include <errno.h>

#define BARS 390

static struct histchunk *packer;

static uint64_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *state >> 33 ^ *state;
}

/* A trading day as a vendor tells it: cents, whole shares. */
static void fill_day(struct hist_bar *bars, size_t n)
{
	uint64_t state = 7;

	for (size_t i = 0; i < n; i++) {
		int64_t cents = 18700 + (int64_t)(draw(&state) % 200);

		bars[i] = (struct hist_bar){
			.start_ns = INT64_C(1704205800000000000) +
				    (int64_t)i * 60 * NS_PER_S,
			.open_e9 = cents * 10000000,
			.high_e9 = (cents + 9) * 10000000,
			.low_e9 = (cents - 7) * 10000000,
			.close_e9 = (cents + 3) * 10000000,
			.volume_e8 = (int64_t)(draw(&state) % 9000) * 100000000,
			.vwap_e9 = cents * 10000000 + 1234567,
			.trades = (int64_t)(draw(&state) % 500),
		};
	}
}

static void back_and_forth(const struct hist_bar *bars, size_t n, size_t *out_len)
{
	struct buf packed = {0}, again = {0}, plain = {0};
	enum histchunk_codec codec;

	assert_int_equal(0, histchunk_encode(packer, bars, n, &packed, &codec));
	assert_int_equal(
		0, histchunk_decode(packer, codec, packed.data, packed.len, n, &again));
	assert_int_equal(n * sizeof(*bars), again.len);
	assert_memory_equal(bars, again.data, again.len);
	*out_len = packed.len;

	/* The columns alone say the same. */
	histchunk_columns(bars, n, &plain);
	again.len = 0;
	assert_int_equal(0, histchunk_decode(packer, HISTCHUNK_PLAIN, plain.data,
					     plain.len, n, &again));
	assert_memory_equal(bars, again.data, again.len);
	buf_free(&packed);
	buf_free(&again);
	buf_free(&plain);
}

static void a_day_of_bars_shrinks_and_comes_back_exactly(void **state)
{
	struct hist_bar bars[BARS];
	size_t len;

	(void)state;
	fill_day(bars, BARS);
	back_and_forth(bars, BARS, &len);
	assert_true(len * 4 < sizeof(bars));
	back_and_forth(bars, 1, &len);
	back_and_forth(bars, 2, &len);
}

static void nulls_and_the_ends_of_the_range_come_back(void **state)
{
	struct hist_bar bars[4];
	size_t len;

	(void)state;
	fill_day(bars, 4);
	bars[0].vwap_e9 = VALUE_NULL;
	bars[1].trades = VALUE_NULL;
	bars[1].volume_e8 = INT64_MAX;
	bars[2].open_e9 = INT64_MAX;
	bars[2].high_e9 = INT64_MIN;
	bars[2].close_e9 = INT64_MIN;
	bars[3].low_e9 = 1;
	back_and_forth(bars, 4, &len);
}

static void any_numbers_at_all_come_back(void **state)
{
	uint64_t seed = (uint64_t)clock_mono_ns(), rng = seed;
	struct hist_bar bars[40];
	size_t len;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 200; round++) {
		uint64_t *word = (uint64_t *)(void *)bars;
		size_t n = 1 + draw(&rng) % 40;
		unsigned shift = (unsigned)(draw(&rng) % 64);

		for (size_t i = 0; i < n * 8; i++)
			word[i] = draw(&rng) << shift;
		back_and_forth(bars, n, &len);
	}
}

static void the_same_bars_give_the_same_bytes(void **state)
{
	struct buf one = {0}, two = {0};
	struct hist_bar bars[BARS];
	enum histchunk_codec a, b;

	(void)state;
	fill_day(bars, BARS);
	assert_int_equal(0, histchunk_encode(packer, bars, BARS, &one, &a));
	assert_int_equal(0, histchunk_encode(packer, bars, BARS, &two, &b));
	assert_int_equal(a, b);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	buf_free(&one);
	buf_free(&two);
}

static void bytes_that_are_no_bars_are_refused_and_nothing_comes(void **state)
{
	struct buf packed = {0}, plain = {0}, out = {0};
	struct hist_bar bars[BARS];
	enum histchunk_codec codec;

	(void)state;
	fill_day(bars, BARS);
	assert_int_equal(0, histchunk_encode(packer, bars, BARS, &packed, &codec));
	histchunk_columns(bars, BARS, &plain);
	for (size_t len = 0; len < plain.len; len++)
		assert_int_equal(-EBADMSG,
				 histchunk_decode(packer, HISTCHUNK_PLAIN, plain.data,
						  len, BARS, &out));
	assert_int_equal(-EBADMSG, histchunk_decode(packer, codec, packed.data,
						    packed.len / 2, BARS, &out));
	/* Another number of bars than there are. */
	assert_int_equal(-EBADMSG, histchunk_decode(packer, codec, packed.data,
						    packed.len, BARS - 1, &out));
	assert_int_equal(-EBADMSG, histchunk_decode(packer, codec, packed.data,
						    packed.len, BARS + 1, &out));
	assert_int_equal(-EBADMSG, histchunk_decode(packer, codec, packed.data,
						    packed.len, 0, &out));
	assert_int_equal(-EBADMSG,
			 histchunk_decode(packer, (enum histchunk_codec)9, packed.data,
					  packed.len, BARS, &out));
	assert_int_equal(0, out.len);
	buf_free(&packed);
	buf_free(&plain);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_of_bars_shrinks_and_comes_back_exactly),
		cmocka_unit_test(nulls_and_the_ends_of_the_range_come_back),
		cmocka_unit_test(any_numbers_at_all_come_back),
		cmocka_unit_test(the_same_bars_give_the_same_bytes),
		cmocka_unit_test(bytes_that_are_no_bars_are_refused_and_nothing_comes),
	};

	int failed;

	if (histchunk_new(&packer) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	histchunk_free(packer);
	return failed;
}
