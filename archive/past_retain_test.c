/* past_retain_test - what is old goes, and what stays is as it was. */
#include "archive/past_world_test.h"
#include "base/err.h"
#include <errno.h>

#define CHUNK   ((size_t)2000)
#define N       1000u
#define NS(pos) ((int64_t)(pos)*1000) /* of the world's event at @pos */

static struct past *opened(const char *dir)
{
	struct past *p = NULL;

	assert_int_equal(past_open(dir, dir, CHUNK, &p), 0);
	return p;
}

static struct past *filled(const char *dir)
{
	struct past *p = opened(dir);
	struct past_sum sum;

	assert_int_equal(put_range(p, 1, 0, 1, N, &sum), 0);
	return p;
}

static struct past_retained retained(struct past *p, int64_t before_ns, uint64_t until)
{
	struct past_retained out;

	if (past_retain(p, before_ns, until, &out) != 0)
		fail_msg("%s", err_text());
	return out;
}

static uint64_t first_of(struct past *p)
{
	struct past_status s;

	assert_int_equal(past_status(p, &s), 0);
	return s.first_pos;
}

static void assert_sound(struct past *p)
{
	struct past_check check;

	assert_int_equal(past_verify(p, &check), 0);
	if (check.bad > 0)
		fail_msg("%s", check.first_bad);
	assert_true(check.chunks > 3);
}

/* What is given of [@first, @last], asked for from the beginning, is what another that
   let nothing go gives of it. */
static void assert_gives(struct past *p, uint64_t first, uint64_t last)
{
	static const enum event_kind kinds[] = {EVENT_TICK, EVENT_BAR, EVENT_TIER2};
	struct past_sum sum;
	struct past *whole;
	void *dir;

	assert_int_equal(test_dir(&dir), 0);
	whole = opened(dir);
	assert_int_equal(put_range(whole, 1, 0, 1, last, &sum), 0);
	for (size_t i = 0; i < 3; i++) {
		struct buf want = {0}, got = {0};

		read_all(whole, kinds[i], first, last, 700, &want);
		read_all(p, kinds[i], 1, last, 700, &got);
		assert_true(want.len > 0);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		buf_free(&want);
		buf_free(&got);
	}
	past_close(whole);
	test_dir_gone(&dir);
}

static void what_is_old_goes_and_the_rest_is_as_it_was(void **state)
{
	struct past *p = filled(*state);
	struct past_retained r;
	struct past_sum sum;

	assert_int_equal(retained(p, NS(1), 0).chunks, 0);
	assert_int_equal(first_of(p), 1);
	r = retained(p, NS(601), 0);
	assert_int_equal(r.first_pos, 601);
	assert_true(r.chunks > 20 && r.events > 500 && r.bytes > 1000);
	assert_gives(p, 601, N);
	assert_sound(p);
	r = retained(p, NS(601), 0);
	assert_int_equal(r.chunks, 0);
	past_close(p);
	p = opened(*state);
	assert_int_equal(first_of(p), 601);
	assert_gives(p, 601, N);
	/* It goes on, and what came before is known still. */
	assert_int_equal(put_range(p, 1, 0, 400, N + 200, &sum), 0);
	assert_true(sum.added > 200 && sum.added < sum.events);
	assert_gives(p, 601, N + 200);
	assert_sound(p);
	assert_int_equal(retained(p, NS(1100), 0).first_pos, 1100);
	assert_gives(p, 1100, N + 200);
	assert_sound(p);
	past_close(p);
}

static void it_is_bounded_by_a_position_and_by_the_last_one(void **state)
{
	struct past *p = filled(*state);
	struct past_retained r = retained(p, NS(601), 300);
	struct past_sum sum;

	assert_int_equal(r.first_pos, 300);
	assert_true(r.is_cut);
	assert_gives(p, 300, N);
	/* What was kept back goes when it may. */
	r = retained(p, NS(601), 700);
	assert_int_equal(r.first_pos, 601);
	assert_false(r.is_cut);
	r = retained(p, INT64_MAX, 0);
	assert_int_equal(r.first_pos, N);
	assert_true(r.is_cut);
	assert_gives(p, N, N);
	assert_int_equal(put_range(p, 1, 0, N + 1, N + 100, &sum), 0);
	assert_gives(p, N, N + 100);
	assert_sound(p);
	past_close(p);
}

/* A sequence that is gone is said to be, with the first that is held. */
static void a_sequence_that_is_gone_says_which_is_held(void **state)
{
	struct past *p = filled(*state);
	struct past_want w[3] = {{EVENT_TICK, {.name = "S1/B", .seq = 7}, 0},
				 {EVENT_BAR, {.name = "S2/B", .seq = 60}, 0},
				 {EVENT_TIER2, {.name = "all", .seq = 1}, 0}};
	uint64_t pos;

	retained(p, NS(601), 0);
	assert_int_equal(past_find_seqs(p, w, 3, &pos), 0);
	assert_int_equal(pos, 601);
	assert_int_equal(w[0].held, 201); /* at 601 */
	assert_int_equal(w[1].held, 61);  /* at 610 */
	assert_int_equal(w[2].held, 13);  /* at 650 */
	w[0].stream.seq = 201;
	w[1].stream.seq = 61;
	w[2].stream.seq = 13;
	assert_int_equal(past_find_seqs(p, w, 3, &pos), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(w[i].held, 0);
	assert_int_equal(past_find_time(p, UINT32_MAX, NS(5), &pos), 0);
	assert_int_equal(pos, 601);
	assert_int_equal(past_find_time(p, UINT32_MAX, NS(800), &pos), 0);
	assert_int_equal(pos, 800);
	past_close(p);
}

static void copy(const char *from, const char *to)
{
	char block[65536];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	n = fread(block, 1, sizeof(block), in);
	assert_true(n > 0 && n < sizeof(block));
	assert_int_equal(fwrite(block, 1, n, out), n);
	fclose(in);
	fclose(out);
}

/* Between the manifest and the files: they count as gone, and go with the next. */
static void what_a_crash_left_is_swept_by_the_next(void **state)
{
	static const unsigned numbers[] = {3, 4};
	struct past *p = filled(*state);
	char path[2][512], aside[2][512];
	struct past_retained r;

	for (size_t i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/events/kind=tick/%08u.events",
			 (char *)*state, numbers[i]);
		snprintf(aside[i], sizeof(aside[i]), "%s/aside%zu", (char *)*state, i);
		copy(path[i], aside[i]);
	}
	/* Up to the chunk that both belong to, which is the last to go. */
	for (uint64_t at = 2; access(path[1], F_OK) == 0; at++)
		retained(p, NS(at), 0);
	past_close(p);
	for (size_t i = 0; i < 2; i++)
		copy(aside[i], path[i]);
	p = opened(*state);
	assert_sound(p);
	r = retained(p, NS(2), 0);
	assert_int_equal(r.chunks, 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(access(path[i], F_OK), -1);
	assert_gives(p, r.first_pos, N);
	past_close(p);
}

/* The log lost its end and is handed over anew, from before what was let go. */
static void a_new_epoch_may_begin_before_what_is_held(void **state)
{
	struct past *p = filled(*state);
	struct past_sum sum;

	retained(p, NS(601), 0);
	assert_int_equal(put_range(p, 2, 0, 501, 700, &sum), 0);
	assert_int_equal(first_of(p), 501);
	assert_gives(p, 501, 700);
	past_close(p);
	p = opened(*state);
	assert_int_equal(first_of(p), 501);
	assert_sound(p);
	past_close(p);
}

static void a_past_that_is_empty_has_nothing_to_let_go(void **state)
{
	struct past *p = opened(*state);

	assert_int_equal(retained(p, INT64_MAX, 0).first_pos, 0);
	past_close(p);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_is_old_goes_and_the_rest_is_as_it_was),
		IN_DIR(it_is_bounded_by_a_position_and_by_the_last_one),
		IN_DIR(a_sequence_that_is_gone_says_which_is_held),
		IN_DIR(what_a_crash_left_is_swept_by_the_next),
		IN_DIR(a_new_epoch_may_begin_before_what_is_held),
		IN_DIR(a_past_that_is_empty_has_nothing_to_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
