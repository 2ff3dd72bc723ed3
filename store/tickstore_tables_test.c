/* tickstore_tables_test - derived batches, snapshots, meta, quarantine. */
#include "base/clock.h"
#include "store/fixture_test.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	fixture_begin(f);
	f->params.derived[2] = (struct derived_limit){.batches = 5};
	f->params.derived[3] = (struct derived_limit){.bytes = 1000};
	*state = f;
	return fixture_open(f);
}

static int teardown(void **state)
{
	fixture_end(*state);
	free(*state);
	return 0;
}

static void bend(struct fixture *f, const char *sql)
{
	struct sq *db = NULL;

	assert_int_equal(0, tickstore_close(f->ts));
	f->ts = NULL;
	assert_int_equal(0, sq_open(fixture_path(f, "tickbus.db"), NULL,
				    SCHEMA_APPLICATION_ID, &db));
	assert_int_equal(0, sq_exec(db, sql));
	sq_close(db);
}

/* ---- derived ---- */

struct seen {
	uint64_t ids[64];
	uint64_t last_pos[64];
	uint32_t n;
	uint32_t stop_after;
};

static int see(void *arg, const struct store_batch *b)
{
	struct seen *s = arg;
	char want[32];

	(void)snprintf(want, sizeof(want), "batch at %lu", (unsigned long)b->last_pos);
	assert_int_equal(strlen(want), b->len);
	assert_memory_equal(want, b->data, b->len);
	s->ids[s->n] = b->id;
	s->last_pos[s->n++] = b->last_pos;
	return s->stop_after && s->n == s->stop_after;
}

static void put_batch(struct fixture *f, unsigned kind, uint64_t first, uint64_t last)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "batch at %lu", (unsigned long)last);
	assert_int_equal(0, tickstore_derived_append(f->ts, kind, first, last, 3, text,
						     (uint32_t)strlen(text)));
}

static void batches_are_read_in_order_and_kinds_do_not_mix(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};
	uint64_t next = 0;

	for (uint64_t pos = 10; pos <= 200; pos += 10) {
		put_batch(f, 1, pos - 9, pos);
		put_batch(f, 4, pos - 9, pos + 1000);
	}
	assert_int_equal(200, tickstore_derived_last_pos(f->ts, 1));
	assert_int_equal(1200, tickstore_derived_last_pos(f->ts, 4));
	assert_int_equal(0, tickstore_derived_last_pos(f->ts, 0));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(200, tickstore_derived_last_pos(f->ts, 1));
	assert_int_equal(0, tickstore_derived_read(f->ts, 1, 1, 64, see, &s, &next));
	assert_int_equal(20, s.n);
	assert_int_equal(21, next);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(i + 1, s.ids[i]);
		assert_int_equal(10 * (i + 1), s.last_pos[i]);
	}
	s = (struct seen){.stop_after = 3};
	assert_int_equal(0, tickstore_derived_read(f->ts, 1, 5, 64, see, &s, &next));
	assert_int_equal(3, s.n);
	assert_int_equal(8, next);
}

static void a_position_leads_to_its_batch_though_batches_overlap(void **state)
{
	struct fixture *f = *state;
	uint64_t id = 0;

	assert_int_equal(STORE_END, tickstore_derived_find(f->ts, 1, 1, &id));
	put_batch(f, 1, 1, 10);
	put_batch(f, 1, 1, 8); /* another worker's, behind */
	put_batch(f, 1, 5, 30);
	put_batch(f, 1, 9, 20);
	put_batch(f, 1, 31, 40);
	static const uint64_t want[][2] = {{1, 1},  {10, 1}, {11, 3}, {20, 3},
					   {30, 3}, {31, 5}, {40, 5}};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(0, tickstore_derived_find(f->ts, 1, want[i][0], &id));
		assert_int_equal(want[i][1], id);
	}
	assert_int_equal(STORE_END, tickstore_derived_find(f->ts, 1, 41, &id));
	assert_int_equal(6, id);
}

static void old_batches_make_room_by_number_and_by_bytes(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[300];
	struct seen s = {0};
	uint64_t first = 0;
	uint64_t next = 0;

	for (uint64_t pos = 1; pos <= 20; pos++)
		put_batch(f, 2, pos, pos);
	tickstore_derived_range(f->ts, 2, &first, &next);
	assert_int_equal(16, first);
	assert_int_equal(21, next);
	assert_int_equal(STORE_GONE,
			 tickstore_derived_read(f->ts, 2, 1, 9, see, &s, &next));
	assert_int_equal(16, next);
	assert_int_equal(0, s.n);
	for (int i = 1; i <= 10; i++)
		assert_int_equal(0,
				 tickstore_derived_append(f->ts, 3, i, i, 1, big, 300));
	assert_int_equal(0, fixture_reopen(f));
	tickstore_derived_range(f->ts, 2, &first, &next);
	assert_int_equal(16, first);
	tickstore_derived_range(f->ts, 3, &first, &next);
	assert_int_equal(8, first); /* 3 x 300 <= 1,000 */
	assert_int_equal(0, tickstore_derived_append(f->ts, 3, 11, 11, 1, big, 300));
	tickstore_derived_range(f->ts, 3, &first, &next);
	assert_int_equal(9, first);
	assert_int_equal(12, next);
}

static void a_damaged_batch_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};
	uint64_t next = 0;

	for (uint64_t pos = 1; pos <= 5; pos++)
		put_batch(f, 1, pos, pos);
	bend(f, "UPDATE derived SET data = CAST('batch at 9' AS BLOB) WHERE id = (1 << "
		"56) + 3");
	assert_int_equal(0, fixture_open(f));
	assert_int_equal(-EBADMSG,
			 tickstore_derived_read(f->ts, 1, 1, 9, see, &s, &next));
	assert_int_equal(2, s.n);
	assert_int_equal(3, next);
}

static void batches_leave_by_the_age_of_their_commit(void **state)
{
	struct fixture *f = *state;
	struct derived_limit limits[STORE_KINDS] = {[4] = {.ns = 10 * NS_PER_S}};
	int64_t began_ns = f->now_ns;
	uint64_t first = 0, next = 0;
	uint32_t n = 0;

	for (uint64_t i = 0; i < 6; i++) {
		f->now_ns = began_ns + (int64_t)i * 5 * NS_PER_S;
		assert_int_equal(
			0, fixture_put(f, fixture_producer(f, "feed"), i * 10 + 1, 10));
		assert_int_equal(0, tickstore_derived_append(f->ts, 4, i * 10 + 1,
							     i * 10 + 10, 1, "b", 1));
		assert_int_equal(0, tickstore_derived_append(f->ts, 5, i * 10 + 1,
							     i * 10 + 10, 1, "b", 1));
	}
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 8, &n));
	assert_int_equal(0, n); /* nobody has set a limit */
	tickstore_limits_set(f->ts, 0, 0, limits);
	/* 25, 20 and 15 s old: a budget of two takes two, then one more goes. */
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 2, &n));
	assert_int_equal(2, n);
	assert_int_equal(0, tickstore_derived_expire(f->ts, f->now_ns, 2, &n));
	assert_int_equal(1, n);
	tickstore_derived_range(f->ts, 4, &first, &next);
	assert_int_equal(4, first);
	assert_int_equal(7, next);
	/* The newest stays however old; other kinds have limits of their own. */
	assert_int_equal(
		0, tickstore_derived_expire(f->ts, f->now_ns + 3600 * NS_PER_S, 8, &n));
	assert_int_equal(2, n);
	tickstore_derived_range(f->ts, 5, &first, &next);
	assert_int_equal(1, first);
	assert_int_equal(0, fixture_reopen(f));
	tickstore_derived_range(f->ts, 4, &first, &next);
	assert_int_equal(6, first);
	assert_int_equal(60, tickstore_derived_last_pos(f->ts, 4));
}

/* ---- snapshots ---- */

static void expect_snapshot(struct fixture *f, uint64_t max_pos, uint64_t pos,
			    uint32_t version, const char *want)
{
	struct store_snapshot s;
	struct fixture_text text = {0};

	assert_int_equal(0, tickstore_snapshot_find(f->ts, max_pos, &s));
	assert_int_equal(pos, s.pos);
	assert_int_equal(version, s.version);
	assert_int_equal(0,
			 tickstore_snapshot_read(f->ts, &s, fixture_text_add, &text));
	assert_string_equal(want, text.text);
	/* The same part by part. */
	text = (struct fixture_text){0};
	for (uint32_t i = 0; i < s.n_parts; i++)
		assert_int_equal(0, tickstore_snapshot_read_part(
					    f->ts, &s, i, fixture_text_add, &text));
	assert_string_equal(want, text.text);
	assert_int_equal(STORE_NONE,
			 tickstore_snapshot_read_part(f->ts, &s, s.n_parts,
						      fixture_text_add, &text));
}

static void the_newest_two_snapshots_stay(void **state)
{
	struct fixture *f = *state;
	struct store_snapshot s;

	assert_int_equal(STORE_NONE, tickstore_snapshot_find(f->ts, UINT64_MAX, &s));
	assert_int_equal(0, tickstore_snapshot_floor(f->ts));
	assert_int_equal(0, fixture_snapshot(f->ts, 100, 7, "one", 3));
	assert_int_equal(0, fixture_snapshot(f->ts, 200, 7, "two", 3));
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 300, 0, "th", 2));
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 300, 1, "ree", 3));
	assert_int_equal(100, tickstore_snapshot_floor(f->ts));
	assert_int_equal(0, tickstore_snapshot_seal(f->ts, 300, 8, 2));
	assert_int_equal(200, tickstore_snapshot_floor(f->ts));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(200, tickstore_snapshot_floor(f->ts));
	expect_snapshot(f, UINT64_MAX, 300, 8, "three");
	expect_snapshot(f, 299, 200, 7, "two");
	assert_int_equal(STORE_NONE, tickstore_snapshot_find(f->ts, 199, &s));
}

static void a_snapshot_at_the_same_position_takes_the_place_of_the_old_one(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, tickstore_snapshot_part(f->ts, 100, 0, "lo", 2));
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 100, 1, "ng", 2));
	assert_int_equal(0, tickstore_snapshot_seal(f->ts, 100, 7, 2));
	assert_int_equal(0, fixture_snapshot(f->ts, 100, 8, "short", 5));
	expect_snapshot(f, UINT64_MAX, 100, 8, "short");
}

static void parts_that_were_never_sealed_are_no_snapshot(void **state)
{
	struct fixture *f = *state;
	struct store_snapshot s;

	assert_int_equal(0, tickstore_snapshot_part(f->ts, 100, 0, "one", 3));
	assert_int_equal(STORE_NONE, tickstore_snapshot_find(f->ts, UINT64_MAX, &s));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(STORE_NONE, tickstore_snapshot_find(f->ts, UINT64_MAX, &s));
	/* What was left over is no part of the next one at the same position. */
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 100, 1, "rest", 4));
	assert_int_equal(0, tickstore_snapshot_abandon(f->ts));
	assert_int_equal(0, fixture_snapshot(f->ts, 100, 7, "one", 3));
	expect_snapshot(f, UINT64_MAX, 100, 7, "one");
}

/* Read whatever is newest: damage is counted, told, and never handed on as whole. */
static void expect_damage(struct fixture *f, uint64_t pos)
{
	struct store_snapshot s;
	struct fixture_text text = {0};
	struct store_status st;

	assert_int_equal(0, tickstore_snapshot_find(f->ts, UINT64_MAX, &s));
	assert_int_equal(pos, s.pos);
	assert_int_equal(STORE_NONE,
			 tickstore_snapshot_read(f->ts, &s, fixture_text_add, &text));
	assert_non_null(strstr(err_text(), "snapshot at position"));
	tickstore_status(f->ts, &st);
	assert_int_equal(1, st.snapshots_damaged);
}

static void a_damaged_snapshot_gives_way_to_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct store_snapshot s;
	struct store_status st;

	assert_int_equal(0, fixture_snapshot(f->ts, 100, 1, "one", 3));
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 200, 0, "tw", 2));
	assert_int_equal(0, tickstore_snapshot_part(f->ts, 200, 1, "o", 1));
	assert_int_equal(0, tickstore_snapshot_seal(f->ts, 200, 1, 2));
	bend(f, "UPDATE snapshot_part SET data = CAST('O' AS BLOB) WHERE part = 1");
	assert_int_equal(0, fixture_open(f));
	expect_damage(f, 200);
	expect_snapshot(f, 199, 100, 1, "one");
	bend(f, "DELETE FROM snapshot_part WHERE pos = 200 AND part = 1");
	assert_int_equal(0, fixture_open(f));
	expect_damage(f, 200);
	bend(f, "UPDATE snapshot SET version = 2");
	assert_int_equal(0, fixture_open(f));
	assert_int_equal(STORE_NONE, tickstore_snapshot_find(f->ts, UINT64_MAX, &s));
	tickstore_status(f->ts, &st);
	assert_int_equal(2, st.snapshots_damaged);
}

/* ---- meta ---- */

static void a_value_is_replaced_and_found_again(void **state)
{
	struct fixture *f = *state;
	const void *data = NULL;
	size_t len = 0;

	assert_int_equal(STORE_NONE, tickstore_meta_get(f->ts, "config", &data, &len));
	assert_int_equal(0, tickstore_meta_put(f->ts, "config", "a: 1\n", 5));
	assert_int_equal(0, tickstore_meta_put(f->ts, "config", "a: 22\n", 6));
	assert_int_equal(0, tickstore_meta_put(f->ts, "empty", "", 0));
	assert_int_equal(-EINVAL, tickstore_meta_put(f->ts, "store.id", "x", 1));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(0, tickstore_meta_get(f->ts, "config", &data, &len));
	assert_int_equal(6, len);
	assert_memory_equal("a: 22\n", data, 6);
	assert_int_equal(0, tickstore_meta_get(f->ts, "empty", &data, &len));
	assert_int_equal(0, len);
}

/* ---- rows that vanish ---- */

static void rows_that_vanish_or_change_are_refused(void **state)
{
	static const char *const blows[] = {
		"DELETE FROM producer WHERE id = 1",
		"UPDATE producer SET last_seq = 1 WHERE id = 0",
		"DELETE FROM symbol WHERE id = 1",
		"UPDATE symbol SET name = 'EVIL' WHERE id = 0",
		"DELETE FROM segment WHERE first_pos = 11",
		"DELETE FROM segment WHERE first_pos = 1",
		"UPDATE segment SET epoch = 2",
		"UPDATE segment SET max_event_ns = max_event_ns + 1",
		"DELETE FROM epoch",
		"UPDATE epoch SET first_pos = 2",
		"UPDATE meta SET value = x'00' WHERE key = 'store.counts'",
		"DELETE FROM meta WHERE key = 'store.id'",
	};

	for (size_t i = 0; i < sizeof(blows) / sizeof(blows[0]); i++) {
		struct fixture *f = *state;
		uint32_t id = 0;
		int is_new = 0;
		const char *sql = blows[i];

		fixture_end(f);
		fixture_begin(f);
		assert_int_equal(0, fixture_open(f));
		fixture_add(&f->symbols, "AAA", 3, &id, &is_new);
		fixture_add(&f->symbols, "BBB", 3, &id, &is_new);
		assert_int_equal(0, fixture_put(f, fixture_producer(f, "a"), 1, 10));
		assert_int_equal(0, fixture_put(f, fixture_producer(f, "b"), 1, 10));
		assert_int_equal(0, fixture_put(f, fixture_producer(f, "a"), 11, 10));
		bend(f, sql);
		if (fixture_open(f) != -EBADMSG)
			fail_msg("accepted: %s", sql);
	}
}

/* ---- quarantine ---- */

static void the_quarantine_is_a_ring_with_a_rate(void **state)
{
	struct fixture *f = *state;
	struct store_refusal got[32];
	struct store_status s;
	uint32_t n = 0;
	char text[300];
	int kept = 0;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 50; i++)
		kept += tickstore_quarantine_add(f->ts, f->now_ns, 3, 1, text,
						 sizeof(text)) == 0;
	assert_int_equal(20, kept); /* the rate */
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, false));
	f->now_ns += NS_PER_S;
	assert_int_equal(0,
			 tickstore_quarantine_add(f->ts, f->now_ns, 4, 2, "last", 4));
	assert_int_equal(0, fixture_reopen(f));
	assert_int_equal(0, tickstore_quarantine_list(f->ts, 0, 32, got, &n));
	assert_int_equal(10, n); /* the ring */
	for (uint32_t i = 0; i < 9; i++) {
		assert_int_equal(12 + i, got[i].id);
		assert_int_equal(3, got[i].reason);
		assert_int_equal(STORE_QUARANTINE_TEXT, got[i].len);
	}
	assert_int_equal(21, got[9].id);
	assert_int_equal(4, got[9].reason);
	assert_int_equal(2, got[9].producer);
	assert_memory_equal("last", got[9].text, 4);
	assert_int_equal(0, tickstore_quarantine_list(f->ts, 20, 32, got, &n));
	assert_int_equal(1, n);

	/* After a restart the ring goes on where it was. */
	assert_int_equal(0, tickstore_quarantine_add(f->ts, f->now_ns, 5, 2, "", 0));
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, false));
	assert_int_equal(0, tickstore_quarantine_list(f->ts, 21, 32, got, &n));
	assert_int_equal(1, n);
	assert_int_equal(22, got[0].id);
	tickstore_status(f->ts, &s);
	assert_int_equal(1, s.quarantined);
}

/* ---- a full disk, by the file size limit ---- */

static void limit_files(rlim_t bytes)
{
	struct rlimit l = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &l));
}

static void
a_file_size_limit_is_a_full_disk_and_ballast_lets_retention_work(void **state)
{
	struct fixture *f = *state;
	struct store_status s;
	uint64_t seq = 1;
	uint32_t p;
	uint32_t n = 0;
	int rc = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, tickstore_close(f->ts));
	f->params.retain_bytes = 96 * 500;
	f->params.wal_bytes_max = 64 << 20; /* never by itself */
	assert_int_equal(0, fixture_open(f));
	p = fixture_producer(f, "feed");
	limit_files(400000);
	while ((rc = fixture_put(f, p, seq, 100)) == 0)
		seq += 100;
	if (rc != -ENOSPC)
		fail_msg("%d: %s", rc, err_text());
	assert_true(seq > 600);
	tickstore_status(f->ts, &s);
	assert_true(s.disk_full);
	assert_true(s.ballast);
	assert_false(s.dead);
	/* The WAL is as large as it may be: without a checkpoint no DELETE either. */
	assert_int_equal(0, tickstore_retain(f->ts, f->now_ns, UINT64_MAX, 100, &n));
	assert_true(n > 0);
	tickstore_status(f->ts, &s);
	assert_false(s.ballast);
	assert_int_equal(0, fixture_put(f, p, seq, 100));
	limit_files(RLIM_INFINITY);
	f->now_ns += 11 * NS_PER_S;
	assert_int_equal(0, tickstore_tick(f->ts, f->now_ns, true));
	tickstore_status(f->ts, &s);
	assert_true(s.ballast);
	assert_false(s.disk_full);
	assert_int_equal(seq + 99, s.last_pos);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(batches_are_read_in_order_and_kinds_do_not_mix),
		TEST(a_position_leads_to_its_batch_though_batches_overlap),
		TEST(old_batches_make_room_by_number_and_by_bytes),
		TEST(batches_leave_by_the_age_of_their_commit),
		TEST(a_damaged_batch_is_not_served),
		TEST(the_newest_two_snapshots_stay),
		TEST(parts_that_were_never_sealed_are_no_snapshot),
		TEST(a_snapshot_at_the_same_position_takes_the_place_of_the_old_one),
		TEST(a_damaged_snapshot_gives_way_to_the_one_before),
		TEST(a_value_is_replaced_and_found_again),
		TEST(rows_that_vanish_or_change_are_refused),
		TEST(the_quarantine_is_a_ring_with_a_rate),
		TEST(a_file_size_limit_is_a_full_disk_and_ballast_lets_retention_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
