/* tickstore_test - the log's promises on a healthy disk. */
#include "store/fixture_test.h"
#include <errno.h>

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_begin(f);
	*state = f;
	return fixture_open(f);
}

static int teardown(void **state)
{
	fixture_end(*state);
	free(*state);
	return 0;
}

static struct store_status status_of(struct fixture *f)
{
	struct store_status s;

	tickstore_status(f->ts, &s);
	return s;
}

/* Read positions from .. to one record at a time in odd chunks; check each. */
static void expect_records(struct fixture *f, uint64_t from, uint64_t to)
{
	struct record got[37];
	uint64_t pos = from;

	while (pos <= to) {
		uint64_t at = 0;
		uint32_t n = 0;

		assert_int_equal(0, tickstore_read(f->ts, pos, 37, got, &at, &n));
		assert_int_equal(pos, at);
		assert_true(n > 0);
		for (uint32_t i = 0; i < n && pos <= to; i++, pos++) {
			struct record want = fixture_record(0, pos);

			assert_memory_equal(&want, &got[i], sizeof(want));
		}
	}
}

static void a_committed_record_is_read_back_from_memory_and_from_disk(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");

	/* Sequence = position; 10 segments, of which the ring holds about 2. */
	for (uint64_t seq = 1; seq <= 1000; seq += 100)
		assert_int_equal(0, fixture_put(f, p, seq, 100));
	expect_records(f, 1, 1000);
	assert_true(status_of(f).cold_reads >= 7);
	assert_int_equal(0, fixture_reopen(f));
	expect_records(f, 1, 1000);
	expect_records(f, 555, 777);
	assert_string_equal("", status_of(f).alarm);
	assert_string_equal("", status_of(f).warning);
}

static void segments_of_every_size_wrap_around_the_ring(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	uint64_t seq = 1;

	for (uint32_t n = 1; n <= 100; n++) {
		assert_int_equal(0, fixture_put(f, p, seq, n));
		seq += n;
		expect_records(f, seq > 200 ? seq - 200 : 1, seq - 1);
	}
	expect_records(f, 1, seq - 1);
}

static void staged_records_are_not_readable_and_abort_forgets_them(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	struct record r;
	uint64_t pos = 0;
	uint64_t last = 0;
	uint32_t n = 0;

	assert_int_equal(STORE_END, tickstore_read(f->ts, 1, 1, &r, &pos, &n));
	assert_int_equal(0, fixture_put(f, p, 1, 10));
	assert_int_equal(0, fixture_stage(f, p, 11, 5));
	assert_int_equal(STORE_END, tickstore_read(f->ts, 11, 1, &r, &pos, &n));
	assert_int_equal(15, tickstore_seq_last(f->ts, p));
	tickstore_abort(f->ts);
	assert_int_equal(10, tickstore_seq_last(f->ts, p));
	assert_int_equal(STORE_EMPTY, tickstore_commit(f->ts, f->now_ns, &pos, &last));
	assert_int_equal(0, fixture_put(f, p, 11, 3));
	expect_records(f, 1, 13);
	assert_int_equal(13, status_of(f).last_pos);
}

static void a_full_segment_refuses_and_keeps_what_is_staged(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	struct record r[2] = {fixture_record(0, 100), fixture_record(0, 101)};
	uint64_t first = 0;
	uint64_t last = 0;

	assert_int_equal(0, fixture_stage(f, p, 1, 99));
	assert_int_equal(1, tickstore_room(f->ts));
	assert_int_equal(STORE_FULL, tickstore_append(f->ts, p, 100, r, 2, NULL));
	assert_int_equal(99, tickstore_seq_last(f->ts, p));
	assert_int_equal(0, tickstore_append(f->ts, p, 100, r, 1, &first));
	assert_int_equal(100, first);
	assert_int_equal(0, tickstore_commit(f->ts, f->now_ns, &first, &last));
	assert_int_equal(1, first);
	assert_int_equal(100, last);
}

static void a_sequence_is_accepted_once_for_ever(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	uint32_t q = fixture_producer(f, "other");

	assert_int_equal(0, tickstore_seq_check(f->ts, p, 1));
	assert_int_equal(0, fixture_put(f, p, 1, 50));
	assert_int_equal(STORE_DUPLICATE, tickstore_seq_check(f->ts, p, 50));
	assert_int_equal(0, tickstore_seq_check(f->ts, p, 51));
	assert_int_equal(0, tickstore_seq_check(f->ts, q, 50));
	assert_int_equal(STORE_SEQ_BAD, tickstore_seq_check(f->ts, p, 0));
	assert_int_equal(STORE_SEQ_BAD, tickstore_seq_check(f->ts, p, UINT64_MAX));

	assert_int_equal(0, fixture_put(f, q, 900, 1));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(p, fixture_producer(f, "feed"));
	assert_int_equal(q, fixture_producer(f, "other"));
	for (uint64_t seq = 1; seq <= 50; seq++)
		assert_int_equal(STORE_DUPLICATE, tickstore_seq_check(f->ts, p, seq));
	assert_int_equal(STORE_DUPLICATE, tickstore_seq_check(f->ts, q, 900));
	assert_int_equal(0, tickstore_seq_check(f->ts, q, 901));
	assert_int_equal(51, status_of(f).duplicates);
}

static void gaps_are_counted_and_spent_sequences_are_none(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	uint64_t first = 0;
	uint64_t last = 0;

	assert_int_equal(0, fixture_put(f, p, 10, 5)); /* may begin anywhere */
	assert_int_equal(0, status_of(f).gaps);
	assert_int_equal(0, fixture_put(f, p, 18, 1)); /* 15, 16, 17 */
	assert_int_equal(1, status_of(f).gaps);
	assert_int_equal(3, status_of(f).gap_seqs);
	tickstore_seq_spend(f->ts, p, 19);
	assert_int_equal(0, fixture_put(f, p, 20, 1));
	assert_int_equal(1, status_of(f).gaps);
	tickstore_seq_spend(f->ts, p, 21);
	assert_int_equal(STORE_EMPTY,
			 tickstore_commit(f->ts, f->now_ns, &first, &last));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(21, tickstore_seq_last(f->ts, fixture_producer(f, "feed")));
}

static void more_producers_than_allowed_are_refused(void **state)
{
	struct fixture *f = *state;
	char name[STORE_PRODUCER_MAX + 1];
	uint32_t id = 0;

	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		assert_int_equal(i, fixture_producer(f, name));
	}
	assert_int_equal(STORE_FULL, tickstore_producer(f->ts, "p8", 2, &id));
	assert_int_equal(3, fixture_producer(f, "p3"));
	assert_int_equal(-EINVAL, tickstore_producer(f->ts, "", 0, &id));
}

static void names_keep_their_ids_across_starts(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	uint32_t id = 0;
	int is_new = 0;

	fixture_add(&f->symbols, "AAPL", 4, &id, &is_new);
	fixture_add(&f->symbols, "BRK/B", 5, &id, &is_new);
	fixture_add(&f->sources, "sim", 3, &id, &is_new);
	assert_int_equal(0, fixture_put(f, p, 1, 1));
	fixture_add(&f->symbols, "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", 32, &id, &is_new);
	assert_int_equal(0, fixture_put(f, p, 2, 1));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(3, f->symbols.end);
	assert_string_equal("AAPL", f->symbols.name[0]);
	assert_string_equal("BRK/B", f->symbols.name[1]);
	assert_memory_equal("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", f->symbols.name[2], 32);
	assert_int_equal(2, f->sources.end);
	assert_string_equal("sim", f->sources.name[1]);
}

static void the_origin_of_a_record_is_known(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	uint32_t q = fixture_producer(f, "other");
	struct record clock = {.type = RECORD_CLOCK, .event_ns = 5};
	uint64_t first = 0;
	uint64_t last = 0;
	uint32_t who = 99;
	uint64_t seq = 0;

	assert_int_equal(0, fixture_stage(f, p, 1, 3));
	assert_int_equal(0, fixture_stage(f, q, 70, 2));
	assert_int_equal(
		0, tickstore_append(f->ts, STORE_NO_PRODUCER, 0, &clock, 1, NULL));
	assert_int_equal(0, fixture_stage(f, p, 4, 2));
	assert_int_equal(0, tickstore_commit(f->ts, f->now_ns, &first, &last));
	assert_int_equal(0, tickstore_origin(f->ts, 3, &who, &seq));
	assert_int_equal(p, who);
	assert_int_equal(3, seq);
	assert_int_equal(0, tickstore_origin(f->ts, 5, &who, &seq));
	assert_int_equal(q, who);
	assert_int_equal(71, seq);
	assert_int_equal(STORE_NONE, tickstore_origin(f->ts, 6, &who, &seq));
	assert_int_equal(0, tickstore_origin(f->ts, 8, &who, &seq));
	assert_int_equal(5, seq);
	assert_int_equal(STORE_END, tickstore_origin(f->ts, 9, &who, &seq));
}

static void a_time_leads_to_the_first_record_at_or_after_it(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	int64_t base = fixture_record(0, 0).event_ns;
	uint64_t pos = 0;

	assert_int_equal(STORE_END, tickstore_find_time(f->ts, 0, &pos));
	for (uint64_t seq = 1, n = 1; seq <= 2000; seq += n, n = n % 100 + 7)
		assert_int_equal(0, fixture_put(f, p, seq, n > 100 ? 100 : n));
	for (uint64_t seq = 1; seq <= 2000; seq += 13) {
		assert_int_equal(
			0, tickstore_find_time(f->ts, base + (int64_t)seq * 1000 - 999,
					       &pos));
		assert_true(pos >= 1);
		struct record r;
		uint64_t at = 0;
		uint32_t n = 0;

		assert_int_equal(0, tickstore_read(f->ts, pos, 1, &r, &at, &n));
		assert_true(r.source_seq >= seq);
		if (pos > 1) {
			assert_int_equal(
				0, tickstore_read(f->ts, pos - 1, 1, &r, &at, &n));
			assert_true(r.source_seq < seq);
		}
	}
	assert_int_equal(0, tickstore_find_time(f->ts, INT64_MIN, &pos));
	assert_int_equal(1, pos);
	assert_int_equal(STORE_END, tickstore_find_time(f->ts, INT64_MAX, &pos));
}

static void what_the_daemon_notes_by_its_own_clock_is_no_time_of_the_log(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	int64_t base = fixture_record(0, 0).event_ns;
	struct record control = {.type = RECORD_CONTROL,
				 .event_ns = base + INT64_C(1000000000000),
				 .ref_seq = CONTROL_CONFIG};
	uint64_t pos = 0;

	for (uint64_t seq = 1; seq <= 2000; seq += 50) {
		assert_int_equal(0, tickstore_append(f->ts, STORE_NO_PRODUCER, 0,
						     &control, 1, NULL));
		if (seq % 100 == 1) /* alone in its segment */
			assert_int_equal(
				0, tickstore_commit(f->ts, f->now_ns, &pos, &pos));
		assert_int_equal(0, fixture_put(f, p, seq, 50));
	}
	assert_int_equal(0, fixture_reopen(f));
	for (uint64_t seq = 1; seq <= 2000; seq += 13) {
		assert_int_equal(0, tickstore_find_time(
					    f->ts, base + (int64_t)seq * 1000, &pos));
		assert_int_equal(seq + (seq - 1) / 50 + 1, pos);
	}
	assert_int_equal(STORE_END,
			 tickstore_find_time(f->ts, base + 2001 * 1000, &pos));
}

static void old_segments_are_retired_by_age_but_never_above_the_floor(void **state)
{
	struct fixture *f = *state;
	uint32_t p;
	uint32_t n = 0;
	uint64_t at = 0;
	struct record r;

	assert_int_equal(0, tickstore_close(f->ts));
	f->params.retain_ns = 1000;
	assert_int_equal(0, fixture_open(f));
	p = fixture_producer(f, "feed");
	for (uint64_t seq = 1; seq <= 1000; seq += 100) {
		assert_int_equal(0, fixture_put(f, p, seq, 100));
		f->now_ns += 200;
	}
	/* now: commits at 0 .. 1800, now 2000: those before 1000 are due. */
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, 250, 100, &n));
	assert_int_equal(2, n); /* the third holds the floor */
	assert_int_equal(201, status_of(f).first_pos);
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 2, &n));
	assert_int_equal(2, n); /* the budget */
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(1, n);
	assert_int_equal(501, status_of(f).first_pos);
	assert_int_equal(STORE_GONE, tickstore_read(f->ts, 1, 1, &r, &at, &n));
	assert_int_equal(501, at);

	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(501, status_of(f).first_pos);
	assert_int_equal(STORE_GONE, tickstore_read(f->ts, 500, 1, &r, &at, &n));
	expect_records(f, 501, 1000);
	f->now_ns += 1000000;
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(4, n); /* the newest stays */
	assert_int_equal(901, status_of(f).first_pos);
	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 1001, 1));
	assert_int_equal(1001, status_of(f).last_pos);
}

static void old_segments_are_retired_by_size(void **state)
{
	struct fixture *f = *state;
	uint32_t p;
	uint32_t n = 0;

	assert_int_equal(0, tickstore_close(f->ts));
	f->params.retain_bytes = 96 * 300;
	assert_int_equal(0, fixture_open(f));
	p = fixture_producer(f, "feed");
	for (uint64_t seq = 1; seq <= 1000; seq += 100)
		assert_int_equal(0, fixture_put(f, p, seq, 100));
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_int_equal(7, n);
	expect_records(f, 701, 1000);
}

static void normal_durability_syncs_when_the_interval_is_over(void **state)
{
	struct fixture *f = *state;
	uint32_t p;

	assert_int_equal(0, tickstore_close(f->ts));
	f->params.durability = DURABILITY_NORMAL;
	f->params.sync_interval_ns = 1000;
	assert_int_equal(0, fixture_open(f));
	p = fixture_producer(f, "feed");
	assert_int_equal(0, fixture_put(f, p, 1, 10));
	assert_int_equal(0, status_of(f).durable_pos);
	f->now_ns += 999;
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, false));
	assert_int_equal(0, status_of(f).durable_pos);
	f->now_ns += 1;
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, false));
	assert_int_equal(10, status_of(f).durable_pos);
	assert_int_equal(1, status_of(f).syncs);

	/* Nothing new: nothing to sync.  And a busy thread syncs in commit. */
	f->now_ns += 5000;
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, true));
	assert_int_equal(1, status_of(f).syncs);
	assert_int_equal(0, fixture_put(f, p, 11, 10));
	f->now_ns += 1000;
	assert_int_equal(0, fixture_put(f, p, 21, 10));
	assert_int_equal(20, status_of(f).durable_pos);
	/* A clock that steps back does not put it off for ever. */
	f->now_ns -= 100000;
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, false));
	assert_int_equal(30, status_of(f).durable_pos);
}

static void full_durability_is_durable_at_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, fixture_put(f, fixture_producer(f, "feed"), 1, 10));
	assert_int_equal(10, status_of(f).durable_pos);
	assert_int_equal(DURABILITY_FULL, status_of(f).durability);
}

static void the_wal_stays_short(void **state)
{
	struct fixture *f = *state;
	uint32_t p = fixture_producer(f, "feed");
	struct stat st;

	for (uint64_t seq = 1; seq <= 50000; seq += 100) {
		assert_int_equal(0, fixture_put(f, p, seq, 100));
		assert_true(status_of(f).wal_bytes < 2 << 20);
	}
	assert_true(status_of(f).checkpoints > 5);
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, true));
	assert_int_equal(0, stat(fixture_path(f, "tickbus.db-wal"), &st));
	assert_true(st.st_size < 3 << 20);
	expect_records(f, 1, 50000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_committed_record_is_read_back_from_memory_and_from_disk),
		TEST(segments_of_every_size_wrap_around_the_ring),
		TEST(staged_records_are_not_readable_and_abort_forgets_them),
		TEST(a_full_segment_refuses_and_keeps_what_is_staged),
		TEST(a_sequence_is_accepted_once_for_ever),
		TEST(gaps_are_counted_and_spent_sequences_are_none),
		TEST(more_producers_than_allowed_are_refused),
		TEST(names_keep_their_ids_across_starts),
		TEST(the_origin_of_a_record_is_known),
		TEST(a_time_leads_to_the_first_record_at_or_after_it),
		TEST(what_the_daemon_notes_by_its_own_clock_is_no_time_of_the_log),
		TEST(old_segments_are_retired_by_age_but_never_above_the_floor),
		TEST(old_segments_are_retired_by_size),
		TEST(normal_durability_syncs_when_the_interval_is_over),
		TEST(full_durability_is_durable_at_once),
		TEST(the_wal_stays_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
