/* zst_test - frames in a row, in pieces, cut off, damaged, and too big. */
#include "base/buf.h"
#include "feeds/feed_test.h"
#include "feeds/zst.h"
#include <errno.h>
#include <zstd.h>

static void pack(struct buf *b, const char *text, size_t len)
{
	size_t room = ZSTD_compressBound(len);
	uint8_t *at = buf_reserve(b, room);
	size_t n = ZSTD_compress(at, room, text, len, 3);

	assert_false(ZSTD_isError(n));
	b->len += n;
}

static int unpack(const struct buf *b, size_t piece, uint64_t max, struct buf *out)
{
	struct zst *z;
	int rc = 0;

	out->len = 0;
	assert_int_equal(zst_new(max, &z), 0);
	for (size_t at = 0; at < b->len && rc == 0; at += piece) {
		size_t len = b->len - at < piece ? b->len - at : piece, got = 0;
		const void *in = b->data + at, *data;

		do {
			rc = zst_step(z, &in, &len, &data, &got);
			if (rc == 0)
				buf_add(out, data, got);
		} while (rc == 0 && (got > 0 || len > 0));
	}
	if (rc == 0)
		rc = zst_end(z);
	zst_free(z);
	return rc;
}

static char big[300000];

static void frames_in_any_pieces_give_the_same(void **state)
{
	static const size_t pieces[] = {1, 2, 7, 100, 1 << 20};
	struct buf b = {0}, out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * i >> 7);
	pack(&b, "hello ", 6);
	pack(&b, "", 0);
	pack(&b, big, sizeof(big));
	assert_true(zst_is(b.data, b.len));
	assert_false(zst_is("(\xb5/", 3));
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(unpack(&b, pieces[i], 1 << 20, &out), 0);
		assert_int_equal(out.len, 6 + sizeof(big));
		assert_memory_equal(out.data, "hello ", 6);
		assert_memory_equal(out.data + 6, big, sizeof(big));
	}
	buf_free(&b);
	buf_free(&out);
}

static void a_stream_that_is_cut_off_says_so(void **state)
{
	struct buf b = {0}, out = {0};
	size_t whole;

	(void)state;
	pack(&b, "hello world", 11);
	whole = b.len;
	pack(&b, "second", 6);
	for (size_t end = b.len - 1; end > 0; end--) {
		int rc;

		b.len = end;
		rc = unpack(&b, 3, 1 << 20, &out);
		assert_int_equal(rc, end == whole ? 0 : -EBADMSG);
		if (rc < 0)
			assert_non_null(strstr(err_text(), "cut off: it ends inside"));
	}
	buf_free(&b);
	buf_free(&out);
}

static void damage_and_bombs_are_refused(void **state)
{
	struct buf b = {0}, out = {0};

	(void)state;
	memset(big, 0, sizeof(big));
	pack(&b, big, sizeof(big));
	assert_int_equal(unpack(&b, 1 << 20, sizeof(big), &out), 0);
	assert_int_equal(unpack(&b, 1 << 20, sizeof(big) - 1, &out), -E2BIG);
	assert_string_equal(err_text(),
			    "the zstd data unpacks to more than 299999 bytes");
	b.data[0] ^= 1;
	assert_int_equal(unpack(&b, 1 << 20, sizeof(big), &out), -EBADMSG);
	assert_non_null(strstr(err_text(), "the zstd data is damaged near byte 0: "));
	buf_free(&b);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_in_any_pieces_give_the_same),
		cmocka_unit_test(a_stream_that_is_cut_off_says_so),
		cmocka_unit_test(damage_and_bombs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
