/* event_test - names, and the chain against another implementation. */
#include "proto/event.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct event_status numbered(uint64_t seq)
{
	struct event_status e = {
		.head = {.seq = seq, .pos = 7, .recv_ns = (int64_t)seq},
		.state = SYMBOL_GAP};

	memcpy(e.symbol, "AAPL", 4);
	return e;
}

/*
 * block = struct.pack("<QQqqQIHBB32s80s", n, 7, 0, 0, 0, 0, 0, 2, 0, b"AAPL", b"")
 * hashlib.blake2b(block + struct.pack("<Q", before), digest_size=8), little-endian
 */
static void the_chain_is_what_hashlib_says(void **state)
{
	struct event_status first = numbered(1), second = numbered(2);
	uint64_t head = 0;

	(void)state;
	event_chain(EVENT_STATUS, &first, &head);
	assert_true(first.chain == head);
	assert_int_equal(first.head.recv_ns, 1); /* left out, and left alone */
	assert_true(head == UINT64_C(0xd09ebf26d55a826a));
	event_chain(EVENT_STATUS, &second, &head);
	assert_true(event_chain_of(EVENT_STATUS, &second) == head);
	assert_true(head == UINT64_C(0xd0f671691932290f));
}

static void a_changed_past_changes_every_later_chain(void **state)
{
	struct event_status a = numbered(1), b = numbered(1);
	uint64_t head_a = 0, head_b = 0;

	(void)state;
	b.detail = 1;
	event_chain(EVENT_STATUS, &a, &head_a);
	event_chain(EVENT_STATUS, &b, &head_b);
	a = b = numbered(2);
	event_chain(EVENT_STATUS, &a, &head_a);
	event_chain(EVENT_STATUS, &b, &head_b);
	assert_true(head_a != head_b);
}

static void every_derived_kind_has_its_chain_at_the_end(void **state)
{
	struct event_bar bar = {.head = {.seq = 1}};
	struct event_tier1 vector = {.head = {.seq = 1}};
	struct event_tier2 matrix = {.head = {.seq = 1}};
	uint64_t head = 5;

	(void)state;
	event_chain(EVENT_BAR, &bar, &head);
	assert_true(bar.chain == head);
	event_chain(EVENT_TIER1, &vector, &head);
	assert_true(vector.chain == head);
	event_chain(EVENT_TIER2, &matrix, &head);
	assert_true(matrix.chain == head);
}

static void a_kind_is_found_by_both_of_its_names(void **state)
{
	(void)state;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		const char *name = event_kind_name((enum event_kind)k);
		const char *word = event_kind_word((enum event_kind)k);

		assert_int_equal(event_kind_parse(name, strlen(name)), k);
		assert_int_equal(event_kind_parse(word, strlen(word)), k);
	}
	assert_int_equal(event_kind_parse("bars", 4), EVENT_KINDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chain_is_what_hashlib_says),
		cmocka_unit_test(a_changed_past_changes_every_later_chain),
		cmocka_unit_test(every_derived_kind_has_its_chain_at_the_end),
		cmocka_unit_test(a_kind_is_found_by_both_of_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
