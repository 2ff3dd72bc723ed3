/* derived_test - what reaches the store is whole, in log order, and nothing twice. */
#include "daemon/derived.h"
#include "proto/frame.h"
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define EVENTS_MAX 20000

struct stored {
	struct event_bar bars[EVENTS_MAX];
	size_t n;
	unsigned batches;
	unsigned refuse; /* so many posts are answered "full" */
	uint64_t last_pos;
};

static int on_post(void *arg, enum event_kind kind, uint64_t first_pos,
		   uint64_t last_pos, uint32_t n_events, void *data, size_t len)
{
	struct stored *s = arg;
	const uint8_t *at = data, *end = at + len;
	size_t before = s->n;

	assert_int_equal(kind, EVENT_BAR);
	if (s->refuse > 0) {
		s->refuse--;
		return 1;
	}
	assert_true(first_pos > s->last_pos); /* a position is never split */
	while (at < end) {
		struct frame_view v;
		uint32_t size;

		memcpy(&size, at, sizeof(size));
		assert_int_equal(frame_open(at + 4, size, &v), 0);
		while (frame_next(&v, &s->bars[s->n]) == 0)
			s->n++;
		at += 4 + size;
	}
	assert_int_equal(s->n - before, n_events);
	assert_int_equal(s->bars[before].head.pos, first_pos);
	assert_int_equal(s->bars[s->n - 1].head.pos, last_pos);
	s->last_pos = last_pos;
	s->batches++;
	free(data);
	return 0;
}

static void add_bar(struct derived *d, uint64_t pos, uint32_t symbol, uint64_t seq)
{
	struct event_bar e = {.head = {.seq = seq, .pos = pos}, .symbol_id = symbol};

	derived_add(d, EVENT_BAR, &e, sizeof(e));
}

static struct derived *new_derived(struct stored *s, uint64_t skip)
{
	uint64_t skip_pos[EVENT_KINDS] = {0};
	struct derived *d;

	skip_pos[EVENT_BAR] = skip;
	assert_int_equal(derived_new(7, skip_pos, on_post, s, &d), 0);
	return d;
}

static void events_of_several_workers_are_stored_in_log_order(void **state)
{
	struct stored *s = calloc(1, sizeof(*s));
	struct derived *d = new_derived(s, 0);
	uint64_t seq[4] = {0};

	(void)state;
	/* Worker 1 is far ahead of worker 0; a clock at every tenth position makes
	 * a bar of all four symbols. */
	for (uint32_t w = 2; w-- > 0;)
		for (uint64_t pos = 1; pos <= 3000; pos++)
			for (uint32_t symbol = w; symbol < 4; symbol += 2)
				if (pos % 10 == 0 || pos % 4 == symbol)
					add_bar(d, pos, symbol, ++seq[symbol]);
	derived_flush(d, 1499, UINT64_MAX, UINT64_MAX);
	assert_true(s->last_pos <= 1499);
	assert_int_equal(derived_complete(d, EVENT_BAR), 1499);
	derived_flush(d, 3000, UINT64_MAX, UINT64_MAX);
	assert_int_equal(derived_pending(d), 0);
	assert_int_equal(s->n, seq[0] + seq[1] + seq[2] + seq[3]);
	assert_true(s->batches > 4);
	for (size_t i = 1; i < s->n; i++) {
		const struct event_bar *a = &s->bars[i - 1], *b = &s->bars[i];

		assert_true(a->head.pos < b->head.pos || (a->head.pos == b->head.pos &&
							  a->symbol_id < b->symbol_id));
	}
	derived_free(d);
	free(s);
}

static void what_a_full_mailbox_refuses_is_posted_later(void **state)
{
	struct stored *s = calloc(1, sizeof(*s));
	struct derived *d = new_derived(s, 0);

	(void)state;
	for (uint64_t pos = 1; pos <= 2000; pos++)
		add_bar(d, pos, 0, pos);
	s->refuse = 1;
	derived_flush(d, 2000, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s->n, 0);
	assert_int_equal(derived_complete(d, EVENT_BAR), 0);
	derived_flush(d, 2000, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s->n, 2000);
	assert_int_equal(derived_complete(d, EVENT_BAR), 2000);
	derived_free(d);
	free(s);
}

static void events_of_one_position_stay_in_order_whatever_goes_before_them(void **state)
{
	struct stored *s = calloc(1, sizeof(*s));
	struct derived *d = new_derived(s, 0);
	uint64_t seq = 0;

	(void)state;
	/* A tick after a long silence makes many bars of its symbol; in the middle of
	 * them what came before is stored. */
	for (uint64_t pos = 1; pos <= 100; pos++)
		add_bar(d, pos, 0, ++seq);
	for (int i = 0; i < 50; i++)
		add_bar(d, 101, 0, ++seq);
	derived_flush(d, 100, UINT64_MAX, UINT64_MAX);
	for (int i = 0; i < 500; i++)
		add_bar(d, 101, 0, ++seq);
	derived_flush(d, 101, UINT64_MAX, UINT64_MAX);
	assert_int_equal(s->n, seq);
	for (size_t i = 0; i < s->n; i++)
		assert_int_equal(s->bars[i].head.seq, i + 1);
	derived_free(d);
	free(s);
}

static void what_the_store_holds_is_known(void **state)
{
	struct stored *s = calloc(1, sizeof(*s));
	struct derived *d = new_derived(s, 41);

	(void)state;
	assert_true(derived_known(d, EVENT_BAR, 41));
	assert_false(derived_known(d, EVENT_BAR, 42));
	assert_false(derived_known(d, EVENT_TIER1, 1));
	assert_int_equal(derived_complete(d, EVENT_BAR), 41);
	/* Nobody marks: nothing may be called complete. */
	derived_flush(d, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	assert_int_equal(derived_complete(d, EVENT_BAR), 41);
	derived_free(d);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_several_workers_are_stored_in_log_order),
		cmocka_unit_test(what_a_full_mailbox_refuses_is_posted_later),
		cmocka_unit_test(
			events_of_one_position_stay_in_order_whatever_goes_before_them),
		cmocka_unit_test(what_the_store_holds_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
