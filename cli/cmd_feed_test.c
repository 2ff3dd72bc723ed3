/*
 * cmd_feed_test - whole runs of `tickbusctl feed` against a small ingest that takes
 * each (producer, sequence) once: nothing lost, nothing twice, every bad line named.
 */
#include "base/buf.h"
#include "cli/feeder.h"
#include "client/url_test.h"
#include "proto/ingest.h"
#include <errno.h>
#include <fcntl.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define TAKEN_MAX 4096
static char ingest_url[URL_TEST_MAX];

static struct {
	nng_socket rep;
	pthread_t thread;
	unsigned requests;
	unsigned refuse_every; /* every n-th request: busy, after having taken it */
	struct {
		char name[INGEST_PRODUCER_MAX + 1];
		uint64_t next_seq;
	} producer[16];
	uint64_t duplicates;
	struct ingest_tick taken[TAKEN_MAX];
	char source[TAKEN_MAX][SOURCE_MAX + 1];
	unsigned n;
	unsigned clocks;
	bool is_wall; /* refuses clock records */
	int64_t clock_ns;
} server;

static char dir[64];
static char path[128];

/* The sequence that a producer has to send next. */
static uint64_t *next_of(const char *name)
{
	for (size_t i = 0; i < 16; i++) {
		if (server.producer[i].next_seq == 0) {
			memcpy(server.producer[i].name, name, strlen(name) + 1);
			server.producer[i].next_seq = 1;
		}
		if (strcmp(server.producer[i].name, name) == 0)
			return &server.producer[i].next_seq;
	}
	fail_msg("too many producers");
	return NULL;
}

static void take(struct ingest_request *req, struct ingest_reply *reply)
{
	struct ingest_tick t;

	uint64_t *next_seq = next_of(req->producer);

	for (uint64_t seq = req->first_seq; ingest_next(req, &t) != INGEST_END; seq++) {
		enum reject_reason why = ingest_check(&t);

		if (seq < *next_seq) {
			server.duplicates++;
			ingest_reply_add(reply, INGEST_DUPLICATE, REJECT_NONE, 0);
			continue;
		}
		*next_seq = seq + 1;
		if (server.is_wall && t.type == RECORD_CLOCK)
			why = REJECT_CLOCK_NOT_ALLOWED;
		if (why != REJECT_NONE) {
			ingest_reply_add(reply, INGEST_REJECTED, why, 0);
			continue;
		}
		if (t.type == RECORD_CLOCK) {
			server.clocks++;
			server.clock_ns = t.event_ns;
		} else if (server.n < TAKEN_MAX) {
			server.taken[server.n] = t;
			memcpy(server.source[server.n++], req->source, SOURCE_MAX);
		}
		ingest_reply_add(reply, INGEST_ACCEPTED, REJECT_NONE, seq);
	}
	ingest_reply_set(reply, INGEST_STATUS_OK, "");
}

static void answer(nng_msg *msg, struct buf *out)
{
	struct ingest_reply reply = {0};
	struct ingest_request req;

	server.requests++;
	if (ingest_open(nng_msg_body(msg), nng_msg_len(msg), &req) == 0)
		take(&req, &reply);
	else
		ingest_reply_set(&reply, INGEST_STATUS_MALFORMED, "not understood");
	if (server.refuse_every > 0 && server.requests % server.refuse_every == 0) {
		/* The worst case: taken, but the answer is lost. */
		ingest_reply_reset(&reply);
		ingest_reply_set(&reply, INGEST_STATUS_BUSY, "later");
		reply.root.retry_ms = 1;
	}
	ingest_reply_write(&reply, false, out);
	ingest_reply_deinit(&reply);
}

static void *serve(void *arg)
{
	nng_msg *msg;

	while (nng_recvmsg(server.rep, &msg, 0) == 0) {
		struct buf out = {0};

		answer(msg, &out);
		nng_msg_clear(msg);
		nng_msg_append(msg, out.data, out.len);
		buf_free(&out);
		if (nng_sendmsg(server.rep, msg, 0) != 0)
			nng_msg_free(msg);
	}
	return arg;
}

static int start(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	snprintf(dir, sizeof(dir), "/tmp/tickbus-feed-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(nng_rep0_open(&server.rep), 0);
	assert_int_equal(nng_listen(server.rep, ingest_url, NULL, 0), 0);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	nng_close(server.rep);
	pthread_join(server.thread, NULL);
	unlink(path);
	rmdir(dir);
	return 0;
}

/* A file of the test's directory, gzip when its name says so. */
static const char *write_file(const char *name, const char *text)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (strstr(name, ".gz")) {
		gzFile f = gzopen(path, "wb");

		assert_non_null(f);
		assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)),
				 strlen(text));
		gzclose(f);
	} else {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	return path;
}

/* Run the command; what it prints goes to @out (both streams). */
static int run(struct buf *out, int n_args, const char *const *args)
{
	static const struct command feed = {
		.name = "feed", .args = "FILE...", .run = cmd_feed};
	struct cli c = {.command = &feed, .stop_fd = -1};
	char log[96], *argv[24] = {"feed", "--quiet"};
	int keep[2] = {dup(1), dup(2)}, fd, rc;
	char text[8192];
	ssize_t len;

	snprintf(log, sizeof(log), "%s/log", dir);
	c.options.url[TICKBUS_INGEST] = ingest_url;
	c.options.timeout_ms = 3000;
	for (int i = 0; i < n_args; i++)
		argv[i + 2] = (char *)args[i];
	fflush(stdout);
	fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	optind = 0;
	rc = cmd_feed(&c, n_args + 2, argv);
	fflush(stdout);
	dup2(keep[0], 1);
	dup2(keep[1], 2);
	close(keep[0]);
	close(keep[1]);
	len = pread(fd, text, sizeof(text), 0);
	close(fd);
	unlink(log);
	buf_free(out);
	buf_add(out, text, len > 0 ? (size_t)len : 0);
	(void)buf_text(out);
	if (c.stop_fd >= 0)
		close(c.stop_fd);
	return rc;
}

#define RUN(out, ...)                                                                  \
	run(out, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),               \
	    (const char *[]){__VA_ARGS__})

static void a_file_with_a_header_needs_no_options(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file("a.csv", "time,symbol,price,size\n"
			    "2026-01-05T14:30:00.5Z,AAPL,187.25,100\n"
			    "2026-01-05T14:30:01Z,MSFT,400.000000001,0.5\n");
	assert_int_equal(RUN(&out, path), CLI_OK);
	assert_int_equal(server.n, 2);
	assert_int_equal(server.taken[0].event_ns, INT64_C(1767623400500000000));
	assert_int_equal(server.taken[0].price_e9, INT64_C(187250000000));
	assert_int_equal(server.taken[1].price_e9, INT64_C(400000000001));
	assert_int_equal(server.taken[1].size_e8, 50000000);
	assert_string_equal(server.source[0], "file");
	assert_non_null(strstr((char *)out.data, "2 ticks"));
	assert_non_null(strstr((char *)out.data, "2 accepted"));
	/* The last bars may close: two minutes after the newest tick. */
	assert_int_equal(server.clocks, 2);
	assert_int_equal(server.clock_ns, INT64_C(1767623401000000000) + 120000000000);
	buf_free(&out);
}

static void quotes_by_number_with_a_date_and_a_zone(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file("q.csv.gz", "0.5,1.3871,1.3872\n1000,1.3870,1.3873\n");
	assert_int_equal(RUN(&out, "--map", "time=0,bid=1,ask=2", "--date",
			     "2014-05-05", "--zone", "America/New_York", "--symbol",
			     "EURUSD", "--source", "oanda", "--settle", "0s", path),
			 CLI_OK);
	assert_int_equal(server.n, 2);
	assert_int_equal(server.clocks, 1);
	assert_int_equal(server.taken[0].event_ns, INT64_C(1399262400000500000));
	assert_int_equal(server.taken[0].bid_e9, 1387100000);
	assert_int_equal(server.taken[0].price_e9, VALUE_NULL);
	assert_memory_equal(server.taken[0].symbol, "EURUSD", 7);
	assert_string_equal(server.source[0], "oanda");
	buf_free(&out);
}

static void bad_lines_are_named_and_passed_over(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file("b.csv", "time,symbol,price\n"
			    "2026-01-05T14:30:00Z,AAPL,1\n"
			    "yesterday,AAPL,1\n"
			    "2026-01-05T14:30:01Z,AAPL,1..2\n"
			    "2026-01-05T14:30:02Z,AAPL,-5\n"
			    "2026-01-05T14:30:03Z,AAPL,2\n");
	assert_int_equal(RUN(&out, path), CLI_NEGATIVE);
	assert_int_equal(server.n, 2);
	assert_non_null(strstr((char *)out.data, "b.csv:3: "));
	assert_non_null(strstr((char *)out.data, "b.csv:4: "));
	assert_non_null(strstr((char *)out.data, "2 bad lines"));
	assert_non_null(strstr((char *)out.data, "price_not_positive: 1"));
	buf_free(&out);
}

static void json_lines_are_known_by_their_name(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file(
		"j.jsonl",
		"{\"time\":\"2026-01-05T14:30:00Z\",\"symbol\":\"A\",\"price\":1.5,"
		"\"source\":\"one\"}\n"
		"{\"time\":\"2026-01-05T14:30:01Z\",\"symbol\":\"A\",\"price\":2,"
		"\"source\":\"two\"}\n"
		"{\"time\":\"2026-01-05T14:30:02Z\",\"symbol\":\"A\",\"price\":3}\n");
	assert_int_equal(RUN(&out, path), CLI_OK);
	assert_int_equal(server.n, 3);
	assert_string_equal(server.source[0], "one");
	assert_string_equal(server.source[1], "two");
	assert_string_equal(server.source[2], "file");
	assert_int_equal(server.taken[2].price_e9, INT64_C(3000000000));
	buf_free(&out);
}

static char *many(unsigned n)
{
	struct buf b = {0};

	buf_printf(&b, "time,symbol,price\n");
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "%llu,S%u,%u\n", 1767623400000ull + i, i % 7, i + 1);
	return buf_text(&b);
}

static void lost_answers_cost_nothing(void **state)
{
	struct buf out = {0};
	char *text = many(3000);

	(void)state;
	server.refuse_every = 3;
	write_file("m.csv", text);
	assert_int_equal(RUN(&out, "--batch", "100", "--time", "ms", path), CLI_OK);
	assert_int_equal(server.n, 3000);
	assert_true(server.duplicates >= 900);
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(server.taken[i].price_e9,
				 (int64_t)(i + 1) * 1000000000);
	free(text);
	buf_free(&out);
}

static void the_same_producer_sends_nothing_twice(void **state)
{
	struct buf out = {0};
	char *text = many(500);

	(void)state;
	write_file("m.csv", text);
	assert_int_equal(
		RUN(&out, "--time", "ms", "--settle", "0s", "--producer", "p1", path),
		CLI_OK);
	assert_int_equal(
		RUN(&out, "--time", "ms", "--settle", "0s", "--producer", "p1", path),
		CLI_OK);
	assert_int_equal(server.n, 500);
	assert_non_null(strstr((char *)out.data, "0 accepted, 500 duplicate"));
	free(text);
	buf_free(&out);
}

/* The clock record at the end has no sequence of the file's producer. */
static void a_file_that_has_grown_is_sent_on(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file("g.csv", "time,symbol,price\n1767623400000,A,1\n");
	assert_int_equal(RUN(&out, "--time", "ms", "--producer", "p1", path), CLI_OK);
	assert_int_equal(server.clocks, 2);
	write_file("g.csv",
		   "time,symbol,price\n1767623400000,A,1\n1767623401000,A,2\n");
	assert_int_equal(RUN(&out, "--time", "ms", "--producer", "p1", path), CLI_OK);
	assert_int_equal(server.n, 2);
	assert_non_null(strstr((char *)out.data, "1 accepted, 1 duplicate"));
	buf_free(&out);
}

static void files_are_merged_by_time_and_move_the_clock(void **state)
{
	struct buf out = {0};
	char first[128];

	(void)state;
	write_file("a.csv",
		   "time,symbol,price\n1767623400000,A,1\n1767623402000,A,3\n");
	memcpy(first, path, sizeof(first));
	write_file("b.csv",
		   "time,symbol,price\n1767623401000,B,2\n1767623409000,B,4\n");
	assert_int_equal(RUN(&out, "--time", "ms", first, path), CLI_OK);
	assert_int_equal(server.n, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(server.taken[i].price_e9,
				 (int64_t)(i + 1) * 1000000000);
	/* One to ask, one before each of three new seconds, one at the end. */
	assert_int_equal(server.clocks, 5);
	assert_non_null(strstr((char *)out.data, "4 accepted"));
	unlink(first);
	buf_free(&out);
}

static void a_daemon_with_the_walls_clock_needs_no_help(void **state)
{
	struct buf out = {0};

	(void)state;
	server.is_wall = true;
	write_file("a.csv",
		   "time,symbol,price\n1767623400000,A,1\n1767623402000,A,3\n");
	assert_int_equal(RUN(&out, "--time", "ms", path), CLI_OK);
	assert_int_equal(server.n, 2);
	assert_int_equal(server.clocks, 0);
	assert_non_null(
		strstr((char *)out.data, "2 accepted, 0 duplicate, 0 rejected"));
	buf_free(&out);
}

static void a_speed_is_kept(void **state)
{
	struct timespec a, b;
	struct buf out = {0};
	double seconds;

	(void)state;
	write_file("s.csv", "time,symbol,price\n"
			    "2026-01-05T14:30:00Z,AAPL,1\n"
			    "2026-01-05T14:30:10Z,AAPL,1\n"
			    "2026-01-05T14:30:30Z,AAPL,1\n");
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(RUN(&out, "--speed", "100", path), CLI_OK);
	clock_gettime(CLOCK_MONOTONIC, &b);
	seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	assert_true(seconds >= 0.29);
	assert_true(seconds < 3.0);
	assert_true(server.requests >=
		    3); /* what is gathered goes out before a pause */
	buf_free(&out);
}

static void mistakes_are_told_before_anything_is_sent(void **state)
{
	struct buf out = {0};

	(void)state;
	write_file("a.csv", "time,symbol,price\n");
	assert_int_equal(RUN(&out, "--map", "when=0", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--symbol", "aapl!", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--speed", "-1", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--speed", "nan", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--batch", "0", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--time", "ms", "--date", "2014-05-05", path),
			 CLI_USAGE);
	assert_int_equal(RUN(&out, "--zone", "Mars/Olympus", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--settle", "5", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--format", "xml", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--source", "UPPER", path), CLI_USAGE);
	assert_int_equal(RUN(&out, "--unknown", path), CLI_USAGE);
	assert_int_equal(server.requests, 0);
	buf_free(&out);
}

static void a_file_that_is_not_there_is_an_io_error(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(RUN(&out, "/nonexistent/ticks.csv"), CLI_IO);
	assert_non_null(strstr((char *)out.data, "/nonexistent/ticks.csv"));
	buf_free(&out);
}

int main(void)
{
	url_test(ingest_url, "feed");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_with_a_header_needs_no_options,
						start, stop),
		cmocka_unit_test_setup_teardown(quotes_by_number_with_a_date_and_a_zone,
						start, stop),
		cmocka_unit_test_setup_teardown(bad_lines_are_named_and_passed_over,
						start, stop),
		cmocka_unit_test_setup_teardown(json_lines_are_known_by_their_name,
						start, stop),
		cmocka_unit_test_setup_teardown(lost_answers_cost_nothing, start, stop),
		cmocka_unit_test_setup_teardown(the_same_producer_sends_nothing_twice,
						start, stop),
		cmocka_unit_test_setup_teardown(a_file_that_has_grown_is_sent_on, start,
						stop),
		cmocka_unit_test_setup_teardown(
			files_are_merged_by_time_and_move_the_clock, start, stop),
		cmocka_unit_test_setup_teardown(
			a_daemon_with_the_walls_clock_needs_no_help, start, stop),
		cmocka_unit_test_setup_teardown(a_speed_is_kept, start, stop),
		cmocka_unit_test_setup_teardown(
			mistakes_are_told_before_anything_is_sent, start, stop),
		cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_an_io_error,
						start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
