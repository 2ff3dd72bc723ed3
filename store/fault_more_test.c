/*
 * fault_more_test - the n-th operation on the disk fails while the other tables are
 * written: derived batches, snapshots, quarantine, values, retention.  None of it may
 * hide the fault, and none may cost a record of the log.
 */
#include "store/fixture_test.h"
#include "tests/kill/fault_vfs.h"
#include <errno.h>

#define RECORDS 400u

struct outcome {
	bool fired;
	bool died;
	uint64_t batches; /* that were taken */
	uint64_t sealed;  /* position of the newest snapshot that was taken; 0: none */
};

/* Fine, or the one error that fits; dead stays dead. */
static bool took(struct fixture *f, struct outcome *o, int rc, enum fault_kind kind)
{
	struct store_status s;

	tickstore_status(f->ts, &s);
	if (rc >= 0) {
		assert_false(o->died);
		return true;
	}
	if (rc == -ENOSPC) {
		assert_int_equal(FAULT_ENOSPC, kind);
		assert_false(s.dead);
		return false;
	}
	assert_int_equal(-EIO, rc);
	assert_true(s.dead && s.alarm[0] != 0);
	o->died = true;
	return false;
}

static void snapshot(struct fixture *f, struct outcome *o, uint64_t pos,
		     enum fault_kind kind)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "state of %u", (unsigned)pos);

	if (took(f, o, tickstore_snapshot_part(f->ts, pos, 0, text, (size_t)n), kind) &&
	    took(f, o, tickstore_snapshot_part(f->ts, pos, 1, text, (size_t)n), kind) &&
	    took(f, o, tickstore_snapshot_seal(f->ts, pos, 1, 2), kind))
		o->sealed = pos;
	else if (!o->died)
		(void)took(f, o, tickstore_snapshot_abandon(f->ts), kind);
}

static void use_tables(struct fixture *f, struct outcome *o, enum fault_kind kind)
{
	uint32_t n = 0;

	for (uint64_t i = 0; i < 4; i++) {
		f->now_ns += 2000000000;
		/* A later batch would hide the hole: the daemon stops storing then. */
		if (o->batches == i &&
		    took(f, o,
			 tickstore_derived_append(f->ts, 1, i * 100 + 1, i * 100 + 100,
						  1, "batch", 5),
			 kind))
			o->batches++;
		snapshot(f, o, i * 100 + 50, kind);
		(void)took(f, o, tickstore_meta_put(f->ts, "config.text", "v", 1),
			   kind);
		(void)tickstore_quarantine_add(f->ts, f->now_ns, 1, 0, "bad", 3);
		(void)took(f, o, tickstore_tick(f->ts, f->now_ns, true), kind);
		(void)took(f, o, tickstore_retain(f->ts, f->now_ns, 51, 1, &n), kind);
	}
}

static int check_batch(void *arg, const struct store_batch *b)
{
	uint64_t *n = arg;

	assert_int_equal(++*n, b->id);
	assert_int_equal(b->id * 100, b->last_pos);
	assert_memory_equal("batch", b->data, 5);
	return 0;
}

static int check_part(void *arg, const void *data, size_t len)
{
	assert_int_equal(strlen(arg), len);
	assert_memory_equal(arg, data, len);
	return 0;
}

static void heal(struct fixture *f, const struct outcome *o)
{
	struct store_snapshot snap;
	struct store_status s;
	struct record r;
	uint64_t n_batches = 0, at = 0;
	char text[32];
	uint32_t n = 0;

	f->params.vfs = NULL;
	f->params.retain_bytes = 0;
	assert_int_equal(0, fixture_open(f));
	tickstore_status(f->ts, &s);
	assert_string_equal("", s.alarm);
	assert_int_equal(RECORDS, s.last_pos);
	for (uint64_t pos = s.first_pos; pos <= RECORDS; pos++) {
		struct record want = fixture_record(0, pos);

		assert_int_equal(0, tickstore_read(f->ts, pos, 1, &r, &at, &n));
		assert_memory_equal(&want, &r, sizeof(want));
	}
	assert_int_equal(0, tickstore_derived_read(f->ts, 1, 1, 10, check_batch,
						   &n_batches, NULL));
	assert_true(n_batches >= o->batches);
	if (tickstore_snapshot_find(f->ts, UINT64_MAX, &snap) == 0) {
		(void)snprintf(text, sizeof(text), "state of %u", (unsigned)snap.pos);
		assert_int_equal(
			0, tickstore_snapshot_read(f->ts, &snap, check_part, text));
		assert_true(snap.pos >= o->sealed);
	} else {
		assert_int_equal(0, o->sealed);
	}
	assert_int_equal(0, fixture_put(f, 0, RECORDS + 1, 5));
	fixture_end(f);
}

static void every(enum fault_op op, enum fault_kind kind, bool persistent)
{
	struct outcome o = {.fired = true};
	uint32_t nth = 0;

	while (o.fired) {
		struct fixture f;

		nth += nth < 4 ? 1 : fixture_stride();
		o = (struct outcome){0};
		fault_disk_forget();
		fixture_begin_in(&f, fixture_fast_dir());
		f.params.vfs = "fault";
		f.params.ballast_bytes = 4096;
		f.params.wal_bytes_max = 300000;
		f.params.retain_bytes = 20000;
		assert_int_equal(0, fixture_open(&f));
		for (uint64_t q = 1; q <= RECORDS; q += 50)
			assert_int_equal(
				0,
				fixture_put(&f, fixture_producer(&f, "feed"), q, 50));
		fault_vfs_arm(op, nth, kind, persistent);
		use_tables(&f, &o, kind);
		o.fired = fault_vfs_fired();
		fault_vfs_disarm();
		(void)tickstore_close(f.ts);
		f.ts = NULL;
		heal(&f, &o);
	}
	assert_true(nth > 3);
	print_message("# op %d kind %d persistent %d: %u points, %u apart\n", op, kind,
		      persistent, nth - 1, fixture_stride());
}

static void no_operation_of_the_other_tables_hides_a_fault(void **state)
{
	(void)state;
	for (int persistent = 0; persistent < 2; persistent++) {
		every(FAULT_WRITE, FAULT_EIO, persistent);
		every(FAULT_WRITE, FAULT_ENOSPC, persistent);
		every(FAULT_SYNC, FAULT_EIO, persistent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_operation_of_the_other_tables_hides_a_fault),
	};

	fault_vfs_register();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
