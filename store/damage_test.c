/*
 * damage_test - somebody bends the files while nobody is looking.
 *
 * Bits flipped, blocks zeroed, files cut, exchanged, removed or put back from
 * yesterday: the answer is the same data, a refusal, or a loss with its exact
 * range - never a wrong record, never silence, never a crash.
 */
#include "store/fixture_test.h"
#include <errno.h>

#define RECORDS  2000
#define FILE_MAX (8 << 20)

struct image {
	uint8_t *data;
	size_t len;
	bool exists;
};

/* The three files as they were at one moment. */
enum { DB, WAL, MARK, FILES };
static const char *const file_names[FILES] = {"tickbus.db", "tickbus.db-wal",
					      "highwater"};

struct moment {
	struct image file[FILES];
};

static struct moment full;     /* all of it, half in the database, half in the WAL */
static struct moment earlier;  /* the same store some hundred records before */
static struct moment stranger; /* another store */

static struct image load(const struct fixture *f, const char *name)
{
	struct image i = {.data = malloc(FILE_MAX)};
	FILE *in = fopen(fixture_path(f, name), "rb");

	if (!in)
		return i;
	i.exists = true;
	i.len = fread(i.data, 1, FILE_MAX, in);
	assert_true(i.len < FILE_MAX);
	fclose(in);
	return i;
}

static void save(const struct fixture *f, const char *name, const struct image *i)
{
	FILE *out;

	if (!i->exists) {
		(void)unlink(fixture_path(f, name));
		return;
	}
	out = fopen(fixture_path(f, name), "wb");
	assert_non_null(out);
	assert_int_equal(i->len, fwrite(i->data, 1, i->len, out));
	assert_int_equal(0, fclose(out));
}

static struct moment take(const struct fixture *f)
{
	struct moment m;

	for (int i = 0; i < FILES; i++)
		m.file[i] = load(f, file_names[i]);
	return m;
}

static void put(const struct fixture *f, const struct moment *m)
{
	for (int i = 0; i < FILES; i++)
		save(f, file_names[i], &m->file[i]);
}

static void drop(struct moment *m)
{
	for (int i = 0; i < FILES; i++)
		free(m->file[i].data);
}

static void write_some(struct fixture *f, uint64_t to)
{
	uint32_t p = fixture_producer(f, "feed");
	uint32_t id = 0;
	int is_new = 0;
	char name[8];

	while (tickstore_seq_last(f->ts, p) < to) {
		uint64_t last = tickstore_seq_last(f->ts, p);

		(void)snprintf(name, sizeof(name), "S%u", (unsigned)(last / 100));
		(void)fixture_add(&f->symbols, name, strlen(name), &id, &is_new);
		assert_int_equal(0, fixture_put(f, p, last + 1, 50));
		assert_int_equal(0,
				 tickstore_derived_append(f->ts, 1, last + 1, last + 50,
							  50, "batch", 5));
	}
}

static void begin(struct fixture *f)
{
	fixture_begin_in(f, fixture_fast_dir());
	f->params.ballast_bytes = 4096;
	f->params.cache_bytes_max = 96; /* as little as it takes: read from disk */
	f->params.wal_bytes_max = 64 << 20;
}

static int setup(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	if (fixture_open(&f) != 0)
		return -1;
	write_some(&f, RECORDS / 2);
	assert_int_equal(0, fixture_snapshot(f.ts, 500, 1, "snapshot", 8));
	assert_int_equal(0, tickstore_close(f.ts));
	assert_int_equal(0, fixture_open(&f));
	earlier = take(&f);
	write_some(&f, RECORDS);
	full = take(&f);
	fixture_end(&f);

	begin(&f);
	f.now_ns += 12345;
	assert_int_equal(0, fixture_open(&f));
	write_some(&f, RECORDS);
	stranger = take(&f);
	fixture_end(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	drop(&full);
	drop(&earlier);
	drop(&stranger);
	return 0;
}

enum verdict { SAME, REFUSED, REPORTED, REFUSED_LATER, VERDICTS };

/* Every record that can be read is right; -EBADMSG is an answer too. */
static bool read_all(struct fixture *f, const struct store_status *s)
{
	struct record r;
	bool damaged = false;
	uint64_t at = 0;
	uint32_t n = 0;

	for (uint64_t pos = 1; pos <= s->last_pos; pos++) {
		int rc = tickstore_read(f->ts, pos, 1, &r, &at, &n);
		struct record want = fixture_record(0, pos);

		if (rc < 0) {
			assert_int_equal(-EBADMSG, rc);
			damaged = true;
			continue;
		}
		assert_int_equal(0, rc);
		assert_int_equal(pos, at);
		assert_memory_equal(&want, &r, sizeof(want));
	}
	return damaged;
}

static int check_batch(void *arg, const struct store_batch *b)
{
	(void)arg;
	assert_int_equal(b->last_pos, b->id * 50);
	assert_int_equal(5, b->len);
	assert_memory_equal("batch", b->data, 5);
	return 0;
}

static void check_tables(struct fixture *f, const struct store_status *s)
{
	struct store_snapshot snap = {.pos = UINT64_MAX};
	struct fixture_text text = {0};
	uint64_t next = 0;
	char name[16];
	int rc;

	assert_int_equal(s->last_pos,
			 tickstore_seq_last(f->ts, fixture_producer(f, "feed")));
	assert_int_equal(1, s->producers);
	assert_int_equal((s->last_pos + 99) / 100, f->symbols.end);
	for (uint32_t i = 0; i < f->symbols.end; i++) {
		(void)snprintf(name, sizeof(name), "S%u", i);
		assert_string_equal(name, f->symbols.name[i]);
	}
	rc = tickstore_derived_read(f->ts, 1, 1, 1000, check_batch, NULL, &next);
	assert_true(rc == 0 || rc == -EBADMSG);
	rc = tickstore_snapshot_find(f->ts, UINT64_MAX, &snap);
	if (rc == 0)
		rc = tickstore_snapshot_read(f->ts, &snap, fixture_text_add, &text);
	assert_true(rc == 0 || rc == STORE_NONE || rc == -EBADMSG);
	if (rc == 0)
		assert_memory_equal("snapshot", text.text, 8);
}

/* Open whatever lies there, and judge. */
static enum verdict judge(struct fixture *f)
{
	struct store_status s;
	bool damaged;
	int rc = fixture_open(f);

	if (rc < 0) {
		assert_true(rc == -EBADMSG || rc == -EIO);
		assert_true(err_text()[0] != 0);
		return REFUSED;
	}
	tickstore_status(f->ts, &s);
	damaged = read_all(f, &s);
	check_tables(f, &s);
	if (s.last_pos < RECORDS) {
		assert_true(s.alarm[0] != 0 || s.warning[0] != 0);
		if (s.alarm[0]) {
			assert_int_equal(s.last_pos + 1, s.lost_first);
			assert_int_equal(RECORDS, s.lost_last);
			assert_int_equal(2, s.epoch);
			/* Positions are never used twice. */
			assert_int_equal(0, fixture_put(f, 0, 5000, 1));
			tickstore_status(f->ts, &s);
			assert_int_equal(RECORDS + 1, s.last_pos);
		}
		return REPORTED;
	}
	return damaged ? REFUSED_LATER : SAME;
}

static enum verdict judge_moment(const struct moment *m)
{
	struct fixture f;
	enum verdict v;

	begin(&f);
	put(&f, m);
	v = judge(&f);
	fixture_end(&f);
	return v;
}

static void bend(struct image *i, uint64_t *rng)
{
	/* Half of the blows go where the trees' roots and heads are. */
	size_t span = fixture_random(rng, 2) ? i->len : i->len / 8 + 1;
	size_t at = fixture_random(rng, span);
	size_t len = i->len - at;

	switch (fixture_random(rng, 4)) {
	case 0:
		i->len = at;
		break;
	case 1:
		memset(i->data + at, 0, len < 512 ? len : 512);
		break;
	default:
		i->data[at] ^= (uint8_t)(1u << fixture_random(rng, 8));
	}
}

static void bent_anywhere(int file)
{
	uint64_t seed = UINT64_C(20240105) + (uint64_t)file;
	int count[VERDICTS] = {0};
	int rounds = fixture_rounds(1000);
	uint8_t *kept = full.file[file].data;
	size_t len = full.file[file].len;
	uint8_t *copy = malloc(FILE_MAX);

	for (int i = 0; i < rounds; i++) {
		struct moment m = full;
		uint64_t rng = seed + (uint64_t)i * 1000;

		memcpy(copy, kept, len);
		m.file[file].data = copy;
		bend(&m.file[file], &rng);
		count[judge_moment(&m)]++;
	}
	free(copy);
	print_message("# %s, %d blows: %d same, %d refused, %d loss reported, "
		      "%d refused when read\n",
		      file_names[file], rounds, count[SAME], count[REFUSED],
		      count[REPORTED], count[REFUSED_LATER]);
	/*
	 * If little was noticed, little was tested.  Pages have slack, where a
	 * blow changes nothing; the high-water file's other slot makes up for one.
	 */
	assert_true(file == MARK || count[SAME] < rounds * 3 / 4);
}

static void a_database_bent_anywhere_gives_no_wrong_record(void **state)
{
	(void)state;
	bent_anywhere(DB);
}

static void a_wal_bent_anywhere_gives_no_wrong_record(void **state)
{
	(void)state;
	bent_anywhere(WAL);
}

static void a_high_water_file_bent_anywhere_gives_no_wrong_record(void **state)
{
	(void)state;
	bent_anywhere(MARK);
}

static void untouched_files_give_everything(void **state)
{
	(void)state;
	assert_int_equal(SAME, judge_moment(&full));
}

static void a_wal_that_vanished_is_a_reported_loss(void **state)
{
	struct moment m = full;

	(void)state;
	m.file[WAL].exists = false;
	assert_int_equal(REPORTED, judge_moment(&m));
}

static void one_bit_in_the_wal_is_a_reported_loss_to_the_record(void **state)
{
	struct moment m = full;
	struct store_status s;
	struct fixture f;
	uint8_t kept;

	(void)state;
	begin(&f);
	kept = m.file[WAL].data[m.file[WAL].len / 2];
	m.file[WAL].data[m.file[WAL].len / 2] ^= 4;
	put(&f, &m);
	m.file[WAL].data[m.file[WAL].len / 2] = kept;
	assert_int_equal(0, fixture_open(&f));
	tickstore_status(f.ts, &s);
	assert_true(s.lost_first > RECORDS / 2);
	assert_true(s.lost_first < RECORDS);
	assert_int_equal(RECORDS, s.lost_last);
	assert_int_equal(2, s.epoch);
	assert_non_null(strstr(s.alarm, "were acknowledged and are gone"));

	/* It is said once; the hole stays known, and reading steps over it. */
	assert_int_equal(0, fixture_put(&f, 0, s.lost_first, 10));
	assert_int_equal(0, fixture_reopen(&f));
	uint64_t hole = s.lost_first;
	struct record r;
	uint64_t at = 0;
	uint32_t n = 0;

	tickstore_status(f.ts, &s);
	assert_string_equal("", s.alarm);
	assert_int_equal(2, s.epoch);
	assert_int_equal(0, tickstore_read(f.ts, hole, 1, &r, &at, &n));
	assert_int_equal(RECORDS + 1, at);
	assert_int_equal(hole, r.source_seq);
	fixture_end(&f);
}

static void a_database_put_back_from_yesterday_is_noticed(void **state)
{
	struct moment m = full;

	(void)state;
	m.file[DB] = earlier.file[DB];
	m.file[WAL] = earlier.file[WAL];
	assert_int_equal(REPORTED, judge_moment(&m));
}

static void a_database_that_vanished_is_a_loss_of_all(void **state)
{
	struct moment m = full;

	(void)state;
	m.file[DB].exists = false;
	m.file[WAL].exists = false;
	struct fixture f;
	struct store_status s;

	begin(&f);
	put(&f, &m);
	assert_int_equal(0, fixture_open(&f));
	tickstore_status(f.ts, &s);
	assert_int_equal(1, s.lost_first);
	assert_int_equal(RECORDS, s.lost_last);
	assert_true(s.created);
	struct record r;
	uint64_t at = 0;
	uint32_t n = 0;

	assert_int_equal(STORE_END, tickstore_read(f.ts, 7, 1, &r, &at, &n));
	/* A hole like any other: whoever reads from 1 goes on behind it. */
	uint32_t p = fixture_producer(&f, "again");

	assert_int_equal(0, fixture_put(&f, p, 1, 3));
	assert_int_equal(0, tickstore_read(f.ts, 1, 1, &r, &at, &n));
	assert_int_equal(RECORDS + 1, at);
	fixture_end(&f);
}

static void files_of_another_store_are_refused_untouched(void **state)
{
	(void)state;
	for (int file = 0; file < FILES; file++) {
		struct moment m = full;
		struct fixture f;
		struct image after;

		m.file[file] = stranger.file[file];
		begin(&f);
		put(&f, &m);
		if (file == WAL) {
			/* SQLite takes it for its own: our identities do not. */
			int rc = fixture_open(&f);

			assert_true(rc == -EBADMSG || rc == 0);
			if (rc == 0) {
				struct store_status s;

				tickstore_status(f.ts, &s);
				assert_true(s.alarm[0] != 0);
				read_all(&f, &s);
			}
			fixture_end(&f);
			continue;
		}
		assert_int_equal(-EBADMSG, fixture_open(&f));
		after = load(&f, "tickbus.db");
		assert_int_equal(m.file[DB].len, after.len);
		assert_memory_equal(m.file[DB].data, after.data, after.len);
		free(after.data);
		fixture_end(&f);
	}
}

static void a_missing_or_garbled_high_water_file_is_a_warning(void **state)
{
	static uint8_t garbage[8192] = "not a high-water file";

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct moment m = full;
		struct store_status s;
		struct fixture f;

		m.file[MARK] = (struct image){.data = garbage,
					      .len = i == 1 ? 0 : sizeof(garbage),
					      .exists = i > 0};
		begin(&f);
		put(&f, &m);
		assert_int_equal(0, fixture_open(&f));
		tickstore_status(f.ts, &s);
		assert_non_null(strstr(s.warning, "high-water"));
		assert_string_equal("", s.alarm);
		assert_int_equal(RECORDS, s.last_pos);
		assert_int_equal(0, fixture_reopen(&f));
		tickstore_status(f.ts, &s);
		assert_string_equal("", s.warning);
		fixture_end(&f);
	}
}

static void an_older_high_water_file_is_fine(void **state)
{
	struct moment m = full;

	(void)state;
	m.file[MARK] = earlier.file[MARK];
	assert_int_equal(SAME, judge_moment(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_files_give_everything),
		cmocka_unit_test(a_wal_that_vanished_is_a_reported_loss),
		cmocka_unit_test(one_bit_in_the_wal_is_a_reported_loss_to_the_record),
		cmocka_unit_test(a_database_put_back_from_yesterday_is_noticed),
		cmocka_unit_test(a_database_that_vanished_is_a_loss_of_all),
		cmocka_unit_test(files_of_another_store_are_refused_untouched),
		cmocka_unit_test(a_missing_or_garbled_high_water_file_is_a_warning),
		cmocka_unit_test(an_older_high_water_file_is_fine),
		cmocka_unit_test(a_database_bent_anywhere_gives_no_wrong_record),
		cmocka_unit_test(a_wal_bent_anywhere_gives_no_wrong_record),
		cmocka_unit_test(a_high_water_file_bent_anywhere_gives_no_wrong_record),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
