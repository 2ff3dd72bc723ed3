/* symbuf - recent events per symbol: isolated, bounded, honest to slow readers. */
#include "bus/check_test.h"
#include "bus/symbuf.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static struct symbuf *new_buf(uint32_t symbols, uint32_t depth, size_t bytes)
{
	struct symbuf *b;

	assert_int_equal(symbuf_new(symbols, depth, bytes, &b), 0);
	return b;
}

static void sequences_rise_by_one_per_kind_and_symbol(void **state)
{
	struct symbuf *b = new_buf(4, 8, 16);
	uint64_t v = 1;

	(void)state;
	assert_int_equal(symbuf_push(b, 0, EVENT_TICK, &v, 8), 1);
	assert_int_equal(symbuf_push(b, 0, EVENT_TICK, &v, 8), 2);
	assert_int_equal(symbuf_push(b, 0, EVENT_BAR, &v, 8), 1);
	assert_int_equal(symbuf_push(b, 3, EVENT_TICK, &v, 8), 1);
	assert_int_equal(symbuf_push(b, 0, EVENT_TICK, &v, 8), 3);
	symbuf_free(b);
}

static void the_owner_serves_a_queue_and_the_history_stays(void **state)
{
	struct symbuf *b = new_buf(2, 4, 8);
	struct symbuf_event e;
	struct symbuf_view f;
	uint64_t cursor = 0;

	(void)state;
	assert_false(symbuf_front(b, 1, &f));
	for (uint64_t i = 0; i < 3; i++)
		(void)symbuf_push(b, 1, EVENT_TICK, &i, 8);
	assert_int_equal(symbuf_depth(b, 1), 3);
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(symbuf_front(b, 1, &f));
		assert_int_equal(f.symbol_id, 1);
		assert_int_equal(f.seq, i + 1);
		assert_memory_equal(f.data, &i, 8);
		symbuf_done(b, 1);
	}
	assert_int_equal(symbuf_depth(b, 1), 0);
	assert_int_equal(symbuf_high_water(b, 1), 3);
	assert_int_equal(symbuf_high_water(b, 0), 0);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(symbuf_read(b, 1, &cursor, &e), 0);
		assert_memory_equal(e.data, &i, 8);
	}
	assert_int_equal(symbuf_read(b, 1, &cursor, &e), SYMBUF_EMPTY);
	symbuf_free(b);
}

static void a_flood_turns_over_its_own_buffer_only(void **state)
{
	struct symbuf *b = new_buf(3, 8, 8);
	struct symbuf_event e;
	uint64_t quiet = 0;
	uint64_t flood = 0;
	uint64_t v = 42;

	(void)state;
	(void)symbuf_push(b, 1, EVENT_TICK, &v, 8);
	for (uint64_t i = 0; i < 1000; i++) {
		(void)symbuf_push(b, 2, EVENT_TICK, &i, 8);
		symbuf_done(b, 2);
	}
	assert_int_equal(symbuf_read(b, 1, &quiet, &e), 0);
	assert_memory_equal(e.data, &v, 8);
	assert_int_equal(symbuf_read(b, 2, &flood, &e), SYMBUF_LAPPED);
	assert_int_equal(symbuf_read(b, 2, &flood, &e), 0);
	assert_int_equal(e.seq, 1000 - 8 + 2 + 1);
	assert_int_equal(symbuf_at(b, 2, 991, &e), SYMBUF_LAPPED);
	assert_int_equal(symbuf_at(b, 2, 992, &e), 0);
	assert_int_equal(symbuf_at(b, 2, 1000, &e), SYMBUF_LAPPED);
	symbuf_free(b);
}

static void events_of_any_length_up_to_the_limit_keep_it(void **state)
{
	struct symbuf *b = new_buf(1, 4, SYMBUF_EVENT_MAX);
	struct symbuf_event e;
	uint8_t data[SYMBUF_EVENT_MAX];
	uint64_t cursor = 0;

	(void)state;
	for (size_t len = 0; len <= sizeof(data); len++) {
		memset(data, (int)len, sizeof(data));
		(void)symbuf_push(b, 0, EVENT_STATUS, data, len);
		symbuf_done(b, 0);
		assert_int_equal(symbuf_read(b, 0, &cursor, &e), 0);
		assert_int_equal(e.len, len);
		assert_int_equal(e.kind, EVENT_STATUS);
		assert_memory_equal(e.data, data, len);
	}
	symbuf_free(b);
}

static void impossible_buffers_are_refused(void **state)
{
	struct symbuf *b = NULL;

	(void)state;
	assert_int_equal(symbuf_new(0, 8, 8, &b), -EINVAL);
	assert_int_equal(symbuf_new(8, 0, 8, &b), -EINVAL);
	assert_int_equal(symbuf_new(8, 8, 0, &b), -EINVAL);
	assert_int_equal(symbuf_new(8, 8, SYMBUF_EVENT_MAX + 1, &b), -EINVAL);
	assert_null(b);
	symbuf_free(NULL);
}

#define EVENTS 300000u

struct race {
	struct symbuf *b;
	atomic_bool done;
	uint64_t wrong;
	uint64_t marks;
};

/* Kind alternates, so that at next = n each kind's sequence is known. */
static void *push_all(void *arg)
{
	struct race *r = arg;
	uint64_t data[4];

	for (uint64_t i = 0; i < EVENTS; i++) {
		for (unsigned k = 0; k < 4; k++)
			data[k] = i * 4 + k;
		(void)symbuf_push(r->b, 0, i % 2 ? EVENT_BAR : EVENT_TICK, data,
				  sizeof(data));
		symbuf_done(r->b, 0);
	}
	atomic_store(&r->done, true);
	return NULL;
}

static void *read_all(void *arg)
{
	struct race *r = arg;
	struct symbuf_event e;
	struct symbuf_mark m;
	uint64_t cursor = 0;

	for (;;) {
		bool done = atomic_load(&r->done);
		uint64_t at = cursor;
		uint64_t data[4];
		int rc = symbuf_read(r->b, 0, &cursor, &e);

		if (symbuf_mark(r->b, 0, &m)) {
			r->wrong += m.seq[EVENT_TICK] != (m.next + 1) / 2;
			r->wrong += m.seq[EVENT_BAR] != m.next / 2;
			r->marks++;
		}
		if (rc == SYMBUF_EMPTY && done)
			return NULL;
		if (rc != 0)
			continue;
		memcpy(data, e.data, sizeof(data));
		for (unsigned k = 0; k < 4; k++)
			r->wrong += data[k] != at * 4 + k;
		r->wrong += e.seq != at / 2 + 1;
	}
}

static void readers_beside_a_writer_see_whole_events_and_consistent_marks(void **state)
{
	struct race r = {.b = new_buf(1, 64, 32)};
	pthread_t writer, reader;

	(void)state;
	check_thread(&reader, read_all, &r);
	check_thread(&writer, push_all, &r);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL);
	assert_int_equal(r.wrong, 0);
	assert_true(r.marks > 0);
	symbuf_free(r.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_rise_by_one_per_kind_and_symbol),
		cmocka_unit_test(the_owner_serves_a_queue_and_the_history_stays),
		cmocka_unit_test(a_flood_turns_over_its_own_buffer_only),
		cmocka_unit_test(events_of_any_length_up_to_the_limit_keep_it),
		cmocka_unit_test(impossible_buffers_are_refused),
		cmocka_unit_test(
			readers_beside_a_writer_see_whole_events_and_consistent_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
