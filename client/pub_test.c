#include "client/tickbus.h"
#include "client/url_test.h"
#include "proto/article.h"
#include "proto/ingest.h"
#include "proto/sample_test.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the test's daemon answers, request by request. */
enum act { TAKE, SILENCE, BUSY, NO_SPACE, MALFORMED, JUNK };

static struct {
	nng_socket rep;
	pthread_t thread;
	enum act script[8];
	unsigned requests;
	uint64_t next_seq; /* what was not taken yet: de-duplication */
	uint64_t known[8]; /* articles */
	unsigned n_known;
	struct hist_article newest;
} server;

static char ingest_url[URL_TEST_MAX], nobody_url[URL_TEST_MAX];
static const struct tickbus_options options = {
	.url = {[TICKBUS_INGEST] = ingest_url},
	.timeout_ms = 1500,
};

static void take_all(struct ingest_request *req, struct ingest_reply *reply)
{
	struct ingest_tick t;

	for (uint64_t seq = req->first_seq; ingest_next(req, &t) != INGEST_END; seq++) {
		enum reject_reason why = ingest_check(&t);

		if (seq < server.next_seq)
			ingest_reply_add(reply, INGEST_DUPLICATE, REJECT_NONE, 0);
		else if (why)
			ingest_reply_add(reply, INGEST_REJECTED, why, 0);
		else
			ingest_reply_add(reply, INGEST_ACCEPTED, REJECT_NONE,
					 100 + seq);
	}
	if (req->first_seq + req->n > server.next_seq)
		server.next_seq = req->first_seq + req->n;
	ingest_reply_set(reply, INGEST_STATUS_OK, "");
	reply->root.last_pos = 100 + server.next_seq - 1;
}

/* 0: it is new. */
static bool knows(uint64_t key)
{
	for (unsigned i = 0; i < server.n_known; i++)
		if (server.known[i] == key)
			return true;
	server.known[server.n_known++ % 8] = key;
	return false;
}

static void take_news(struct ingest_request *req, struct ingest_reply *reply)
{
	int got;

	while ((got = ingest_next_article(req, &server.newest)) != INGEST_END) {
		if (got == INGEST_BAD || strcmp(server.newest.id, "bad") == 0)
			ingest_reply_add(reply, INGEST_REJECTED, REJECT_TIME_IN_FUTURE,
					 0);
		else if (knows(article_key(req->source, server.newest.id)))
			ingest_reply_add(reply, INGEST_DUPLICATE, REJECT_NONE, 0);
		else
			ingest_reply_add(reply, INGEST_ACCEPTED, REJECT_NONE,
					 100 + server.n_known);
	}
	ingest_reply_set(reply, INGEST_STATUS_OK, "");
}

static void answer(const void *data, size_t len, enum act act, struct buf *out)
{
	struct ingest_reply reply = {0};
	struct ingest_request req;

	if (act == JUNK) {
		buf_add(out, "junk", 4);
		return;
	}
	if (ingest_open(data, len, &req) || act == MALFORMED) {
		ingest_reply_set(&reply, INGEST_STATUS_MALFORMED, "not understood");
	} else if (act == TAKE && req.is_news) {
		take_news(&req, &reply);
	} else if (act == TAKE) {
		take_all(&req, &reply);
	} else {
		ingest_reply_set(&reply,
				 act == BUSY ? INGEST_STATUS_BUSY
					     : INGEST_STATUS_NO_SPACE,
				 "later");
		reply.root.retry_ms = 5;
	}
	ingest_reply_write(&reply, req.is_json, out);
	ingest_reply_deinit(&reply);
}

static void *serve(void *arg)
{
	nng_msg *msg;

	while (nng_recvmsg(server.rep, &msg, 0) == 0) {
		enum act act = server.script[server.requests % 8];
		struct buf out = {0};

		server.requests++;
		if (act == SILENCE) {
			nng_msg_free(msg);
			continue;
		}
		answer(nng_msg_body(msg), nng_msg_len(msg), act, &out);
		nng_msg_clear(msg);
		nng_msg_append(msg, out.data, out.len);
		buf_free(&out);
		if (nng_sendmsg(server.rep, msg, 0) != 0)
			nng_msg_free(msg);
	}
	return arg;
}

static int start_server(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	server.next_seq = 1;
	assert_int_equal(nng_rep0_open(&server.rep), 0);
	assert_int_equal(nng_listen(server.rep, options.url[TICKBUS_INGEST], NULL, 0),
			 0);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	nng_close(server.rep);
	pthread_join(server.thread, NULL);
	return 0;
}

static struct tickbus_tick trade(const char *price)
{
	struct tickbus_tick t;

	assert_int_equal(tickbus_tick_init(&t, "AAPL", SAMPLE_NS), 0);
	assert_int_equal(tickbus_decimal_parse(price, TICKBUS_PRICE, &t.price_e9), 0);
	return t;
}

static struct tickbus_pub *publisher(uint64_t first_seq)
{
	struct tickbus_pub *pub;

	assert_int_equal(tickbus_pub_open(&options, "test", "sim", first_seq, &pub), 0);
	return pub;
}

static void each_tick_has_its_outcome(void **state)
{
	struct tickbus_tick t[3] = {trade("187.25"), trade("-1"), trade("188")};
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	assert_int_equal(tickbus_pub_batch(pub, t, 3, &ack), 0);
	assert_int_equal(ack.accepted, 2);
	assert_int_equal(ack.rejected, 1);
	assert_int_equal(ack.n_runs, 3);
	assert_int_equal(ack.runs[1].result, TICKBUS_REJECTED);
	assert_string_equal(tickbus_reason_name(ack.runs[1].reason),
			    "price_not_positive");
	assert_int_equal(ack.runs[2].first_pos, 103);
	assert_int_equal(ack.is_synced, 1);
	assert_int_equal(tickbus_pub_next_seq(pub), 4);
	tickbus_pub_close(pub);
}

static void a_lost_reply_leads_to_a_resend_not_to_a_double(void **state)
{
	struct tickbus_tick t = trade("1");
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	server.script[0] = SILENCE;
	server.script[1] = BUSY;
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), 0);
	assert_int_equal(ack.accepted, 1);
	assert_int_equal(ack.resends, 2);
	assert_int_equal(server.requests, 3);
	tickbus_pub_close(pub);
	pub = publisher(1); /* the same sequence again, as after a restart */
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), 0);
	assert_int_equal(ack.duplicate, 1);
	tickbus_pub_close(pub);
}

static void a_full_disk_keeps_the_batch_for_later(void **state)
{
	struct tickbus_tick t = trade("1");
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	for (int i = 0; i < 8; i++)
		server.script[i] = NO_SPACE;
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), -ENOSPC);
	assert_int_equal(tickbus_pub_next_seq(pub), 2);
	for (int i = 0; i < 8; i++)
		server.script[i] = TAKE;
	assert_int_equal(tickbus_pub_flush(pub, &ack), 0);
	assert_int_equal(ack.accepted, 1);
	assert_int_equal(ack.first_seq, 1);
	assert_int_equal(tickbus_pub_flush(pub, &ack), 0); /* nothing left */
	assert_int_equal(ack.accepted, 0);
	tickbus_pub_close(pub);
}

static void refusals_and_nonsense_are_told_apart(void **state)
{
	struct tickbus_tick t = trade("1");
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	server.script[0] = MALFORMED;
	server.script[1] = JUNK;
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), TICKBUS_REFUSED);
	assert_string_equal(ack.text, "not understood");
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), -EPROTO);
	tickbus_pub_close(pub);
}

static void no_daemon_is_a_time_out(void **state)
{
	struct tickbus_options nobody = {.url = {[TICKBUS_INGEST] = nobody_url},
					 .timeout_ms = 60};
	struct tickbus_tick t = trade("1");
	struct tickbus_pub *pub;
	struct tickbus_ack ack;

	(void)state;
	assert_int_equal(tickbus_pub_open(&nobody, NULL, "sim", 1, &pub), 0);
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), -ETIMEDOUT);
	assert_non_null(strstr(tickbus_error(), "does not answer"));
	tickbus_pub_close(pub);
}

static void malformed_names_are_refused_at_once(void **state)
{
	struct tickbus_pub *pub = NULL;
	struct tickbus_tick t;

	(void)state;
	assert_true(tickbus_pub_open(&options, "a b", "sim", 1, &pub) < 0);
	assert_true(tickbus_pub_open(&options, "p", "SIM", 1, &pub) < 0);
	assert_true(tickbus_pub_open(&options, "p", "12345678901234567", 1, &pub) < 0);
	assert_true(tickbus_pub_open(&options, "p", "sim", 0, &pub) < 0);
	assert_null(pub);
	assert_true(tickbus_tick_init(&t, "aapl", 1) < 0);
	assert_int_equal(tickbus_tick_init(&t, "", 1), 0);
}

static void a_batch_has_a_limit(void **state)
{
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_tick t = trade("1");
	struct tickbus_ack ack;

	(void)state;
	for (unsigned i = 0; i < INGEST_TICKS_MAX; i++)
		assert_int_equal(tickbus_pub_add(pub, &t), 0);
	assert_int_equal(tickbus_pub_add(pub, &t), TICKBUS_FULL);
	assert_int_equal(tickbus_pub_batch(pub, &t, 1, &ack), TICKBUS_FULL);
	assert_int_equal(tickbus_pub_flush(pub, &ack), 0);
	assert_int_equal(ack.accepted, INGEST_TICKS_MAX);
	assert_int_equal(ack.n_runs, 1);
	tickbus_pub_close(pub);
}

/* ---- articles ---- */

static const char *const symbols[] = {"AAPL", "BTC/USD"};

static struct tickbus_article article(const char *id)
{
	return (struct tickbus_article){.id = id,
					.headline = "Apple \"beats\" \xe2\x80\x94 AT&T",
					.time_ns = SAMPLE_NS,
					.symbols = symbols,
					.n_symbols = 2,
					.url = "https://example.com/a",
					.publisher = "Wire"};
}

static void each_article_has_its_outcome(void **state)
{
	struct tickbus_article a[] = {article("1"), article("bad"), article("1"),
				      article("2")};
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	a[3].updated_ns = SAMPLE_NS + 5;
	assert_int_equal(tickbus_pub_news(pub, a, 4, &ack), 0);
	assert_int_equal(ack.accepted, 2);
	assert_int_equal(ack.duplicate, 1);
	assert_int_equal(ack.rejected, 1);
	assert_int_equal(ack.n_runs, 4);
	assert_int_equal(ack.runs[1].result, TICKBUS_REJECTED);
	assert_string_equal(tickbus_reason_name(ack.runs[1].reason), "time_in_future");
	assert_int_equal(ack.runs[3].first, 3);
	assert_int_equal(ack.runs[3].first_pos, 102);
	assert_int_equal(ack.is_synced, 1);
	assert_int_equal(tickbus_pub_next_seq(pub), 1); /* of ticks */
	assert_string_equal(server.newest.id, "2");
	assert_string_equal(server.newest.headline, a[3].headline);
	assert_string_equal(server.newest.url, a[3].url);
	assert_string_equal(server.newest.publisher, "Wire");
	assert_true(server.newest.created_ns == SAMPLE_NS);
	assert_true(server.newest.updated_ns == SAMPLE_NS + 5);
	assert_int_equal(server.newest.n_symbols, 2);
	assert_memory_equal(server.newest.symbols[1], "BTC/USD", 8);
	tickbus_pub_close(pub);
}

static void an_article_whose_reply_is_lost_is_not_doubled(void **state)
{
	struct tickbus_article a = article("7");
	struct tickbus_tick t = trade("1");
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	server.script[0] = SILENCE;
	server.script[1] = BUSY;
	server.script[4] = MALFORMED;
	server.script[5] = JUNK;
	assert_int_equal(tickbus_pub_add(pub, &t), 0);
	assert_int_equal(tickbus_pub_news(pub, &a, 1, &ack), 0);
	assert_int_equal(ack.accepted, 1);
	assert_int_equal(ack.resends, 2);
	assert_int_equal(tickbus_pub_news(pub, &a, 1, &ack), 0);
	assert_int_equal(ack.duplicate, 1);
	assert_int_equal(tickbus_pub_news(pub, &a, 1, &ack), TICKBUS_REFUSED);
	assert_string_equal(ack.text, "not understood");
	assert_int_equal(tickbus_pub_news(pub, &a, 1, &ack), -EPROTO);
	assert_int_equal(tickbus_pub_flush(pub, &ack), 0); /* the batch is as it was */
	assert_int_equal(ack.accepted, 1);
	tickbus_pub_close(pub);
}

static void what_is_no_article_is_not_sent(void **state)
{
	static char large[600];
	struct tickbus_article bad[8], many[1001];
	struct tickbus_pub *pub = publisher(1);
	struct tickbus_ack ack;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < 8; i++)
		bad[i] = article("1");
	bad[0].id = NULL;
	bad[1].headline = large;
	bad[2].symbols = (const char *const[]){"a b"};
	bad[2].n_symbols = 1;
	bad[3].n_symbols = 0;
	bad[4].url = "javascript:alert(1)";
	bad[5].time_ns = 0;
	bad[6].updated_ns = SAMPLE_NS - 1;
	bad[7].headline = "\xff";
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(tickbus_pub_news(pub, &bad[i], 1, &ack), -EINVAL);
	for (size_t i = 0; i < 1001; i++)
		many[i] = article("1");
	assert_int_equal(tickbus_pub_news(pub, many, 1001, &ack), TICKBUS_FULL);
	assert_int_equal(tickbus_pub_news(pub, many, 0, &ack), 0);
	assert_int_equal(server.requests, 0);
	tickbus_pub_close(pub);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, start_server, stop_server)

int main(void)
{
	url_test(ingest_url, "ingest");
	url_test(nobody_url, "nobody");
	const struct CMUnitTest tests[] = {
		WITH_SERVER(each_tick_has_its_outcome),
		WITH_SERVER(a_lost_reply_leads_to_a_resend_not_to_a_double),
		WITH_SERVER(a_full_disk_keeps_the_batch_for_later),
		WITH_SERVER(refusals_and_nonsense_are_told_apart),
		cmocka_unit_test(no_daemon_is_a_time_out),
		cmocka_unit_test(malformed_names_are_refused_at_once),
		WITH_SERVER(a_batch_has_a_limit),
		WITH_SERVER(each_article_has_its_outcome),
		WITH_SERVER(an_article_whose_reply_is_lost_is_not_doubled),
		WITH_SERVER(what_is_no_article_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
