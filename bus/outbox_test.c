/* outbox - messages of any size arrive whole, in order, and none is dropped. */
#include "bus/check_test.h"
#include "bus/outbox.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void put(struct outbox *o, uint32_t kind, size_t len, uint8_t fill)
{
	uint8_t *p = outbox_claim(o, kind, len);

	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 16, 0);
	memset(p, fill, len);
	outbox_commit(o);
}

static void a_message_arrives_with_its_kind_and_length(void **state)
{
	struct outbox *o;
	const uint8_t *p;
	uint32_t kind;
	size_t len;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	put(o, 3, 5, 'a');
	put(o, 4, 0, 0);
	assert_null(outbox_peek(o, &kind, &len));
	outbox_publish(o);
	p = outbox_peek(o, &kind, &len);
	assert_int_equal(kind, 3);
	assert_int_equal(len, 5);
	assert_memory_equal(p, "aaaaa", 5);
	outbox_pop(o);
	assert_non_null(outbox_peek(o, &kind, &len));
	assert_int_equal(kind, 4);
	assert_int_equal(len, 0);
	outbox_pop(o);
	assert_null(outbox_peek(o, &kind, &len));
	assert_int_equal(outbox_depth(o), 0);
	outbox_free(o);
}

static void a_claim_that_is_not_committed_never_happened(void **state)
{
	struct outbox *o;
	uint32_t kind;
	size_t len;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	assert_non_null(outbox_claim(o, 1, 1000));
	put(o, 2, 8, 'b');
	outbox_publish(o);
	assert_non_null(outbox_peek(o, &kind, &len));
	assert_int_equal(kind, 2);
	outbox_pop(o);
	assert_null(outbox_peek(o, &kind, &len));
	outbox_free(o);
}

static void a_claim_may_shrink_at_its_commit(void **state)
{
	struct outbox *o;
	uint32_t kind;
	size_t len;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	assert_non_null(outbox_claim(o, 1, 1000));
	outbox_commit_len(o, 10);
	put(o, 2, 8, 'b');
	outbox_publish(o);
	assert_non_null(outbox_peek(o, &kind, &len));
	assert_int_equal(len, 10);
	outbox_pop(o);
	assert_non_null(outbox_peek(o, &kind, &len));
	assert_int_equal(kind, 2);
	outbox_free(o);
}

static void the_longest_message_fits_an_empty_outbox_wherever_it_stands(void **state)
{
	struct outbox *o;
	uint32_t kind;
	size_t len;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	for (size_t i = 0; i < 700; i++) {
		put(o, 1, i % 97, 'x');
		outbox_publish(o);
		assert_non_null(outbox_peek(o, &kind, &len));
		assert_int_equal(len, i % 97);
		outbox_pop(o);

		put(o, 2, outbox_len_max(o), 'y');
		outbox_publish(o);
		assert_non_null(outbox_peek(o, &kind, &len));
		assert_int_equal(len, outbox_len_max(o));
		outbox_pop(o);
	}
	outbox_free(o);
}

static void a_full_outbox_says_so_and_loses_nothing(void **state)
{
	struct outbox *o;
	uint32_t kind;
	size_t len;
	int sent = 0;
	int seen = 0;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	while (outbox_claim(o, 1, 100)) {
		outbox_commit(o);
		sent++;
	}
	assert_in_range(sent, 30, 36);
	assert_int_equal(outbox_wait(o, 100, 1000000), OUTBOX_FULL);
	while (outbox_peek(o, &kind, &len)) {
		outbox_pop(o);
		seen++;
	}
	assert_int_equal(seen, sent);
	assert_int_equal(outbox_wait(o, 100, 0), 0);
	outbox_free(o);
}

#define MANY 100000u

static size_t len_of(uint64_t i)
{
	return sizeof(uint64_t) + (size_t)(i * 2654435761u % 900);
}

static void *send_waiting_for_room(void *arg)
{
	struct outbox *o = arg;

	for (uint64_t i = 0; i < MANY; i++) {
		size_t len = len_of(i);
		uint8_t *p = outbox_claim(o, 1, len);

		while (!p) {
			(void)outbox_wait(o, len, -1);
			p = outbox_claim(o, 1, len);
		}
		memset(p, (int)(i & 0xff), len);
		memcpy(p, &i, sizeof(i));
		outbox_commit(o);
		if (i % 8 == 0)
			outbox_publish(o);
	}
	outbox_publish(o);
	return NULL;
}

static void a_writer_that_waits_for_room_is_always_woken(void **state)
{
	struct outbox *o;
	pthread_t writer;
	uint64_t wrong = 0;

	(void)state;
	assert_int_equal(outbox_new(4096, &o), 0);
	check_thread(&writer, send_waiting_for_room, o);
	for (uint64_t want = 0; want < MANY;) {
		uint32_t kind;
		size_t len;
		const uint8_t *p = outbox_peek(o, &kind, &len);

		if (!p) {
			sched_yield();
			continue;
		}
		wrong += len != len_of(want) || memcmp(p, &want, sizeof(want)) != 0;
		wrong += len > 8 && p[len - 1] != (want & 0xff);
		outbox_pop(o);
		want++;
	}
	pthread_join(writer, NULL);
	assert_int_equal(wrong, 0);
	outbox_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_with_its_kind_and_length),
		cmocka_unit_test(a_claim_that_is_not_committed_never_happened),
		cmocka_unit_test(a_claim_may_shrink_at_its_commit),
		cmocka_unit_test(
			the_longest_message_fits_an_empty_outbox_wherever_it_stands),
		cmocka_unit_test(a_full_outbox_says_so_and_loses_nothing),
		cmocka_unit_test(a_writer_that_waits_for_room_is_always_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
