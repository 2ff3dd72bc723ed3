/* dbn_file_test - files and pipes, plain and packed, whole, stopped and cut off. */
#include "feeds/dbn_file.h"
#include "feeds/dbn_make_test.h"
#include "feeds/feed_test.h"
#include <errno.h>
#include <pthread.h>
#include <zstd.h>

#define T_NS INT64_C(1609146312576690768)
#define E9   INT64_C(1000000000)
#define MANY 20000

static const struct make_map maps[] = {{"NVDA", 20201228, 20201229, "6155"}};

static void trades(struct buf *b, unsigned n)
{
	const struct make_head h = {
		.version = 3, .schema = 4, .maps = maps, .n_maps = 1};

	make_metadata(b, &h);
	for (unsigned i = 0; i < n; i++)
		make_trade(b, 6155, T_NS + i, (i + 1) * E9, i, i);
}

static void packed(struct buf *b)
{
	size_t room = ZSTD_compressBound(b->len);
	uint8_t *to = malloc(room);
	size_t n = ZSTD_compress(to, room, b->data, b->len, 3);

	assert_false(ZSTD_isError(n));
	b->len = 0;
	buf_add(b, to, n);
	free(to);
}

static struct {
	uint64_t n;
	int stop_every;
} seen;

static int on_tick(void *arg, const struct feed_tick *t)
{
	(void)arg;
	assert_int_equal(t->rec.price_e9, (int64_t)(seen.n + 1) * E9);
	seen.n++;
	return seen.stop_every > 0 && seen.n % (unsigned)seen.stop_every == 0 ? 99 : 0;
}

static int read_fd(int fd, int stop_every)
{
	const struct feed_sink sink = {.tick = on_tick};
	uint64_t at, total, last = 0;
	struct dbn_file *f;
	int rc;

	seen.n = 0;
	seen.stop_every = stop_every;
	assert_int_equal(dbn_file_open_fd(fd, NULL, &f), 0);
	do {
		rc = dbn_file_step(f, &sink);
		dbn_file_progress(f, &at, &total);
		assert_true(at >= last && (total == 0 || at <= total));
		last = at;
	} while (rc == 0 || rc == 99);
	if (rc == FEED_END) {
		assert_int_equal(dbn_file_counts(f)->ticks, seen.n);
		assert_true(total == 0 || at == total);
	}
	dbn_file_close(f);
	return rc;
}

static void all_ticks_come_wherever_the_sink_stops(void **state)
{
	static const int stops[] = {0, 1, 7, 1000};

	(void)state;
	for (int is_packed = 0; is_packed < 2; is_packed++) {
		struct buf b = {0};

		trades(&b, MANY);
		if (is_packed)
			packed(&b);
		for (int i = 0; i < 4; i++) {
			assert_int_equal(read_fd(text_fd(b.data, b.len), stops[i]),
					 FEED_END);
			assert_int_equal(seen.n, MANY);
		}
		buf_free(&b);
	}
}

static struct {
	struct buf b;
	int fd;
} drip;

static void *write_drops(void *arg)
{
	for (size_t i = 0; i < drip.b.len; i++)
		if (write(drip.fd, drip.b.data + i, 1) != 1)
			break;
	close(drip.fd);
	return arg;
}

static void a_pipe_may_bring_byte_by_byte(void **state)
{
	(void)state;
	for (int is_packed = 0; is_packed < 2; is_packed++) {
		pthread_t thread;
		int fds[2];

		drip.b.len = 0;
		trades(&drip.b, 20);
		if (is_packed)
			packed(&drip.b);
		assert_int_equal(pipe(fds), 0);
		drip.fd = fds[1];
		assert_int_equal(pthread_create(&thread, NULL, write_drops, NULL), 0);
		assert_int_equal(read_fd(fds[0], 0), FEED_END);
		assert_int_equal(seen.n, 20);
		pthread_join(thread, NULL);
	}
	buf_free(&drip.b);
}

static void what_is_cut_off_or_no_ticks_says_so(void **state)
{
	const struct make_head bars = {.version = 2, .schema = 6};
	struct buf b = {0};

	(void)state;
	trades(&b, 100);
	assert_int_equal(read_fd(text_fd(b.data, b.len - 1), 0), -EBADMSG);
	assert_int_equal(seen.n, 99);
	packed(&b);
	assert_int_equal(read_fd(text_fd(b.data, b.len - 1), 0), -EBADMSG);
	assert_non_null(strstr(err_text(), "the zstd data is cut off"));
	assert_int_equal(read_fd(text_fd("", 0), 0), -EBADMSG);
	assert_int_equal(read_fd(text_fd("time,price\n", 11), 0), -EBADMSG);
	b.len = 0;
	make_metadata(&b, &bars);
	assert_int_equal(read_fd(text_fd(b.data, b.len), 0), -EINVAL);
	assert_string_equal(err_text(),
			    "it holds bars (ohlcv-1m) and no ticks: bars of "
			    "the past are taken in with 'tickbusctl ingest'");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ticks_come_wherever_the_sink_stops),
		cmocka_unit_test(a_pipe_may_bring_byte_by_byte),
		cmocka_unit_test(what_is_cut_off_or_no_ticks_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
