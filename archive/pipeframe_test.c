/* pipeframe_test - frames whole, in pieces, cut off and out of bounds. */
#include "archive/pipeframe.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static size_t frame(uint8_t *to, const char *doc, const void *bulk, uint32_t bulk_len)
{
	uint32_t head[2] = {(uint32_t)strlen(doc), bulk_len}; /* we are little-endian */

	memcpy(to, head, 8);
	memcpy(to + 8, doc, head[0]);
	if (bulk_len > 0)
		memcpy(to + 8 + head[0], bulk, bulk_len);
	return 8 + head[0] + bulk_len;
}

static void a_frame_comes_back_with_its_bulk_aligned(void **state)
{
	uint8_t bytes[200];
	uint64_t rows[3] = {1, 2, 3};
	struct pipeframe f;
	size_t used;
	size_t n = frame(bytes, "{\"do\": \"x\"}", rows, sizeof(rows));

	(void)state;
	assert_int_equal(pipeframe_take(bytes, n, &used, &f), 0);
	assert_int_equal(used, n);
	assert_string_equal(json_str(json_get(f.doc, "do"), ""), "x");
	assert_int_equal(f.bulk_len, sizeof(rows));
	assert_int_equal((uintptr_t)f.bulk % 16, 0);
	assert_memory_equal(f.bulk, rows, sizeof(rows));
	pipeframe_free(&f);
}

static void every_frame_that_is_cut_off_is_a_protocol_error(void **state)
{
	uint8_t bytes[100];
	struct pipeframe f;
	size_t used;
	size_t n = frame(bytes, "{}", "12345678", 8);

	(void)state;
	assert_int_equal(pipeframe_take(bytes, 0, &used, &f), PIPEFRAME_END);
	for (size_t i = 1; i < n; i++) {
		assert_int_equal(pipeframe_take(bytes, i, &used, &f), -EPROTO);
		assert_non_null(strstr(err_text(), "of a frame"));
	}
	assert_int_equal(pipeframe_take(bytes, n, &used, &f), 0);
	pipeframe_free(&f);
}

static void lengths_out_of_bounds_are_refused_before_anything_is_read(void **state)
{
	static const uint32_t heads[][2] = {{0, 0},
					    {PIPEFRAME_DOC_MAX + 1, 0},
					    {2, PIPEFRAME_BULK_MAX + 1},
					    {UINT32_MAX, UINT32_MAX}};
	struct pipeframe f;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		assert_int_equal(
			pipeframe_take((const uint8_t *)heads[i], 8, &used, &f),
			-EPROTO);
		assert_int_equal(used, 8);
	}
}

static void a_document_that_is_no_object_leaves_the_next_frame_readable(void **state)
{
	static const char *const bad[] = {"[]", "{", "1", "{\"a\":1,\"a\":2}", "\xff"};
	uint8_t bytes[100];
	struct pipeframe f;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n = frame(bytes, bad[i], "abcd", 4);

		assert_int_equal(pipeframe_take(bytes, n, &used, &f), -EINVAL);
		assert_int_equal(used, n);
		assert_null(f.doc);
	}
}

static void *dribble(void *arg)
{
	int fd = *(int *)arg;
	uint8_t bytes[100];
	size_t n = frame(bytes, "{\"do\": \"x\"}", "12345678", 8);

	for (size_t i = 0; i < n; i++)
		if (write(fd, bytes + i, 1) != 1)
			break;
	close(fd);
	return NULL;
}

static void a_frame_that_dribbles_in_is_read_and_the_end_is_seen(void **state)
{
	struct pipeframe f;
	pthread_t t;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pthread_create(&t, NULL, dribble, &p[1]), 0);
	assert_int_equal(pipeframe_read(p[0], &f), 0);
	assert_int_equal(f.bulk_len, 8);
	pipeframe_free(&f);
	assert_int_equal(pipeframe_read(p[0], &f), PIPEFRAME_END);
	pthread_join(t, NULL);
	close(p[0]);
}

static void what_is_written_is_read(void **state)
{
	struct pipeframe f;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(pipeframe_write(p[1], "{}", 2, "abc", 3), 0);
	assert_int_equal(pipeframe_read(p[0], &f), 0);
	assert_memory_equal(f.bulk, "abc", 3);
	pipeframe_free(&f);
	assert_int_equal(pipeframe_write(p[1], "", 0, NULL, 0), -EPROTO);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_back_with_its_bulk_aligned),
		cmocka_unit_test(every_frame_that_is_cut_off_is_a_protocol_error),
		cmocka_unit_test(
			lengths_out_of_bounds_are_refused_before_anything_is_read),
		cmocka_unit_test(
			a_document_that_is_no_object_leaves_the_next_frame_readable),
		cmocka_unit_test(a_frame_that_dribbles_in_is_read_and_the_end_is_seen),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
