/* segment_test - what is packed comes back, what is bent does not. */
#include "store/fixture_test.h"
#include "store/segment.h"
#include <errno.h>

struct sample {
	struct record recs[20];
	struct segment_run runs[3];
	struct segment_raw raw;
};

static void make(struct sample *s, uint32_t n, uint32_t n_runs)
{
	static const struct segment_run runs[3] = {
		{.first_seq = 100, .producer = 0, .first_index = 0, .n = 5},
		{.first_seq = 7, .producer = 1, .first_index = 5, .n = 2},
		{.first_seq = 105, .producer = 0, .first_index = 9, .n = 1},
	};

	memset(s, 0, sizeof(*s));
	for (uint32_t i = 0; i < n; i++)
		s->recs[i] = fixture_record(1, 50 + i);
	memcpy(s->runs, runs, sizeof(runs));
	s->raw.head = (struct segment_head){.store_id = 42,
					    .first_pos = 1000,
					    .last_pos = 1000 + n - 1,
					    .epoch = 3};
	segment_seal(&s->raw.head, s->recs, n, s->runs, n_runs, INT64_MIN);
	s->raw.head_crc = segment_head_crc(&s->raw.head);
	s->raw.records = s->recs;
	s->raw.records_len = n * sizeof(s->recs[0]);
	s->raw.runs = s->runs;
	s->raw.runs_len = n_runs * sizeof(s->runs[0]);
}

static int unpack(const struct sample *s)
{
	struct record recs[20];
	struct segment_run runs[20];
	uint32_t n_runs = 0;

	return segment_unpack(&s->raw, recs, runs, &n_runs);
}

static void what_is_packed_comes_back(void **state)
{
	struct sample s;
	struct record recs[20];
	struct segment_run runs[20];
	uint32_t n_runs = 0;

	(void)state;
	make(&s, 10, 3);
	assert_int_equal(0, segment_unpack(&s.raw, recs, runs, &n_runs));
	assert_int_equal(3, n_runs);
	assert_memory_equal(s.recs, recs, 10 * sizeof(recs[0]));
	assert_memory_equal(s.runs, runs, 3 * sizeof(runs[0]));
	assert_int_equal(fixture_record(1, 50).event_ns, s.raw.head.min_event_ns);
	assert_int_equal(fixture_record(1, 59).event_ns, s.raw.head.max_event_ns);
	assert_int_equal(0, segment_unpack(&s.raw, recs, NULL, &n_runs));
}

static void the_high_mark_never_falls(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 10, 0);
	assert_int_equal(s.raw.head.max_event_ns, s.raw.head.high_event_ns);
	segment_seal(&s.raw.head, s.recs, 10, s.runs, 0, INT64_MAX - 1);
	assert_int_equal(INT64_MAX - 1, s.raw.head.high_event_ns);
}

static void every_single_flipped_bit_is_found(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 10, 3);
	for (size_t bit = 0; bit < s.raw.records_len * 8; bit++) {
		((uint8_t *)s.recs)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(-EBADMSG, unpack(&s));
		((uint8_t *)s.recs)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < s.raw.runs_len * 8; bit++) {
		((uint8_t *)s.runs)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(-EBADMSG, unpack(&s));
		((uint8_t *)s.runs)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof(s.raw.head) * 8; bit++) {
		((uint8_t *)&s.raw.head)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(-EBADMSG, unpack(&s));
		((uint8_t *)&s.raw.head)[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(0, unpack(&s));
}

static void wrong_lengths_are_refused(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 10, 3);
	s.raw.records_len -= 96;
	assert_int_equal(-EBADMSG, unpack(&s));
	s.raw.records_len += 95;
	assert_int_equal(-EBADMSG, unpack(&s));
	make(&s, 10, 3);
	s.raw.runs_len -= 1;
	assert_int_equal(-EBADMSG, unpack(&s));
}

/* Good checksums over bad numbers: a build that wrote nonsense. */
static void contradictions_are_refused_whatever_the_checksum(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 10, 3);
	s.raw.head.last_pos = s.raw.head.first_pos - 1;
	s.raw.head_crc = segment_head_crc(&s.raw.head);
	assert_int_equal(-EBADMSG, unpack(&s));

	make(&s, 10, 3);
	s.raw.head.last_pos = s.raw.head.first_pos + SEGMENT_RECORDS_MAX;
	s.raw.head_crc = segment_head_crc(&s.raw.head);
	assert_int_equal(-EBADMSG, unpack(&s));

	make(&s, 10, 3);
	s.raw.head.version = 99;
	s.raw.head_crc = segment_head_crc(&s.raw.head);
	assert_int_equal(-EBADMSG, unpack(&s));
	assert_non_null(strstr(err_text(), "version 99"));

	make(&s, 10, 3);
	s.runs[1].first_index = 4; /* overlaps the first run */
	segment_seal(&s.raw.head, s.recs, 10, s.runs, 3, INT64_MIN);
	s.raw.head_crc = segment_head_crc(&s.raw.head);
	assert_int_equal(-EBADMSG, unpack(&s));

	make(&s, 10, 3);
	s.runs[2].n = UINT32_MAX; /* beyond the segment */
	segment_seal(&s.raw.head, s.recs, 10, s.runs, 3, INT64_MIN);
	s.raw.head_crc = segment_head_crc(&s.raw.head);
	assert_int_equal(-EBADMSG, unpack(&s));
}

static void a_segment_of_another_store_is_refused(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 10, 3);
	s.raw.head.store_id = 43;
	assert_int_equal(-EBADMSG, unpack(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(the_high_mark_never_falls),
		cmocka_unit_test(every_single_flipped_bit_is_found),
		cmocka_unit_test(wrong_lengths_are_refused),
		cmocka_unit_test(contradictions_are_refused_whatever_the_checksum),
		cmocka_unit_test(a_segment_of_another_store_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
