/*
 * damage_snapshot_test - a state snapshot that was bent is passed over: for the one
 * before it, then for none; it is never given out, and the log beside it stays.
 */
#include "store/fixture_test.h"

#define PARTS    5
#define PART     24000 /* bytes: pages of its own */
#define BYTES    (PARTS * PART)
#define FILE_MAX (4 << 20)

static uint8_t older[BYTES], newer[BYTES];
static uint8_t file[FILE_MAX], bent[FILE_MAX];
static size_t file_len;

static void fill(uint8_t *data, uint64_t seed)
{
	for (size_t i = 0; i < BYTES; i++)
		data[i] = (uint8_t)fixture_random(&seed, 256);
}

static void save(const struct fixture *f, const uint8_t *data)
{
	FILE *out = fopen(fixture_path(f, "tickbus.db"), "wb");

	assert_non_null(out);
	assert_int_equal(file_len, fwrite(data, 1, file_len, out));
	assert_int_equal(0, fclose(out));
}

static void put(struct fixture *f, uint64_t pos, const uint8_t *data)
{
	for (uint32_t i = 0; i < PARTS; i++)
		assert_int_equal(0, tickstore_snapshot_part(f->ts, pos, i,
							    data + i * PART, PART));
	assert_int_equal(0, tickstore_snapshot_seal(f->ts, pos, 1, PARTS));
}

/* A closed store with 200 records and two snapshots, as one file. */
static int setup(void **state)
{
	struct fixture f;
	FILE *in;

	(void)state;
	fill(older, 1);
	fill(newer, 2);
	fixture_begin_in(&f, fixture_fast_dir());
	if (fixture_open(&f) != 0)
		return -1;
	for (uint64_t q = 1; q <= 200; q += 50)
		assert_int_equal(0,
				 fixture_put(&f, fixture_producer(&f, "feed"), q, 50));
	put(&f, 100, older);
	put(&f, 150, newer);
	assert_int_equal(0, tickstore_close(f.ts));
	f.ts = NULL;
	in = fopen(fixture_path(&f, "tickbus.db"), "rb");
	assert_non_null(in);
	file_len = fread(file, 1, FILE_MAX, in);
	assert_true(file_len < FILE_MAX);
	fclose(in);
	fixture_end(&f);
	return 0;
}

struct taken {
	uint8_t data[BYTES];
	size_t len;
};

static int take(void *arg, const void *data, size_t len)
{
	struct taken *t = arg;

	assert_true(t->len + len <= BYTES);
	memcpy(t->data + t->len, data, len);
	t->len += len;
	return 0;
}

/* Which one is given out whole: 2 the newer, 1 the older, 0 none.  Never a third. */
static int judge(struct fixture *f, uint64_t *out_damaged)
{
	static struct taken t;
	struct store_snapshot s = {.pos = UINT64_MAX};
	struct store_status status;
	int rc = STORE_NONE;

	assert_int_equal(0, fixture_open(f));
	while (rc == STORE_NONE && s.pos > 0 &&
	       tickstore_snapshot_find(f->ts, s.pos - 1, &s) == 0) {
		t.len = 0;
		rc = tickstore_snapshot_read(f->ts, &s, take, &t);
	}
	tickstore_status(f->ts, &status);
	assert_int_equal(200, status.last_pos);
	*out_damaged = status.snapshots_damaged;
	if (rc == STORE_NONE)
		return 0;
	assert_int_equal(0, rc);
	assert_int_equal(BYTES, t.len);
	assert_memory_equal(s.pos == 150 ? newer : older, t.data, BYTES);
	return s.pos == 150 ? 2 : 1;
}

/* The place of a piece of a snapshot in the file: a blob lies in pages of its own. */
static size_t place_of(const uint8_t *data, uint64_t *rng)
{
	/* The rest of a part lies in pages of its own, its beginning in the tree. */
	size_t at = fixture_random(rng, PARTS) * PART + 12000 +
		    fixture_random(rng, PART - 12000 - 16);
	uint8_t *p = memmem(file, file_len, data + at, 16);

	return p ? (size_t)(p - file) : 0;
}

static void strike(size_t at, uint64_t *rng)
{
	if (fixture_random(rng, 4) == 0)
		memset(bent + at, 0, 16);
	else
		bent[at] ^= (uint8_t)(1u << fixture_random(rng, 8));
}

static void a_bent_snapshot_is_passed_over_for_the_one_before_it(void **state)
{
	int rounds = fixture_rounds(300);
	int given[3] = {0};
	uint64_t rng = 20260105;

	(void)state;
	print_message("# seed %llu\n", (unsigned long long)rng);
	for (int i = 0; i < rounds; i++) {
		size_t a = i % 3 != 1 ? place_of(newer, &rng) : 0;
		size_t b = i % 3 != 0 ? place_of(older, &rng) : 0;
		uint64_t damaged = 0;
		struct fixture f;
		int which;

		memcpy(bent, file, file_len);
		if (a)
			strike(a, &rng);
		if (b)
			strike(b, &rng);
		fixture_begin_in(&f, fixture_fast_dir());
		save(&f, bent);
		which = judge(&f, &damaged);
		fixture_end(&f);
		given[which]++;
		/* The newer is read first; what is whole is given, what is bent told.
		 */
		assert_int_equal(a == 0 ? 2 : b == 0 ? 1 : 0, which);
		assert_int_equal(2 - which, damaged);
	}
	print_message("# %d blows: the newer given %d times, the older %d, none %d\n",
		      rounds, given[2], given[1], given[0]);
	assert_true(given[0] && given[1] && given[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bent_snapshot_is_passed_over_for_the_one_before_it),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
