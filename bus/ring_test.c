/* ring - what one thread claims and publishes, one other sees, whole and once. */
#include "bus/check_test.h"
#include "bus/ring.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void nothing_is_seen_before_it_is_published(void **state)
{
	struct ring *r;
	uint64_t *slot;
	size_t n = 99;

	(void)state;
	assert_int_equal(ring_new(8, sizeof(uint64_t), &r), 0);
	slot = ring_claim(r);
	*slot = 7;
	assert_null(ring_peek(r, &n));
	assert_int_equal(n, 0);
	assert_int_equal(ring_unpublished(r), 1);
	ring_publish(r);
	slot = ring_peek(r, &n);
	assert_int_equal(n, 1);
	assert_int_equal(*slot, 7);
	assert_int_equal(ring_depth(r), 1);
	ring_release(r, 1);
	assert_int_equal(ring_depth(r), 0);
	ring_free(r);
}

static void a_full_ring_refuses_and_room_comes_back_with_the_release(void **state)
{
	struct ring *r;
	size_t n;

	(void)state;
	assert_int_equal(ring_new(5, 24, &r), 0);
	assert_int_equal(ring_slots(r), 8);
	for (int i = 0; i < 8; i++)
		assert_non_null(ring_claim(r));
	assert_null(ring_claim(r));
	assert_int_equal(ring_room(r), 0);
	ring_publish(r);
	assert_non_null(ring_peek(r, &n));
	assert_int_equal(n, 8);
	assert_null(ring_claim(r));
	ring_release(r, 3);
	assert_int_equal(ring_room(r), 3);
	for (int i = 0; i < 3; i++)
		assert_non_null(ring_claim(r));
	assert_null(ring_claim(r));
	ring_free(r);
}

static void a_peek_ends_at_the_edge_and_the_next_one_goes_on(void **state)
{
	struct ring *r;
	uint32_t *slot;
	size_t n;

	(void)state;
	assert_int_equal(ring_new(4, sizeof(uint32_t), &r), 0);
	for (uint32_t i = 0; i < 3; i++)
		*(uint32_t *)ring_claim(r) = i;
	ring_publish(r);
	assert_non_null(ring_peek(r, &n));
	ring_release(r, 3);
	for (uint32_t i = 3; i < 6; i++)
		*(uint32_t *)ring_claim(r) = i;
	ring_publish(r);
	slot = ring_peek(r, &n);
	assert_int_equal(n, 1);
	assert_int_equal(slot[0], 3);
	ring_release(r, 1);
	slot = ring_peek(r, &n);
	assert_int_equal(n, 2);
	assert_int_equal(slot[0], 4);
	assert_int_equal(slot[1], 5);
	ring_free(r);
}

static void an_impossible_ring_is_refused(void **state)
{
	struct ring *r = NULL;

	(void)state;
	assert_int_equal(ring_new(0, 8, &r), -EINVAL);
	assert_int_equal(ring_new(8, 0, &r), -EINVAL);
	assert_int_equal(ring_new(SIZE_MAX, 8, &r), -EINVAL);
	assert_null(r);
	ring_free(NULL);
}

#define MANY 400000u

static void *send_items(void *arg)
{
	struct ring *r = arg;

	for (uint64_t i = 0; i < MANY;) {
		struct item *it = ring_claim_item(r);

		if (!it) {
			ring_publish(r);
			sched_yield();
			continue;
		}
		memset(it, (int)(i & 0xff), sizeof(*it));
		it->pos = i++;
		if (i % RING_BATCH == 0)
			ring_publish(r);
	}
	ring_publish(r);
	return NULL;
}

static void every_item_crosses_whole_once_and_in_order(void **state)
{
	struct ring *r;
	pthread_t writer;
	uint64_t want = 0;
	uint64_t wrong = 0;

	(void)state;
	assert_int_equal(ring_new(256, sizeof(struct item), &r), 0);
	check_thread(&writer, send_items, r);
	while (want < MANY) {
		size_t n;
		const struct item *it = ring_peek_items(r, &n);

		if (!it) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i < n; i++, want++) {
			uint8_t last = ((const uint8_t *)&it[i])[sizeof(*it) - 1];

			wrong += it[i].pos != want || last != (want & 0xff);
		}
		ring_release(r, n);
	}
	pthread_join(writer, NULL);
	assert_int_equal(wrong, 0);
	assert_int_equal(ring_depth(r), 0);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_seen_before_it_is_published),
		cmocka_unit_test(
			a_full_ring_refuses_and_room_comes_back_with_the_release),
		cmocka_unit_test(a_peek_ends_at_the_edge_and_the_next_one_goes_on),
		cmocka_unit_test(an_impossible_ring_is_refused),
		cmocka_unit_test(every_item_crosses_whole_once_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
