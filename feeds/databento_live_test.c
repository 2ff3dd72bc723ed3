/* databento_live_test - a gateway of our own making: words, then DBN, in every cut. */
#include "feeds/dbn.h"
#include "feeds/dbn_make_test.h"
#include "feeds/stream_test.h"

#define T_NS INT64_C(1609146312576690768)
#define E9   INT64_C(1000000000)
#define KEY  "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ012"

static const char *const two[] = {"NVDA", "AAPL"};
static const struct stream_want both = {
	.symbols = two, .n_symbols = 2, .trades = true, .quotes = true};
static const char greeting[] = "lsg_version=0.6.0\n"
			       "cram=t7kNhwj4xqR0QYjzFKtBEG2ec2pXJ4FK\n";
static const char let_in[] = "success=1|session_id=1234\n";

static int begin(struct heard *h, const struct stream_want *w)
{
	struct vendor_settings s = {.dataset = "XNAS.ITCH"};
	struct stream_sink sink = {h, hear_tick, hear_article, hear_bad};

	*h = (struct heard){.ops = &databento_live_ops};
	assert_int_equal(secret_new(KEY, strlen(KEY), &h->key), 0);
	s.key = h->key;
	return h->ops->open(&s, w, &sink, &h->st);
}

/* Hand over bytes in a block of exactly their size. */
static int bytes(struct heard *h, const void *data, size_t len)
{
	char *copy = malloc(len + !len);
	int rc;

	memcpy(copy, data, len);
	rc = h->ops->input(h->st, copy, len, &h->out);
	free(copy);
	return rc;
}

static int text(struct heard *h, const char *s)
{
	return bytes(h, s, strlen(s));
}

/* All that was sent so far. */
static const char *sent(struct heard *h)
{
	return buf_text(&h->out);
}

static void live_bytes(struct buf *b)
{
	const struct make_head head = {.version = 3, .schema = DBN_SCHEMA_MIXED};

	make_metadata(b, &head);
	make_mapping(b, 3, 6155, "NVDA", "NVDA");
	make_mapping(b, 3, 38, "AAPL", "AAPL");
	make_mapping(b, 3, 7, "MSFT", "MSFT");
	make_message(b, 3, 0x17, DBN_SUBSCRIBED, "Subscription request succeeded");
	make_trade(b, 6155, T_NS, 521 * E9, 36, 1);
	make_level(make_book(b, 0x01, 80, 38, T_NS, 2), E9, 2 * E9, 3, 4);
	make_message(b, 3, 0x17, DBN_HEARTBEAT, "Heartbeat");
	make_trade(b, 7, T_NS, 521 * E9, 36, 1);  /* nobody asked */
	make_trade(b, 99, T_NS, 521 * E9, 36, 1); /* nobody knows */
	make_record(b, 0x13, 520, 7, T_NS);
	make_trade(b, 6155, T_NS + 1, 522 * E9, 1, 2);
}

static void the_key_is_hashed_and_never_sent(void **state)
{
	struct heard h;

	(void)state;
	assert_int_equal(begin(&h, &both), 0);
	assert_int_equal(text(&h, greeting), 0);
	assert_int_equal(h.ops->state(h.st), STREAM_AUTH);
	assert_string_equal(
		sent(&h),
		"auth=3618304a0414191ef083d11fe02c1b3522b17d71623b5f40e27bbbb1b97f0073-"
		"YZ012|dataset=XNAS.ITCH|encoding=dbn|compression=none|ts_out=0|"
		"client=tickbus|heartbeat_interval_s=10\n");
	h.out.len = 0;
	assert_int_equal(text(&h, let_in), 0);
	assert_int_equal(h.ops->state(h.st), STREAM_SUBSCRIBING);
	assert_string_equal(
		sent(&h),
		"schema=trades|stype_in=raw_symbol|symbols=NVDA,AAPL|snapshot=0|"
		"is_last=1\n"
		"schema=mbp-1|stype_in=raw_symbol|symbols=NVDA,AAPL|snapshot=0|"
		"is_last=1\n"
		"start_session\n");
	hear_no_more(&h);
}

static void any_cut_gives_the_same_ticks(void **state)
{
	struct buf b = {0};
	struct heard h;

	(void)state;
	buf_add(&b, greeting, strlen(greeting));
	buf_add(&b, let_in, strlen(let_in));
	live_bytes(&b);
	for (size_t cut = 0; cut < b.len; cut++) {
		assert_int_equal(begin(&h, &both), 0);
		assert_int_equal(bytes(&h, b.data, cut), 0);
		assert_int_equal(bytes(&h, b.data + cut, b.len - cut), 0);
		assert_int_equal(h.ops->state(h.st), STREAM_LIVE);
		assert_int_equal(h.ticks, 3);
		assert_int_equal(h.tick[0].rec.price_e9, 521 * E9);
		assert_string_equal(h.tick[0].symbol, "NVDA");
		assert_int_equal(h.tick[1].rec.bid_e9, E9);
		assert_string_equal(h.tick[1].symbol, "AAPL");
		assert_int_equal(h.tick[2].rec.price_e9, 522 * E9);
		assert_int_equal(h.bads, 1);
		assert_string_equal(
			h.bad[0], "databento record 9: instrument 99 has no symbol at "
				  "2020-12-28T09:05:12.576691768Z");
		assert_int_equal(counts(&h).ticks, 3);
		assert_int_equal(counts(&h).bad, 1);
		assert_int_equal(counts(&h).ignored, 2);
		assert_int_equal(counts(&h).messages, 3 + 11);
		hear_no_more(&h);
	}
	buf_free(&b);
}

static void symbols_go_in_lines_of_five_hundred(void **state)
{
	static char names[1201][8];
	static const char *symbols[1201];
	struct stream_want w = {.symbols = symbols, .n_symbols = 1201, .trades = true};
	unsigned lines = 0, last = 0;
	struct heard h;

	(void)state;
	for (int i = 0; i < 1201; i++) {
		snprintf(names[i], sizeof(names[i]), "S%d", i);
		symbols[i] = names[i];
	}
	assert_int_equal(begin(&h, &w), 0);
	assert_int_equal(text(&h, greeting), 0);
	h.out.len = 0;
	assert_int_equal(text(&h, let_in), 0);
	for (char *at = buf_text(&h.out), *end; (end = strchr(at, '\n'));
	     at = end + 1) {
		unsigned commas = 0;

		*end = '\0';
		for (const char *c = at; *c; c++)
			commas += *c == ',';
		assert_true(commas < 500);
		if (strstr(at, "symbols="))
			lines++;
		if (strstr(at, "is_last=1"))
			last = lines;
		assert_true(strstr(at, "is_last=0") == NULL || lines < 3);
	}
	assert_int_equal(lines, 3);
	assert_int_equal(last, 3);
	hear_no_more(&h);
}

static const struct {
	const char *says;
	enum vendor_verdict verdict;
	const char *why;
} refusals[] = {
	{"success=0|error=Authentication failed.\n", VENDOR_AUTH,
	 "databento: Authentication failed."},
	{"success=0|error=User has reached their open connection limit\n", VENDOR_RETRY,
	 "databento: User has reached their open connection limit"},
	{"success=0\n", VENDOR_AUTH, "databento: the login was refused"},
	{"success=0|error=bad key " KEY "\n", VENDOR_AUTH,
	 "databento: (a text that holds the key)"},
};

static void a_refused_login_says_why_but_no_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct vendor_problem p;
		struct heard h;

		assert_int_equal(begin(&h, &both), 0);
		assert_int_equal(text(&h, greeting), 0);
		assert_int_equal(text(&h, refusals[i].says), -EPROTO);
		assert_int_equal(h.ops->state(h.st), STREAM_ENDED);
		h.ops->problem(h.st, &p);
		assert_int_equal(p.verdict, refusals[i].verdict);
		assert_string_equal(p.why, refusals[i].why);
		assert_int_equal(text(&h, "x"), -EPROTO);
		hear_no_more(&h);
	}
}

static const struct {
	uint8_t code;
	int rc;
	enum vendor_verdict verdict;
} errors[] = {
	{1, -EPROTO, VENDOR_AUTH},    {2, -EPROTO, VENDOR_AUTH},
	{3, -EPROTO, VENDOR_RETRY},   {4, 0, 0},
	{5, -EPROTO, VENDOR_REFUSED}, {6, -EPROTO, VENDOR_RETRY},
	{7, -EPROTO, VENDOR_RETRY},   {99, 0, 0},
};

static void error_records_end_what_cannot_go_on(void **state)
{
	const struct make_head head = {.version = 3, .schema = DBN_SCHEMA_MIXED};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct vendor_problem p;
		struct buf b = {0};
		struct heard h;
		char why[80];

		make_metadata(&b, &head);
		make_message(&b, 3, 0x15, errors[i].code, i % 2 ? "" : "it went wrong");
		assert_int_equal(begin(&h, &both), 0);
		assert_int_equal(text(&h, greeting), 0);
		assert_int_equal(text(&h, let_in), 0);
		assert_int_equal(bytes(&h, b.data, b.len), errors[i].rc);
		h.ops->problem(h.st, &p);
		assert_int_equal(p.verdict, errors[i].verdict);
		assert_int_equal(h.bads, errors[i].rc == 0);
		snprintf(why, sizeof(why), "%scode %u, without a word",
			 errors[i].rc < 0 ? "databento: " : "", errors[i].code);
		if (i % 2 == 0)
			snprintf(why, sizeof(why), "%sit went wrong",
				 errors[i].rc < 0 ? "databento: " : "");
		assert_string_equal(errors[i].rc < 0 ? p.why : h.bad[0], why);
		hear_no_more(&h);
		buf_free(&b);
	}
}

static void broken_bytes_and_foreign_words_end_it(void **state)
{
	struct vendor_problem p;
	char longest[2000];
	struct heard h;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(begin(&h, &both), 0);
	assert_int_equal(bytes(&h, longest, sizeof(longest)), -EPROTO);
	hear_no_more(&h);
	assert_int_equal(begin(&h, &both), 0);
	assert_int_equal(text(&h, "HTTP/1.1 400 Bad Request\r\n"), -EPROTO);
	h.ops->problem(h.st, &p);
	assert_string_equal(
		p.why, "databento: the gateway does not greet as one of Databento's");
	hear_no_more(&h);
	assert_int_equal(begin(&h, &both), 0);
	assert_int_equal(text(&h, greeting), 0);
	assert_int_equal(text(&h, "welcome=1\r\n"), 0);
	assert_int_equal(text(&h, let_in), 0);
	assert_int_equal(text(&h, "not DBN at all"), -EPROTO);
	h.ops->problem(h.st, &p);
	assert_int_equal(p.verdict, VENDOR_RETRY);
	hear_no_more(&h);
}

static void what_no_stream_has_is_refused(void **state)
{
	struct stream_want news = both, nothing = {.symbols = two, .n_symbols = 2};
	struct vendor_settings s = {.dataset = "XNAS.ITCH|x=1"};
	struct stream_sink sink = {0};
	struct stream *st;
	struct heard h;

	(void)state;
	news.news = true;
	assert_int_equal(begin(&h, &news), -EINVAL);
	secret_free(h.key);
	assert_int_equal(begin(&h, &nothing), -EINVAL);
	secret_free(h.key);
	assert_int_equal(databento_live_ops.open(&s, &both, &sink, &st), -EINVAL);
	assert_string_equal(err_text(), "'XNAS.ITCH|x=1' is no dataset of Databento "
					"like XNAS.ITCH");
	s = (struct vendor_settings){.dataset = "XNAS.ITCH"};
	assert_int_equal(databento_live_ops.open(&s, &both, &sink, &st), -EINVAL);
	assert_string_equal(err_text(), "databento's stream needs a key");
}

static void a_sink_that_stops_is_heard(void **state)
{
	struct buf b = {0};
	struct heard h;

	(void)state;
	live_bytes(&b);
	assert_int_equal(begin(&h, &both), 0);
	assert_int_equal(text(&h, greeting), 0);
	assert_int_equal(text(&h, let_in), 0);
	h.stop = 7;
	assert_int_equal(bytes(&h, b.data, b.len), 7);
	assert_int_equal(h.ticks, 1);
	hear_no_more(&h);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_key_is_hashed_and_never_sent),
		cmocka_unit_test(any_cut_gives_the_same_ticks),
		cmocka_unit_test(symbols_go_in_lines_of_five_hundred),
		cmocka_unit_test(a_refused_login_says_why_but_no_key),
		cmocka_unit_test(error_records_end_what_cannot_go_on),
		cmocka_unit_test(broken_bytes_and_foreign_words_end_it),
		cmocka_unit_test(what_no_stream_has_is_refused),
		cmocka_unit_test(a_sink_that_stops_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
