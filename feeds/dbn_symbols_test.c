/* dbn_symbols_test - what a number is called, by date, live, and with too many. */
#include "feeds/dbn_symbols.h"
#include "feeds/feed_test.h"
#include <errno.h>

static struct dbn_symbols *s;

static int begin(void **state)
{
	(void)state;
	return dbn_symbols_new(1000, &s);
}

static int end(void **state)
{
	(void)state;
	dbn_symbols_free(s);
	return 0;
}

static void add(uint32_t instrument, int64_t from, int64_t to, const char *text)
{
	dbn_symbols_add(s, instrument, from, to, text, strlen(text));
}

/* The name at @ns, "" for none. */
static const char *name_at(uint32_t instrument, int64_t ns)
{
	static char text[SYMBOL_MAX + 1];
	struct dbn_channel *c;
	int rc = dbn_symbols_find(s, 1, instrument, ns, &c);

	if (rc == DBN_SYMBOLS_NONE)
		return "";
	assert_int_equal(rc, 0);
	memcpy(text, c->symbol, SYMBOL_MAX);
	return text;
}

static void spans_hold_from_their_beginning_to_before_their_end(void **state)
{
	(void)state;
	add(2, 10, 20, "B");
	add(1, 0, 10, "A");
	add(2, 0, 10, "C");
	dbn_symbols_sort(s);
	for (int turn = 0; turn < 2; turn++) { /* the second comes from the channel */
		assert_string_equal(name_at(1, 0), "A");
		assert_string_equal(name_at(1, 9), "A");
		assert_string_equal(name_at(1, 10), "");
		assert_string_equal(name_at(1, -1), "");
		assert_string_equal(name_at(2, 9), "C");
		assert_string_equal(name_at(2, 10), "B");
		assert_string_equal(name_at(2, 20), "");
		assert_string_equal(name_at(3, 5), "");
	}
}

/* Whatever was asked before, the answer is the same: against a plain search. */
static void of_overlapping_spans_the_last_to_begin_counts(void **state)
{
	static const struct {
		int64_t from, to;
		const char *text;
	} spans[] = {{0, 100, "A"}, {5, 7, "B"},   {6, 30, "C"},
		     {6, 8, "D"},   {50, 60, "E"}, {55, 58, "F"}};
	uint64_t seed = 20201228;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < 6; i++)
		add(7, spans[i].from, spans[i].to, spans[i].text);
	dbn_symbols_sort(s);
	for (int turn = 0; turn < 5000; turn++) {
		int64_t ns, best = -1;
		const char *want = "";

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		ns = (int64_t)(seed >> 33) % 110 - 5;
		for (size_t i = 0; i < 6; i++)
			if (ns >= spans[i].from && ns < spans[i].to &&
			    spans[i].from > best) {
				best = spans[i].from;
				want = spans[i].text;
			}
		assert_string_equal(name_at(7, ns), want);
	}
}

static void a_new_name_replaces_all_before(void **state)
{
	(void)state;
	add(7, 0, 100, "A");
	dbn_symbols_sort(s);
	assert_string_equal(name_at(7, 5), "A");
	assert_int_equal(dbn_symbols_set(s, 7, "B", 1), 0);
	assert_string_equal(name_at(7, 5), "B");
	assert_string_equal(name_at(7, 500), "B");
	assert_int_equal(dbn_symbols_set(s, 7, "C", 1), 0);
	assert_string_equal(name_at(7, 5), "C");
}

static void there_is_an_end_to_instruments(void **state)
{
	struct dbn_channel *c;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(dbn_symbols_set(s, i, "A", 1), 0);
	assert_int_equal(dbn_symbols_set(s, 5, "B", 1), 0);
	assert_int_equal(dbn_symbols_set(s, 1000, "A", 1), -E2BIG);
	assert_string_equal(err_text(), "the stream has more than 1000 instruments");
	assert_int_equal(dbn_symbols_find(s, 1, 5, 0, &c), -E2BIG);
}

static void publishers_are_counted_apart(void **state)
{
	struct dbn_channel *a, *b;
	char text[SYMBOL_MAX + 1] = "";

	(void)state;
	dbn_symbols_all(s, "X");
	assert_int_equal(dbn_symbols_find(s, 1, 5, 0, &a), 0);
	a->ordinal[0].n = 3;
	assert_int_equal(dbn_symbols_find(s, 2, 5, 0, &b), 0);
	assert_int_equal(b->ordinal[0].n, 0);
	assert_int_equal(dbn_symbols_find(s, 1, 5, 0, &a), 0);
	assert_int_equal(a->ordinal[0].n, 3);
	memcpy(text, a->symbol, SYMBOL_MAX);
	assert_string_equal(text, "X");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			spans_hold_from_their_beginning_to_before_their_end, begin,
			end),
		cmocka_unit_test_setup_teardown(
			of_overlapping_spans_the_last_to_begin_counts, begin, end),
		cmocka_unit_test_setup_teardown(a_new_name_replaces_all_before, begin,
						end),
		cmocka_unit_test_setup_teardown(there_is_an_end_to_instruments, begin,
						end),
		cmocka_unit_test_setup_teardown(publishers_are_counted_apart, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
