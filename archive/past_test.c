/* past_test - what goes in comes out, whatever the pages, and what does not follow is
   refused. */
#include "archive/past_world_test.h"
#include "base/err.h"
#include <errno.h>
#include <glob.h>
#include <sys/types.h>

#define CHUNK ((size_t)2000)
#define N     1000u

static struct past *opened(const char *dir)
{
	struct past *p = NULL;

	assert_int_equal(past_open(dir, dir, CHUNK, &p), 0);
	return p;
}

/* Names and hashes of every file of the past in @dir. */
static void fingerprint(const char *dir, struct buf *out)
{
	char pattern[512];
	glob_t g = {0};
	char hash[65];

	(void)snprintf(pattern, sizeof(pattern), "%s/events/*", dir);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	(void)snprintf(pattern, sizeof(pattern), "%s/events/kind=*/*", dir);
	assert_int_equal(glob(pattern, GLOB_APPEND, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct stat st;

		assert_int_equal(stat(g.gl_pathv[i], &st), 0);
		if (S_ISDIR(st.st_mode))
			continue;
		assert_int_equal(layout_hash(g.gl_pathv[i], hash), 0);
		buf_printf(out, "%s %s\n", g.gl_pathv[i] + strlen(dir), hash);
	}
	globfree(&g);
	buf_text(out);
}

/* The files of a past made by one put of [1, N]. */
static void undisturbed(struct buf *out)
{
	struct past_sum sum;
	void *dir;
	struct past *p;

	assert_int_equal(test_dir(&dir), 0);
	p = opened(dir);
	assert_int_equal(put_range(p, 1, 0, 1, N, &sum), 0);
	assert_int_equal(sum.events, sum.added);
	fingerprint(dir, out);
	past_close(p);
	test_dir_gone(&dir);
}

static void assert_sound(struct past *p, uint64_t events)
{
	struct past_check check;

	assert_int_equal(past_verify(p, &check), 0);
	if (check.bad > 0)
		fail_msg("%s", check.first_bad);
	assert_int_equal(check.events, events);
}

#define EVENTS_OF_N (N + N / 10 * WORLD_SYMBOLS + N / 50)

static void what_went_in_comes_out_byte_for_byte(void **state)
{
	static const size_t pages[] = {1, 700, 1 << 20};
	static const enum event_kind kinds[] = {EVENT_TICK, EVENT_BAR, EVENT_TIER2};
	struct past *p = opened(*state);
	struct past_sum sum;

	assert_int_equal(put_range(p, 1, 0, 1, N, &sum), 0);
	assert_int_equal(sum.added, EVENTS_OF_N);
	assert_sound(p, EVENTS_OF_N);
	for (size_t i = 0; i < 9; i++) {
		enum event_kind kind = kinds[i % 3];
		struct buf want = {0}, got = {0};
		struct buf bulk = world_range(0, 101, 900);

		for (size_t at = 0; at < bulk.len;) {
			struct frame_view v;
			uint32_t len;

			memcpy(&len, bulk.data + at, sizeof(len));
			assert_int_equal(frame_open(bulk.data + at + 4, len, &v), 0);
			at += 4 + len;
			if (v.kind != kind)
				continue;
			size_t size = kind == EVENT_TIER2
					      ? frame_matrix_copy(&v, NULL, 0)
					      : event_block_size(kind);
			uint8_t *to = buf_reserve(&want, size);

			assert_int_equal(frame_next(&v, to), 0);
			if (kind == EVENT_TIER2)
				(void)frame_matrix_copy(&v, to, size);
			want.len += size;
		}
		read_all(p, kind, 101, 900, pages[i / 3], &got);
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.data, want.data, want.len);
		buf_free(&want);
		buf_free(&got);
		buf_free(&bulk);
	}
	past_close(p);
}

static void the_files_do_not_tell_in_which_pages_the_events_came(void **state)
{
	struct buf want = {0}, got = {0};
	struct past *p = opened(*state);
	struct past_sum sum;
	unsigned seed = (unsigned)getpid();

	print_message("seed %u\n", seed);
	srandom(seed);
	undisturbed(&want);
	for (uint64_t from = 1; from <= N;) {
		uint64_t to = from + (uint64_t)random() % 90;

		to = to > N ? N : to;
		assert_int_equal(put_range(p, 1, 0, from, to, &sum), 0);
		if (random() % 3 == 0) { /* as after a death */
			past_close(p);
			p = opened(*state);
		}
		if (random() % 3 == 0) {
			uint64_t again = from > 30 ? from - 30 : 1;

			assert_int_equal(put_range(p, 1, 0, again, to, &sum), 0);
			assert_int_equal(sum.added, 0);
		}
		from = to + 1;
	}
	fingerprint(*state, &got);
	assert_string_equal(buf_text(&got), buf_text(&want));
	assert_sound(p, EVENTS_OF_N);
	buf_free(&want);
	buf_free(&got);
	past_close(p);
}

static void events_that_do_not_follow_are_refused_and_nothing_changes(void **state)
{
	struct past *p = opened(*state);
	struct buf before = {0}, after = {0}, bulk;
	struct past_range r = {7, 1, 501, 520};
	struct past_sum sum;

	assert_int_equal(put_range(p, 1, 0, 1, 500, &sum), 0);
	fingerprint(*state, &before);
	/* Position 501 is left out. */
	bulk = world_range(0, 502, 520);
	assert_int_equal(past_put(p, &r, bulk.data, bulk.len, &sum), -EBADMSG);
	assert_non_null(strstr(err_text(), "missing"));
	buf_free(&bulk);
	/* Another world's bars: numbers that fit, chains that do not. */
	assert_int_equal(put_range(p, 1, 9, 501, 520, &sum), -EBADMSG);
	assert_non_null(strstr(err_text(), "chain"));
	/* Cut off, and no frames at all. */
	bulk = world_range(0, 501, 520);
	assert_int_equal(past_put(p, &r, bulk.data, bulk.len - 1, &sum), -EINVAL);
	assert_int_equal(past_put(p, &r, "abc", 3, &sum), -EINVAL);
	r.log = 8;
	assert_int_equal(past_put(p, &r, bulk.data, bulk.len, &sum), -EINVAL);
	assert_non_null(strstr(err_text(), "another log"));
	r.log = 7;
	r.to_pos = 510;
	assert_int_equal(past_put(p, &r, bulk.data, bulk.len, &sum), -EINVAL);
	buf_free(&bulk);
	assert_int_equal(put_range(p, 1, 0, 501, N, &sum), 0);
	assert_sound(p, EVENTS_OF_N);
	fingerprint(*state, &after);
	assert_string_not_equal(buf_text(&before), buf_text(&after));
	before.len = 0;
	undisturbed(&before);
	assert_string_equal(buf_text(&before), buf_text(&after));
	buf_free(&before);
	buf_free(&after);
	past_close(p);
}

static void a_put_that_was_broken_off_is_not_given_out_and_is_finished(void **state)
{
	struct past_ask ask = {EVENT_TICK, 300, 1 << 20, NULL, 0};
	struct buf want = {0}, got = {0}, page = {0};
	char manifest[512], beside[512], kept[4096];
	struct past *p = opened(*state);
	struct past_sum sum;
	uint64_t end;
	size_t n;
	FILE *f;

	(void)snprintf(manifest, sizeof(manifest), "%s/events/_manifest.json",
		       (char *)*state);
	(void)snprintf(beside, sizeof(beside), "%s/beside", (char *)*state);
	assert_int_equal(put_range(p, 1, 0, 1, 300, &sum), 0);
	f = fopen(manifest, "r");
	assert_non_null(f);
	n = fread(kept, 1, sizeof(kept), f);
	(void)fclose(f);
	assert_int_equal(put_range(p, 1, 0, 301, 700, &sum), 0);
	past_close(p);
	/* Without its manifest nothing is taken: it may be a disk not mounted whole. */
	assert_int_equal(unlink(manifest), 0);
	p = opened(*state);
	assert_int_equal(put_range(p, 1, 0, 701, 800, &sum), -EBADMSG);
	past_close(p);
	/* As a crash leaves it: the chunks were written, the manifest was not. */
	assert_int_equal(layout_write(manifest, beside, kept, n), 0);
	p = opened(*state);
	assert_int_equal(past_read(p, &ask, &page, &end), 0);
	assert_int_equal(end, 300);
	ask.from_pos = 301;
	page.len = 0;
	assert_int_equal(past_read(p, &ask, &page, &end), 0);
	assert_int_equal(page.len, 0);
	assert_true(end < 301);
	assert_int_equal(put_range(p, 1, 0, 301, N, &sum), 0);
	assert_true(sum.added == sum.events);
	undisturbed(&want);
	fingerprint(*state, &got);
	assert_string_equal(buf_text(&got), buf_text(&want));
	buf_free(&want);
	buf_free(&got);
	buf_free(&page);
	past_close(p);
}

static void a_new_epoch_replaces_what_lies_behind_its_beginning(void **state)
{
	struct past *p = opened(*state);
	struct buf got = {0};
	struct past_status s;
	struct past_sum sum;

	/* Up to 400 the two worlds are one: the second lost its end and went on. */
	assert_int_equal(put_range(p, 1, 0, 1, 600, &sum), 0);
	assert_int_equal(put_range(p, 2, 0, 401, 450, &sum), 0);
	assert_true(sum.added == sum.events);
	assert_int_equal(past_status(p, &s), 0);
	assert_int_equal(s.epoch, 2);
	assert_int_equal(s.complete_pos, 450);
	assert_int_equal(put_range(p, 1, 0, 451, 460, &sum), -EINVAL);
	assert_int_equal(put_range(p, 2, 0, 451, N, &sum), 0);
	assert_sound(p, EVENTS_OF_N);
	read_all(p, EVENT_TICK, 1, N, 5000, &got);
	assert_int_equal(got.len, N * sizeof(struct event_tick));
	buf_free(&got);
	past_close(p);
}

static void behind_a_hole_a_stretch_begins_and_sequences_may_jump(void **state)
{
	struct past *p = opened(*state);
	struct past_status s;
	struct past_sum sum;
	struct buf got = {0};

	assert_int_equal(put_range(p, 1, 0, 51, 300, &sum), 0);
	assert_int_equal(put_range(p, 1, 0, 401, N, &sum), 0);
	assert_int_equal(past_status(p, &s), 0);
	assert_int_equal(s.stretches, 2);
	assert_int_equal(s.first_pos, 401);
	assert_int_equal(s.complete_pos, N);
	read_all(p, EVENT_TICK, 1, N, 5000, &got);
	assert_int_equal(got.len, (250 + 600) * sizeof(struct event_tick));
	buf_free(&got);
	past_close(p);
	p = opened(*state);
	assert_sound(p, 250 + 600 + (25 + 60) * WORLD_SYMBOLS + 5 + 12);
	past_close(p);
}

static void a_sequence_and_a_time_are_found(void **state)
{
	struct past *p = opened(*state);
	struct past_want want[2] = {{.kind = EVENT_BAR}, {.kind = EVENT_TICK}};
	struct past_sum sum;
	uint64_t pos;

	assert_int_equal(put_range(p, 1, 0, 1, N, &sum), 0);
	world_name(want[0].stream.name, 1);
	world_name(want[1].stream.name, 2);
	for (uint64_t seq = 1; seq <= N / 10; seq++) {
		want[0].stream.seq = seq; /* at position seq * 10 */
		assert_int_equal(past_find_seqs(p, want, 1, &pos), 0);
		assert_true(pos <= seq * 10);
		assert_true(pos + 2 * CHUNK / sizeof(struct event_bar) * 10 > seq * 10);
	}
	/* Of two, the earlier one. */
	want[0].stream.seq = 90;
	want[1].stream.seq = 2; /* at position 5 */
	assert_int_equal(past_find_seqs(p, want, 2, &pos), 0);
	assert_true(pos <= 5);
	want[0].stream.seq = N;
	assert_int_equal(past_find_seqs(p, want, 1, &pos), 1);
	assert_int_equal(want[0].held, 0);
	for (int64_t ns = 1; ns < (int64_t)N * 1000; ns += 777) {
		assert_int_equal(past_find_time(p, 1u << EVENT_TICK, ns, &pos), 0);
		assert_int_equal(pos, (ns + 999) / 1000);
	}
	assert_int_equal(past_find_time(p, 1u << EVENT_BAR, 101 * 1000, &pos), 0);
	assert_int_equal(pos, 110);
	assert_int_equal(past_find_time(p, 1u << EVENT_TICK, N * 1001, &pos), 1);
	past_close(p);
}

static void who_asks_for_more_than_is_held_is_told_what_is(void **state)
{
	struct past *p = opened(*state);
	struct past_want want = {.kind = EVENT_BAR, .stream.seq = 2};
	struct past_sum sum;
	uint64_t pos;

	world_name(want.stream.name, 0);
	assert_int_equal(past_find_seqs(p, &want, 1, &pos), 1);
	assert_int_equal(put_range(p, 1, 0, 101, N, &sum), 0);
	assert_int_equal(past_find_seqs(p, &want, 1, &pos), 0);
	assert_int_equal(pos, 110);
	assert_int_equal(want.held, 11);
	past_close(p);
}

static void names_choose_what_a_page_holds(void **state)
{
	struct past *p = opened(*state);
	char names[1][SYMBOL_MAX];
	struct past_ask ask = {EVENT_BAR, 1, 1 << 20, names, 1};
	struct buf page = {0};
	struct past_sum sum;
	struct frame_view v;
	struct event_bar e;
	uint64_t end;
	unsigned n = 0;

	world_name(names[0], 2);
	assert_int_equal(put_range(p, 1, 0, 1, 100, &sum), 0);
	assert_int_equal(past_read(p, &ask, &page, &end), 0);
	assert_int_equal(end, 100);
	assert_int_equal(frame_open(page.data + 4, page.len - 4, &v), 0);
	for (; frame_next(&v, &e) == 0; n++)
		assert_memory_equal(e.symbol, names[0], SYMBOL_MAX);
	assert_int_equal(n, 10);
	buf_free(&page);
	past_close(p);
}

static void any_flipped_byte_of_a_chunk_is_seen(void **state)
{
	struct past *p = opened(*state);
	struct buf path = {0}, bytes = {0};
	struct past_sum sum;
	FILE *f;
	long size;

	assert_int_equal(put_range(p, 1, 0, 1, 100, &sum), 0);
	past_close(p);
	buf_printf(&path, "%s/events/kind=bar/00000002.events", (char *)*state);
	f = fopen(buf_text(&path), "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	assert_true(size > (long)PASTFILE_HEAD);
	for (long at = 0; at < size; at += 7) {
		struct past_check check;
		int byte;

		if (at >= 80 && at < 96)
			continue; /* kept for later, and not looked at */
		(void)fseek(f, at, SEEK_SET);
		byte = fgetc(f);
		(void)fseek(f, at, SEEK_SET);
		(void)fputc(byte ^ 0x10, f);
		(void)fflush(f);
		p = opened(*state);
		assert_int_equal(past_verify(p, &check), 0);
		assert_true(check.bad > 0);
		assert_non_null(strstr(check.first_bad, "events"));
		past_close(p);
		(void)fseek(f, at, SEEK_SET);
		(void)fputc(byte, f);
		(void)fflush(f);
	}
	(void)fclose(f);
	/* And that a chunk is gone. */
	assert_int_equal(unlink(buf_text(&path)), 0);
	p = opened(*state);
	assert_int_equal(put_range(p, 1, 0, 101, 200, &sum), -EBADMSG);
	past_close(p);
	buf_free(&path);
	buf_free(&bytes);
}

#define T(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_went_in_comes_out_byte_for_byte),
		T(the_files_do_not_tell_in_which_pages_the_events_came),
		T(events_that_do_not_follow_are_refused_and_nothing_changes),
		T(a_put_that_was_broken_off_is_not_given_out_and_is_finished),
		T(a_new_epoch_replaces_what_lies_behind_its_beginning),
		T(behind_a_hole_a_stretch_begins_and_sequences_may_jump),
		T(a_sequence_and_a_time_are_found),
		T(who_asks_for_more_than_is_held_is_told_what_is),
		T(names_choose_what_a_page_holds),
		T(any_flipped_byte_of_a_chunk_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
