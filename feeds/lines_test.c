/* lines_test - ends of lines, long lines, quotes, gzip whole and damaged. */
#include "feeds/feed_test.h"
#include "feeds/lines.h"
#include <errno.h>
#include <zlib.h>

/* Everything @text gives, as "[number|text]" and "!number" for outcomes. */
static void expect(const char *text, size_t len, size_t max, bool is_quoted,
		   const char *want)
{
	struct lines *l = NULL;
	struct line line;
	char got[4096] = "";
	size_t at = 0;
	int rc;

	assert_int_equal(lines_open_fd(text_fd(text, len), max, &l), 0);
	while ((rc = lines_next(l, is_quoted, ',', &line)) >= 0 && rc != LINES_END) {
		static const char *const marks[] = {"", "", "long ", "open "};

		at += (size_t)snprintf(got + at, sizeof(got) - at, "[%s%llu|%.*s]",
				       marks[rc], (unsigned long long)line.number,
				       rc == LINES_LONG ? 0 : (int)line.len, line.text);
	}
	assert_int_equal(rc, LINES_END);
	assert_string_equal(got, want);
	lines_close(l);
}

static void lines_end_with_lf_or_crlf_or_not_at_all(void **state)
{
	(void)state;
	expect("", 0, 0, false, "");
	expect("a", 1, 0, false, "[1|a]");
	expect("a\n", 2, 0, false, "[1|a]");
	expect("a\r\nb", 4, 0, false, "[1|a][2|b]");
	expect("a\n\nb\r", 5, 0, false, "[1|a][2|][3|b]");
	expect("\n\n", 2, 0, true, "[1|][2|]");
}

static void a_line_that_is_too_long_is_reported_and_skipped(void **state)
{
	char text[700000];

	(void)state;
	expect("12345\n123456\n1\n", 15, 5, false, "[1|12345][long 2|][3|1]");
	expect("12345\n1234567", 13, 5, true, "[1|12345][long 2|]");
	/* Longer than several reads. */
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 3, "\nz\n", 3);
	expect(text, sizeof(text), 10, false, "[long 1|][2|z]");
	expect(text, sizeof(text) - 3, 10, true, "[long 1|]");
}

static void a_line_end_inside_quotes_belongs_to_the_record(void **state)
{
	const char *text = "a,\"b\nc\"\nd\n";

	(void)state;
	expect(text, strlen(text), 0, true, "[1|a,\"b\nc\"][3|d]");
	expect(text, strlen(text), 0, false, "[1|a,\"b][2|c\"][3|d]");
	text = "\"x\"\"\ny\"\"\",1\r\nq\n";
	expect(text, strlen(text), 0, true, "[1|\"x\"\"\ny\"\"\",1][3|q]");
	/* A quote inside a bare field is nothing special. */
	text = "5\" pipe\nb\n";
	expect(text, strlen(text), 0, true, "[1|5\" pipe][2|b]");
}

static void a_quote_that_never_closes_swallows_one_line_only(void **state)
{
	const char *text = "a\n\"b\nc\nd\n";

	(void)state;
	expect(text, strlen(text), 0, true, "[1|a][open 2|\"b][3|c][4|d]");
	expect(text, strlen(text), 4, true, "[1|a][open 2|\"b][3|c][4|d]");
	expect("\"b", 2, 0, true, "[open 1|\"b]");
}

static size_t gzip(const char *text, size_t len, unsigned char *out, size_t cap)
{
	z_stream z = {0};

	assert_int_equal(
		deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)text;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	len = z.total_out;
	(void)deflateEnd(&z);
	return len;
}

static void gzip_is_read_like_plain_text_in_several_members_too(void **state)
{
	unsigned char packed[2048];
	size_t n = gzip("a\nb", 3, packed, sizeof(packed));

	(void)state;
	n += gzip("c\r\nd\n", 5, packed + n, sizeof(packed) - n);
	expect((char *)packed, n, 0, false, "[1|a][2|bc][3|d]");
}

static void a_large_gzip_comes_out_whole(void **state)
{
	size_t n_lines = 200000, len = 0, seen = 0;
	char *text = malloc(n_lines * 16);
	unsigned char *packed = malloc(n_lines * 16);
	uint64_t done, total;
	struct lines *l = NULL;
	struct line line;
	int rc;

	(void)state;
	for (size_t i = 0; i < n_lines; i++)
		len += (size_t)snprintf(text + len, n_lines * 16 - len, "line %zu\n",
					i * 7919);
	len = gzip(text, len, packed, n_lines * 16);
	assert_int_equal(lines_open_fd(text_fd(packed, len), 0, &l), 0);
	while ((rc = lines_next(l, false, ',', &line)) == 0) {
		char want[32];

		(void)snprintf(want, sizeof(want), "line %zu", seen * 7919);
		assert_int_equal(line.len, strlen(want));
		assert_memory_equal(line.text, want, line.len);
		assert_int_equal(line.number, ++seen);
	}
	assert_int_equal(rc, LINES_END);
	assert_int_equal(seen, n_lines);
	lines_progress(l, &done, &total);
	assert_int_equal(done, len);
	assert_int_equal(total, len);
	lines_close(l);
	free(text);
	free(packed);
}

static void a_damaged_or_cut_gzip_is_an_error_never_an_end(void **state)
{
	unsigned char packed[2048];
	char text[1000];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 50 ? 'a' + rand() % 26 : '\n');
	n = gzip(text, sizeof(text), packed, sizeof(packed));
	for (size_t cut = 2; cut < n; cut++) {
		struct lines *l = NULL;
		struct line line;
		int rc;

		assert_int_equal(lines_open_fd(text_fd(packed, cut), 0, &l), 0);
		while ((rc = lines_next(l, false, ',', &line)) == 0)
			continue;
		assert_int_equal(rc, -EBADMSG);
		lines_close(l);
	}
	for (size_t i = n - 8; i < n; i++) { /* checksum and length */
		struct lines *l = NULL;
		struct line line;
		int rc;

		packed[i] ^= 1;
		assert_int_equal(lines_open_fd(text_fd(packed, n), 0, &l), 0);
		while ((rc = lines_next(l, false, ',', &line)) == 0)
			continue;
		assert_int_equal(rc, -EBADMSG);
		lines_close(l);
		packed[i] ^= 1;
	}
}

static void a_pipe_that_delivers_byte_by_byte_is_read(void **state)
{
	int p[2];
	struct lines *l = NULL;
	struct line line;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "ab\ncd", 5), 5);
	(void)close(p[1]);
	assert_int_equal(lines_open_fd(p[0], 0, &l), 0);
	assert_int_equal(lines_next(l, false, ',', &line), 0);
	assert_int_equal(lines_next(l, false, ',', &line), 0);
	assert_memory_equal(line.text, "cd", 2);
	assert_int_equal(lines_next(l, false, ',', &line), LINES_END);
	assert_int_equal(lines_next(l, false, ',', &line), LINES_END);
	lines_close(l);
}

static void a_look_leaves_the_bytes_there(void **state)
{
	const char *text;
	struct lines *l;
	struct line line;
	size_t n;

	(void)state;
	assert_int_equal(lines_open_fd(text_fd("ab\ncd", 5), 0, &l), 0);
	assert_int_equal(lines_bytes(l, 100, &text, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(lines_next(l, false, ',', &line), 0);
	assert_int_equal(line.len, 2);
	assert_int_equal(lines_bytes(l, 0, &text, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(text, "cd", 2);
	assert_int_equal(lines_bytes(l, 0, &text, &n), 0);
	assert_int_equal(n, 0);
	lines_close(l);
}

static void a_file_that_is_not_there_is_said_by_name(void **state)
{
	struct lines *l = NULL;

	(void)state;
	assert_int_equal(lines_open("/nonexistent/x.csv", 0, &l), -ENOENT);
	assert_string_equal(
		err_text(),
		"cannot open /nonexistent/x.csv: No such file or directory");
	/* A directory opens but cannot be read. */
	assert_int_equal(lines_open("/tmp", 0, &l), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_lf_or_crlf_or_not_at_all),
		cmocka_unit_test(a_line_that_is_too_long_is_reported_and_skipped),
		cmocka_unit_test(a_line_end_inside_quotes_belongs_to_the_record),
		cmocka_unit_test(a_quote_that_never_closes_swallows_one_line_only),
		cmocka_unit_test(gzip_is_read_like_plain_text_in_several_members_too),
		cmocka_unit_test(a_large_gzip_comes_out_whole),
		cmocka_unit_test(a_damaged_or_cut_gzip_is_an_error_never_an_end),
		cmocka_unit_test(a_pipe_that_delivers_byte_by_byte_is_read),
		cmocka_unit_test(a_look_leaves_the_bytes_there),
		cmocka_unit_test(a_file_that_is_not_there_is_said_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
