/*
 * fault_test - the disk says no at every single operation, in every way, and
 * the power goes at every single operation.  Afterwards:
 *
 *	what was acknowledged is there
 *	what is there is what was sent, once
 *	after a failed write or sync nothing more was acknowledged
 *	a full disk refuses, and goes on by itself when there is room
 */
#include "store/fixture_test.h"
#include "tests/kill/fault_vfs.h"
#include <errno.h>
#include <sys/types.h>

/*
 * The high-water file does not go through SQLite: the linker puts these in front
 * of the C library's functions (--wrap), for our code only.
 */
static int wrap_writes_left = -1; /* -1: no fault */
static int wrap_syncs_left = -1;

ssize_t __real_pwrite64(int fd, const void *buf, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off64_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	if (wrap_writes_left == 0) {
		errno = EIO;
		return -1;
	}
	wrap_writes_left -= wrap_writes_left > 0;
	return __real_pwrite64(fd, buf, n, at);
}

int __wrap_fdatasync(int fd)
{
	if (wrap_syncs_left == 0) {
		errno = ENOSPC; /* even so: a failed sync is final */
		return -1;
	}
	wrap_syncs_left -= wrap_syncs_left > 0;
	return __real_fdatasync(fd);
}

#define COMMITS 10

/* One life of a store under a fault. */
struct life {
	struct fixture f;
	uint64_t acked;   /* highest sequence told to the producer */
	uint64_t durable; /* ... and promised to survive the power */
	int refusals;     /* -ENOSPC */
	bool died;
	bool fired;
};

static bool is_fine(struct life *l, int rc)
{
	if (rc >= 0)
		return true;
	if (rc == -ENOSPC) {
		l->refusals++;
		return true;
	}
	assert_int_equal(-EIO, rc);
	l->died = true;
	return false;
}

static bool commit_one(struct life *l, uint32_t p)
{
	uint64_t last = tickstore_seq_last(l->f.ts, p);
	uint32_t n = 1 + (uint32_t)(last * 7 % 40);
	struct store_status s;
	int rc = fixture_put(&l->f, p, last + 1, n);

	if (rc == 0)
		l->acked = last + n;
	tickstore_status(l->f.ts, &s);
	if (s.durable_pos > l->durable)
		l->durable = s.durable_pos;
	return is_fine(l, rc);
}

static bool work(struct life *l)
{
	uint32_t p = fixture_producer(&l->f, "feed");

	for (int i = 0; i < COMMITS; i++) {
		l->f.now_ns += 400;
		if (!commit_one(l, p))
			return false;
		if (i % 4 == 3 &&
		    !is_fine(l, tickstore_tick(l->f.ts, l->f.now_ns, true)))
			return false;
		if (i == 5 && !is_fine(l, fixture_snapshot(l->f.ts, 1, 1, "s", 1)))
			return false;
		if (i == 6 &&
		    !is_fine(l, tickstore_derived_append(l->f.ts, 1, 1, 1, 1, "d", 1)))
			return false;
	}
	return true;
}

static void begin(struct life *l, enum durability durability)
{
	memset(l, 0, sizeof(*l));
	fault_disk_forget();
	fixture_begin_in(&l->f, fixture_fast_dir());
	l->f.params.vfs = "fault";
	l->f.params.durability = durability;
	l->f.params.sync_interval_ns = 1000;
	l->f.params.wal_bytes_max = 300000; /* a few checkpoints on the way */
	l->f.params.ballast_bytes = 4096;
}

static void live(struct life *l)
{
	int rc = fixture_open(&l->f);

	if (rc == 0) {
		bool fine = work(l);

		l->fired = fault_vfs_fired();
		if (!fine) {
			/* Dead is dead, whatever the disk does now. */
			struct store_status s;

			fault_vfs_disarm();
			tickstore_status(l->f.ts, &s);
			assert_true(s.dead);
			assert_true(s.alarm[0] != 0);
			assert_int_equal(-EIO,
					 fixture_put(&l->f, 0, l->acked + 1000, 1));
			fault_vfs_arm(FAULT_ANY, 1, FAULT_EIO, true);
		}
	} else {
		l->fired = fault_vfs_fired();
		assert_true(l->fired);
		assert_true(rc == -EIO || rc == -ENOSPC);
	}
}

/* All records 1 .. last_pos are what was sent; returns the status. */
static struct store_status expect_log(struct fixture *f)
{
	struct store_status s;
	struct record r[64];
	uint64_t pos = 1;
	uint64_t at = 0;
	uint32_t n = 0;

	tickstore_status(f->ts, &s);
	while (pos <= s.last_pos) {
		assert_int_equal(0, tickstore_read(f->ts, pos, 64, r, &at, &n));
		assert_int_equal(pos, at);
		for (uint32_t i = 0; i < n; i++, pos++) {
			struct record want = fixture_record(0, pos);

			assert_memory_equal(&want, &r[i], sizeof(want));
		}
	}
	assert_int_equal(s.last_pos,
			 tickstore_seq_last(f->ts, fixture_producer(f, "feed")));
	return s;
}

/* The next owner, on a disk that works. */
static void heal(struct life *l)
{
	struct store_status s;

	l->f.params.vfs = NULL;
	assert_int_equal(0, fixture_open(&l->f));
	s = expect_log(&l->f);
	assert_string_equal("", s.alarm);
	assert_true(s.last_pos >= l->acked);
	assert_int_equal(0, fixture_put(&l->f, 0, s.last_pos + 1, 5));
	assert_int_equal(0, fixture_reopen(&l->f));
	s = expect_log(&l->f);
	assert_true(s.last_pos >= l->acked + 5);
	fixture_end(&l->f);
}

static void every(enum fault_op op, enum fault_kind kind, bool persistent,
		  enum durability durability)
{
	uint32_t nth = 0;
	bool fired = true;

	while (fired) {
		struct life l;

		nth += nth < 4 ? 1 : fixture_stride();
		begin(&l, durability);
		fault_vfs_arm(op, nth, kind, persistent);
		live(&l);
		fired = l.fired;
		if (kind == FAULT_EIO && !fired)
			assert_false(l.died);
		fault_vfs_disarm();
		(void)tickstore_close(l.f.ts);
		l.f.ts = NULL;
		heal(&l);
	}
	assert_true(nth > 3);
	print_message(
		"# op %d kind %d persistent %d durability %d: %u points, %u apart\n",
		op, kind, persistent, durability, nth - 1, fixture_stride());
}

static void a_failed_write_is_never_hidden(void **state)
{
	(void)state;
	every(FAULT_WRITE, FAULT_EIO, false, DURABILITY_FULL);
	every(FAULT_WRITE, FAULT_EIO, true, DURABILITY_FULL);
	every(FAULT_WRITE, FAULT_EIO, true, DURABILITY_NORMAL);
}

static void a_failed_sync_is_never_hidden(void **state)
{
	(void)state;
	every(FAULT_SYNC, FAULT_EIO, false, DURABILITY_FULL);
	every(FAULT_SYNC, FAULT_EIO, true, DURABILITY_FULL);
	every(FAULT_SYNC, FAULT_EIO, false, DURABILITY_NORMAL);
}

static void a_failed_truncation_is_never_hidden(void **state)
{
	struct life l;

	(void)state;
	begin(&l, DURABILITY_FULL);
	assert_int_equal(0, fixture_open(&l.f));
	assert_true(work(&l));
	/* Only a checkpoint that cuts the WAL truncates: closing does. */
	fault_vfs_arm(FAULT_TRUNCATE, 1, FAULT_EIO, true);
	(void)tickstore_close(l.f.ts);
	assert_true(fault_vfs_fired());
	fault_vfs_disarm();
	l.f.ts = NULL;
	heal(&l);
}

static void a_full_disk_refuses_and_goes_on_by_itself(void **state)
{
	(void)state;
	every(FAULT_WRITE, FAULT_ENOSPC, false, DURABILITY_FULL);
	every(FAULT_WRITE, FAULT_ENOSPC, true, DURABILITY_FULL);
	every(FAULT_WRITE, FAULT_ENOSPC, true, DURABILITY_NORMAL);
}

static void a_refused_batch_is_accepted_when_there_is_room_again(void **state)
{
	struct life l;
	struct store_status s;
	uint32_t p;

	(void)state;
	begin(&l, DURABILITY_FULL);
	assert_int_equal(0, fixture_open(&l.f));
	p = fixture_producer(&l.f, "feed");
	assert_int_equal(0, fixture_put(&l.f, p, 1, 10));
	fault_vfs_arm(FAULT_WRITE, 1, FAULT_ENOSPC, true);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(-ENOSPC, fixture_put(&l.f, p, 11, 10));
		assert_int_equal(10, tickstore_seq_last(l.f.ts, p));
	}
	tickstore_status(l.f.ts, &s);
	assert_true(s.disk_full);
	assert_false(s.dead);
	assert_int_equal(5, s.commits_refused);
	assert_int_equal(10, s.last_pos);
	expect_log(&l.f);
	fault_vfs_disarm();
	assert_int_equal(0, fixture_put(&l.f, p, 11, 10));
	s = expect_log(&l.f);
	assert_false(s.disk_full);
	assert_int_equal(20, s.last_pos);
	fixture_end(&l.f);
}

/* ---- the high-water file ---- */

static void a_mark_that_cannot_be_written_stops_the_store(void **state)
{
	(void)state;
	for (int left = 0; left < 8; left++) {
		struct life l;

		begin(&l, left % 2 ? DURABILITY_NORMAL : DURABILITY_FULL);
		assert_int_equal(0, fixture_open(&l.f));
		wrap_writes_left = left;
		assert_false(work(&l));
		assert_int_equal(-EIO, fixture_put(&l.f, 0, l.acked + 1000, 1));
		wrap_writes_left = -1;
		(void)tickstore_close(l.f.ts);
		l.f.ts = NULL;
		heal(&l);
	}
}

static void a_mark_that_cannot_be_synced_stops_the_store(void **state)
{
	struct life l;

	(void)state;
	begin(&l, DURABILITY_NORMAL);
	assert_int_equal(0, fixture_open(&l.f));
	wrap_syncs_left = 1;
	assert_false(work(&l));
	wrap_syncs_left = -1;
	assert_true(l.acked > 0);
	(void)tickstore_close(l.f.ts);
	l.f.ts = NULL;
	heal(&l);
}

static void a_mark_that_cannot_be_made_anew_refuses_the_start(void **state)
{
	(void)state;
	for (int left = 0; left < 2; left++) {
		struct life l;

		begin(&l, DURABILITY_FULL);
		wrap_writes_left = left;
		assert_int_equal(-EIO, fixture_open(&l.f));
		wrap_writes_left = -1;
		heal(&l);
	}
}

/* ---- power ---- */

/* After a cut: everything promised is there; the rest is reported, not hidden. */
static void after_power_loss(struct life *l, enum power_loss model, uint32_t nth)
{
	struct store_status s;

	l->f.params.vfs = NULL;
	if (fixture_open(&l->f) != 0)
		fail_msg("model %d, cut at %u: %s", model, nth, err_text());
	s = expect_log(&l->f);
	if (s.last_pos < l->durable)
		fail_msg("model %d, cut at %u: %lu of %lu durable records", model, nth,
			 s.last_pos, l->durable);
	if (s.last_pos < l->acked) {
		/* Only what normal durability said it may lose, and it says so. */
		assert_int_equal(DURABILITY_NORMAL, l->f.params.durability);
		assert_true(s.alarm[0] != 0);
		assert_int_equal(s.last_pos + 1, s.lost_first);
		assert_int_equal(l->acked, s.lost_last);
		assert_int_equal(2, s.epoch);
	} else {
		assert_string_equal("", s.alarm);
	}
	fixture_end(&l->f);
}

static void cut_everywhere(enum durability durability)
{
	uint32_t lost = 0;
	uint32_t nth = 0;
	bool fired = true;

	for (nth = 1; fired; nth += fixture_stride()) {
		for (int model = 0; model < LOSS_MODELS; model++) {
			struct life l;

			begin(&l, durability);
			fault_vfs_arm(FAULT_ANY, nth, FAULT_EIO, true);
			if (fixture_open(&l.f) == 0)
				(void)work(&l);
			fired = fault_vfs_fired();
			/* The power is gone: closing must not write either. */
			fault_vfs_arm(FAULT_ANY, 1, FAULT_EIO, true);
			(void)tickstore_close(l.f.ts);
			l.f.ts = NULL;
			fault_vfs_disarm();
			fault_disk_on(model, nth);
			lost += l.durable < l.acked;
			after_power_loss(&l, model, nth);
		}
	}
	assert_true(nth > 50);
	/* The test must have tested something: normal does lose sometimes. */
	assert_int_equal(durability == DURABILITY_NORMAL, lost > 0);
	print_message(
		"# durability %d: power cut at %u points, %u apart, x %d models\n",
		durability, nth - 1, fixture_stride(), LOSS_MODELS);
}

static void what_was_acknowledged_in_full_survives_the_power(void **state)
{
	(void)state;
	cut_everywhere(DURABILITY_FULL);
}

static void what_normal_loses_is_young_and_reported(void **state)
{
	(void)state;
	cut_everywhere(DURABILITY_NORMAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_write_is_never_hidden),
		cmocka_unit_test(a_failed_sync_is_never_hidden),
		cmocka_unit_test(a_failed_truncation_is_never_hidden),
		cmocka_unit_test(a_full_disk_refuses_and_goes_on_by_itself),
		cmocka_unit_test(a_refused_batch_is_accepted_when_there_is_room_again),
		cmocka_unit_test(a_mark_that_cannot_be_written_stops_the_store),
		cmocka_unit_test(a_mark_that_cannot_be_synced_stops_the_store),
		cmocka_unit_test(a_mark_that_cannot_be_made_anew_refuses_the_start),
		cmocka_unit_test(what_was_acknowledged_in_full_survives_the_power),
		cmocka_unit_test(what_normal_loses_is_young_and_reported),
	};

	fault_vfs_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
