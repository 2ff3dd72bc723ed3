/*
 * alloc_store_test - every allocation of a life of the store fails once: opening, new
 * names, commits, derived batches, snapshots, reading, housekeeping, closing.  What was
 * acknowledged is in the log that the next owner opens, in order and once.
 */
#include "store/fixture_test.h"
#include "tests/faults/alloc_fork.h"
#include <errno.h>

static struct fixture f;
static uint64_t acked;

static int part(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	return len == 0;
}

static int batch(void *arg, const struct store_batch *b)
{
	(void)arg;
	alloc_fork_check(b->len == 5 && memcmp(b->data, "batch", 5) == 0);
	return 0;
}

/* Everything but ingest; a refusal is fine, the store must live on. */
static int use_tables(uint64_t pos)
{
	struct store_snapshot s;
	struct store_refusal r[4];
	const struct record *recs;
	const void *data;
	uint64_t at, next;
	uint32_t n;
	size_t len;
	int worst = 0;
	int rc[] = {
		tickstore_derived_append(f.ts, 1, pos, pos, 1, "batch", 5),
		tickstore_derived_read(f.ts, 1, 1, 10, batch, NULL, &next),
		tickstore_snapshot_part(f.ts, pos, 0, "part", 4),
		tickstore_snapshot_seal(f.ts, pos, 1, 1),
		tickstore_snapshot_find(f.ts, UINT64_MAX, &s),
		tickstore_meta_put(f.ts, "config.text", "text", 4),
		tickstore_meta_get(f.ts, "config.text", &data, &len),
		tickstore_quarantine_add(f.ts, f.now_ns, 1, 0, "bad", 3),
		tickstore_tick(f.ts, f.now_ns, true),
		tickstore_quarantine_list(f.ts, 0, 4, r, &n),
		tickstore_peek(f.ts, 1, &at, &recs, &n),
		tickstore_retain(f.ts, f.now_ns, 1, 4, &n),
	};

	if (rc[4] == 0)
		(void)tickstore_snapshot_read(f.ts, &s, part, NULL);
	for (size_t i = 0; i < sizeof(rc) / sizeof(rc[0]); i++) {
		alloc_fork_check(rc[i] >= 0 || rc[i] == -ENOMEM);
		worst = rc[i] < worst ? rc[i] : worst;
	}
	return worst;
}

static int work(void)
{
	uint32_t p = 0;
	uint64_t seq = 1;
	int worst = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t id;
		int is_new, rc;
		char name[8];

		f.now_ns += 2000000000;
		(void)snprintf(name, sizeof(name), "S%d", i);
		(void)fixture_add(&f.symbols, name, strlen(name), &id, &is_new);
		rc = tickstore_producer(f.ts, "feed", 4, &p);
		if (rc == 0)
			rc = fixture_put(&f, p, seq, 40);
		alloc_fork_check(rc == 0 || rc == -ENOMEM);
		if (rc == 0) {
			acked = seq + 39;
			seq += 40;
			rc = use_tables(acked);
		}
		worst = rc < worst ? rc : worst;
	}
	return worst;
}

static void check_log(void)
{
	struct store_status s;
	struct record r;
	uint64_t at;
	uint32_t n;

	alloc_fork_check(fixture_open(&f) == 0);
	tickstore_status(f.ts, &s);
	alloc_fork_check(s.epoch == 1 && s.alarm[0] == 0);
	alloc_fork_check(s.last_pos >= acked);
	for (uint64_t pos = 1; pos <= s.last_pos; pos++) {
		struct record want = fixture_record(0, pos);

		alloc_fork_check(tickstore_read(f.ts, pos, 1, &r, &at, &n) == 0);
		alloc_fork_check(at == pos && memcmp(&r, &want, sizeof(r)) == 0);
	}
}

static int life(void)
{
	int rc, closed;

	acked = 0;
	fixture_begin_in(&f, fixture_fast_dir());
	f.params.ballast_bytes = 4096;
	alloc_fork_arm();
	rc = fixture_open(&f);
	alloc_fork_check(rc == 0 || rc == -ENOMEM || rc == -EIO);
	if (rc == 0) {
		rc = work();
		closed = tickstore_close(f.ts);
		f.ts = NULL;
		alloc_fork_check(closed == 0 || closed == -ENOMEM);
		rc = closed < 0 ? closed : rc;
	}
	alloc_fork_disarm();
	check_log();
	fixture_end(&f);
	return rc;
}

static void every_allocation_of_a_store_may_fail(void **state)
{
	(void)state;
	alloc_fork_loop("store", life, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_a_store_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
