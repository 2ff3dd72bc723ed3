/* derived_rows_test - what a full disk refuses waits, in order, and nothing is skipped.
 */
#include "daemon/derived_rows.h"
#include "proto/frame.h"
#include "store/fixture_test.h"
#include "tests/kill/fault_vfs.h"

struct world {
	struct fixture f;
	struct newest *newest;
	struct derived_rows *rows;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	fixture_begin_in(&w->f, fixture_fast_dir());
	w->f.params.vfs = "fault";
	assert_int_equal(0, fixture_open(&w->f));
	assert_int_equal(0, newest_new(&w->newest));
	assert_int_equal(0, derived_rows_new(w->f.ts, w->newest, &w->rows));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fault_vfs_disarm();
	derived_rows_free(w->rows);
	newest_free(w->newest);
	fixture_end(&w->f);
	free(w);
	return 0;
}

/* A row of one bar at @pos. */
static void put(struct world *w, uint64_t pos)
{
	struct event_bar bar = {.head = {.seq = pos, .pos = pos}};
	struct derived_row row = {
		.kind = EVENT_BAR, .first_pos = pos, .last_pos = pos, .n_events = 1};
	uint8_t *data = calloc(1, 4 + 1024);
	struct frame f;
	uint32_t len;

	if (data == NULL)
		abort();
	frame_begin(&f, data + 4, 1024, EVENT_BAR, 1);
	assert_int_equal(0, frame_add(&f, &bar));
	len = (uint32_t)frame_seal(&f, 0, 0);
	memcpy(data, &len, sizeof(len));
	row.data = data;
	row.len = 4 + len;
	derived_rows_put(w->rows, &row);
}

struct seen {
	uint64_t rows;
};

static int on_row(void *arg, const struct store_batch *b)
{
	struct seen *s = arg;

	assert_int_equal(++s->rows, b->first_pos);
	return 0;
}

/* The store holds rows 1 .. @n in this order and nothing else. */
static void assert_rows(struct world *w, uint64_t n)
{
	struct seen s = {0};
	uint64_t next;

	assert_int_equal(0, tickstore_derived_read(w->f.ts, EVENT_BAR, 1, 100, on_row,
						   &s, &next));
	assert_int_equal(n, s.rows);
}

static void a_full_disk_lets_rows_wait_and_room_lets_them_in(void **state)
{
	struct world *w = *state;

	put(w, 1);
	assert_false(derived_rows_behind(w->rows));
	fault_vfs_arm(FAULT_WRITE, 1, FAULT_ENOSPC, true);
	put(w, 2);
	assert_true(fault_vfs_fired());
	put(w, 3);
	assert_true(derived_rows_behind(w->rows));
	derived_rows_step(w->rows);
	assert_true(derived_rows_behind(w->rows));
	assert_rows(w, 1);

	fault_vfs_disarm();
	put(w, 4); /* not before those that wait */
	assert_rows(w, 1);
	derived_rows_step(w->rows);
	assert_false(derived_rows_behind(w->rows));
	assert_rows(w, 4);
	put(w, 5);
	assert_rows(w, 5);
}

static void room_for_some_of_them_stores_some_in_order(void **state)
{
	struct world *w = *state;

	fault_vfs_arm(FAULT_WRITE, 1, FAULT_ENOSPC, true);
	for (uint64_t pos = 1; pos <= 6; pos++)
		put(w, pos);
	fault_vfs_arm(FAULT_WRITE, 4, FAULT_ENOSPC, true);
	derived_rows_step(w->rows);
	assert_true(derived_rows_behind(w->rows));
	fault_vfs_disarm();
	derived_rows_step(w->rows);
	assert_false(derived_rows_behind(w->rows));
	assert_rows(w, 6);
}

static void another_failure_ends_the_storing_of_this_life(void **state)
{
	struct world *w = *state;

	put(w, 1);
	fault_vfs_arm(FAULT_WRITE, 1, FAULT_EIO, true);
	put(w, 2);
	fault_vfs_disarm();
	put(w, 3);
	derived_rows_step(w->rows);
	assert_true(derived_rows_behind(w->rows));
	assert_rows(w, 1);
}

static void what_waits_is_bounded(void **state)
{
	struct world *w = *state;
	size_t big = ROWS_WAITING_MAX / 4;
	struct derived_row row = {
		.kind = EVENT_BAR, .n_events = 1, .len = (uint32_t)big};

	fault_vfs_arm(FAULT_WRITE, 1, FAULT_ENOSPC, true);
	for (uint64_t pos = 1; pos <= 5; pos++) {
		row.first_pos = row.last_pos = pos;
		row.data = calloc(1, big);
		derived_rows_put(w->rows, &row);
	}
	fault_vfs_disarm();
	derived_rows_step(w->rows);
	/* Given up: nothing of it is stored, rather than the beginning alone. */
	assert_true(derived_rows_behind(w->rows));
	assert_rows(w, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_full_disk_lets_rows_wait_and_room_lets_them_in, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			room_for_some_of_them_stores_some_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_failure_ends_the_storing_of_this_life, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_is_bounded, setup, teardown),
	};

	fault_vfs_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
