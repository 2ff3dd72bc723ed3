/* fetcher_test - questions to a made-up vendor on a scripted server. */
#include "base/clock.h"
#include "base/err.h"
#include "feeds/fetcher.h"
#include "feeds/http_server.h"
#include <errno.h>

#define PAGE_OK(len, body) "HTTP/1.1 200 OK\r\nContent-Length: " len "\r\n\r\n" body
#define STATUS(line, headers)                                                          \
	"HTTP/1.1 " line "\r\nContent-Length: 0\r\n" headers "\r\n"

/*
 * The vendor: its answer is "ROWS" or "ROWS NEXT", a number of bars and the token of
 * the next page; an answer that begins with '!' does not parse.
 */
static int toy_check(const struct vendor_settings *s, const struct vendor_ask *a)
{
	(void)s;
	return a->n_symbols == 1 ? 0 : err_set(-EINVAL, "toy wants one symbol");
}

static int toy_request(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out)
{
	buf_printf(&out->target, "/%s?page=%s", a->symbols[0], next);
	buf_printf(&out->headers, "X-Key: ");
	secret_add(s->key, &out->headers);
	buf_add(&out->headers, "", 1);
	return 0;
}

static int toy_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		     const char *next, const char *body, size_t len,
		     struct vendor_page *out)
{
	struct vendor_bar bar = {0};
	char *end;
	long rows = strtol(body, &end, 10);

	(void)s;
	(void)a;
	(void)next;
	if (len == 0 || body[0] == '!')
		return err_set(-EBADMSG, "toy cannot read byte 1");
	for (long i = 0; i < rows; i++)
		buf_add(&out->bars, &bar, sizeof(bar));
	snprintf(out->next, sizeof(out->next), "%s", *end == ' ' ? end + 1 : "");
	return 0;
}

static void toy_problem(const struct vendor_settings *s, long status,
			const char *content_type, const char *body, size_t len,
			struct vendor_problem *out)
{
	(void)s;
	(void)content_type;
	out->verdict = status == 429   ? VENDOR_LIMITED
		       : status >= 500 ? VENDOR_RETRY
		       : status == 401 ? VENDOR_AUTH
		       : status == 404 ? VENDOR_UNKNOWN
		       : status == 200 ? VENDOR_GARBLED
				       : VENDOR_REFUSED;
	snprintf(out->why, sizeof(out->why), "toy says %ld %.*s", status, (int)len,
		 body);
}

static const struct vendor_ops toy_ops = {
	.name = "toy",
	.check = toy_check,
	.request = toy_request,
	.parse = toy_parse,
	.problem = toy_problem,
};

static struct http_server server;
static struct http_pool *pool;
static struct fetcher *fetcher;
static struct secret *key;

/* What the askers were told, all together. */
static struct {
	int pages, done, failed;
	struct fetch_news last;
	int stop; /* what a page is answered with */
} got;

static int keep(void *arg, const struct fetch_news *n)
{
	(void)arg;
	got.last = *n;
	got.pages += n->state == FETCH_PAGE;
	got.done += n->state == FETCH_DONE;
	got.failed += n->state == FETCH_FAILED;
	return n->state == FETCH_PAGE ? got.stop : 0;
}

static void start_with(const char *const *script, struct fetcher_params p)
{
	struct http_params hp = {.plain_allowed = true, .private_allowed = true};

	server_start(&server, script);
	memset(&got, 0, sizeof(got));
	assert_int_equal(secret_new("hush-hush", 9, &key), 0);
	p.ops = &toy_ops;
	p.backoff_ns = 2 * NS_PER_MS;
	p.settings.key = key;
	snprintf(p.settings.name, sizeof(p.settings.name), "toy");
	snprintf(p.settings.base_url, sizeof(p.settings.base_url), "%s", server.url);
	assert_int_equal(http_pool_new(&hp, &pool), 0);
	assert_int_equal(fetcher_new(pool, &p, &fetcher), 0);
}

static void start(const char *const *script)
{
	start_with(script, (struct fetcher_params){0});
}

static uint64_t ask(void)
{
	static const char *const symbols[] = {"AAPL"};
	struct vendor_ask a = {.symbols = symbols, .n_symbols = 1};
	uint64_t id = 0;

	assert_int_equal(fetcher_ask(fetcher, &a, keep, NULL, &id), 0);
	assert_true(id > 0);
	return id;
}

static void run(void)
{
	int64_t end = clock_mono_ns() + 20 * NS_PER_S;

	while (fetcher_open(fetcher) > 0 && clock_mono_ns() < end) {
		int64_t wait = fetcher_step(fetcher, clock_mono_ns());

		http_step(pool, wait < 0 ? NS_PER_S : wait);
	}
	assert_int_equal(fetcher_open(fetcher), 0);
}

static void finish(void)
{
	fetcher_free(fetcher);
	http_pool_free(pool);
	server_stop(&server);
	secret_free(key);
}

static void ask_once(const char *const *script)
{
	start(script);
	ask();
	run();
	finish();
}

static void pages_are_followed_until_there_is_none(void **state)
{
	(void)state;
	ask_once((const char *const[]){PAGE_OK("4", "2 p2"), PAGE_OK("4", "0 p3"),
				       PAGE_OK("1", "5"), NULL});
	assert_int_equal(got.pages, 3);
	assert_int_equal(got.done, 1);
	assert_int_equal(got.last.rows, 7);
	assert_int_equal(got.last.pages, 3);
	assert_int_equal(got.last.requests, 3);
	assert_int_equal(strncmp(server.seen[0], "GET /AAPL?page= ", 16), 0);
	assert_int_equal(strncmp(server.seen[2], "GET /AAPL?page=p3 ", 18), 0);
	assert_non_null(strstr(server.seen[2], "X-Key: hush-hush\r\n"));
}

static void what_may_pass_is_tried_again_page_by_page(void **state)
{
	(void)state;
	ask_once((const char *const[]){STATUS("503 Busy", ""), PAGE_OK("4", "2 p2"),
				       "CLOSE" PAGE_OK("9", "3"), STATUS("500 Oh", ""),
				       PAGE_OK("1", "1"), NULL});
	assert_int_equal(got.pages, 2);
	assert_int_equal(got.done, 1);
	assert_int_equal(got.last.rows, 3);
	assert_int_equal(got.last.requests, 5);
}

static void attempts_have_a_bound(void **state)
{
	(void)state;
	ask_once((const char *const[]){STATUS("500 Oh", ""), NULL});
	assert_int_equal(got.failed, 1);
	assert_int_equal(got.pages, 0);
	assert_int_equal(server.requests, 6);
	assert_int_equal(got.last.problem.verdict, VENDOR_RETRY);
	assert_non_null(strstr(got.last.problem.why, "given up after 6 attempts"));
}

static void an_answer_that_does_not_parse_is_asked_for_once_more(void **state)
{
	(void)state;
	ask_once((const char *const[]){PAGE_OK("1", "!"), PAGE_OK("1", "3"), NULL});
	assert_int_equal(got.done, 1);
	assert_int_equal(got.last.rows, 3);
	ask_once((const char *const[]){PAGE_OK("1", "!"), NULL});
	assert_int_equal(got.failed, 1);
	assert_int_equal(server.requests, 2);
	assert_int_equal(got.last.problem.verdict, VENDOR_GARBLED);
}

static void what_is_refused_is_not_tried_again(void **state)
{
	(void)state;
	ask_once((const char *const[]){STATUS("404 No", ""), NULL});
	assert_int_equal(got.failed, 1);
	assert_int_equal(server.requests, 1);
	assert_int_equal(got.last.problem.verdict, VENDOR_UNKNOWN);
	ask_once((const char *const[]){
		STATUS("302 Found", "Location: http://10.0.0.1/x?hush-hush\r\n"),
		NULL});
	assert_int_equal(server.requests, 1);
	assert_int_equal(got.last.problem.verdict, VENDOR_REFUSED);
	assert_non_null(strstr(got.last.problem.why, "'http://10.0.0.1'"));
	assert_null(strstr(got.last.problem.why, "hush"));
}

static void a_token_that_comes_again_ends_the_question(void **state)
{
	(void)state;
	ask_once((const char *const[]){PAGE_OK("3", "1 a"), PAGE_OK("3", "1 b"),
				       PAGE_OK("3", "1 c"), PAGE_OK("3", "1 a"), NULL});
	assert_int_equal(got.pages, 4);
	assert_int_equal(got.failed, 1);
	assert_non_null(strstr(got.last.problem.why, "same page token"));
	assert_int_equal(server.requests, 4);
}

static void a_wait_of_ten_hours_fails_with_a_sentence(void **state)
{
	(void)state;
	ask_once((const char *const[]){STATUS("429 Slow", "Retry-After: 36000\r\n"),
				       NULL});
	assert_int_equal(got.failed, 1);
	assert_int_equal(server.requests, 1);
	assert_non_null(strstr(got.last.problem.why, "36000 s"));
	assert_non_null(strstr(got.last.problem.why, "300 s"));
}

static void retry_after_holds_all_questions_of_the_key(void **state)
{
	int64_t began = clock_mono_ns();
	struct fetch_counts c;

	(void)state;
	start((const char *const[]){STATUS("429 Slow", "Retry-After: 1\r\n"),
				    PAGE_OK("1", "1"), NULL});
	ask();
	while (got.pages == 0 && server.requests == 0) {
		fetcher_step(fetcher, clock_mono_ns());
		http_step(pool, 10 * NS_PER_MS);
	}
	http_step(pool, 50 * NS_PER_MS);
	ask();
	run();
	fetcher_counts(fetcher, &c);
	finish();
	assert_int_equal(got.done, 2);
	assert_int_equal(c.limited, 1);
	assert_int_equal(c.retries, 1);
	assert_int_equal(c.requests, 3);
	assert_true(clock_mono_ns() - began >= NS_PER_S);
}

static void no_more_than_allowed_are_in_flight(void **state)
{
	size_t most = 0;

	(void)state;
	start_with((const char *const[]){PAGE_OK("1", "1"), NULL},
		   (struct fetcher_params){.in_flight = 3});
	for (int i = 0; i < 40; i++)
		ask();
	while (fetcher_open(fetcher) > 0) {
		int64_t wait = fetcher_step(fetcher, clock_mono_ns());

		if (http_in_flight(pool) > most)
			most = http_in_flight(pool);
		http_step(pool, wait < 0 ? NS_PER_S : wait);
	}
	finish();
	assert_int_equal(most, 3);
	assert_int_equal(got.done, 40);
	assert_true(server.connections <= 3);
}

static void a_wrong_key_fails_all_that_wait_without_asking(void **state)
{
	struct fetch_counts c;

	(void)state;
	start_with((const char *const[]){STATUS("401 No", ""), PAGE_OK("1", "1"), NULL},
		   (struct fetcher_params){.in_flight = 1});
	for (int i = 0; i < 10; i++)
		ask();
	run();
	assert_int_equal(got.failed, 10);
	assert_int_equal(server.requests, 1);
	assert_int_equal(got.last.problem.verdict, VENDOR_AUTH);
	/* Asked again later (another key was put there), it is tried again. */
	ask();
	run();
	fetcher_counts(fetcher, &c);
	finish();
	assert_int_equal(got.done, 1);
	assert_int_equal(c.failed, 10);
	assert_int_equal(c.done, 1);
	assert_int_equal(c.rows, 1);
}

static void a_vendor_that_echoes_the_key_is_not_quoted(void **state)
{
	(void)state;
	ask_once((const char *const[]){
		"HTTP/1.1 400 No\r\nContent-Length: 18\r\n\r\nbad key: hush-hush",
		NULL});
	assert_int_equal(got.failed, 1);
	assert_null(strstr(got.last.problem.why, "hush"));
	assert_non_null(strstr(got.last.problem.why, "not repeated"));
}

static void the_asker_can_end_it_and_so_can_others(void **state)
{
	uint64_t id;

	(void)state;
	start((const char *const[]){PAGE_OK("4", "2 p2"), PAGE_OK("4", "2 p3"), NULL});
	got.stop = 1;
	ask();
	run();
	assert_int_equal(got.pages, 1);
	assert_int_equal(got.done + got.failed, 0);
	id = ask();
	fetcher_step(fetcher, clock_mono_ns());
	fetcher_cancel(fetcher, id);
	fetcher_cancel(fetcher, id);
	fetcher_cancel(fetcher, ask());
	assert_int_equal(fetcher_open(fetcher), 0);
	assert_int_equal(http_in_flight(pool), 0);
	finish();
	assert_int_equal(got.pages, 1);
}

static void a_question_the_vendor_cannot_answer_is_refused_at_once(void **state)
{
	struct vendor_ask none = {0};

	(void)state;
	start((const char *const[]){PAGE_OK("1", "1"), NULL});
	assert_int_equal(fetcher_ask(fetcher, &none, keep, NULL, NULL), -EINVAL);
	assert_string_equal(err_text(), "toy wants one symbol");
	finish();
	assert_int_equal(server.requests, 0);
}

static void the_rate_is_kept(void **state)
{
	int64_t began = clock_mono_ns();

	(void)state;
	start_with((const char *const[]){PAGE_OK("1", "1"), NULL},
		   (struct fetcher_params){
			   .requests = 10, .per_ns = NS_PER_S / 2, .burst = 5});
	for (int i = 0; i < 15; i++)
		ask();
	run();
	finish();
	assert_int_equal(got.done, 15);
	/* 5 at once, 10 more at one per 50 ms, or after the window. */
	assert_true(clock_mono_ns() - began >= 500 * NS_PER_MS);
}

static char warned[64];

static int keep_warning(void *arg, const struct fetch_news *n)
{
	if (n->state == FETCH_PAGE)
		(void)snprintf(warned, sizeof(warned), "%s", n->warning);
	return keep(arg, n);
}

static void a_warning_comes_with_its_page_and_a_failure_names_its_request(void **state)
{
	static const char *const symbols[] = {"AAPL"};
	struct vendor_ask a = {.symbols = symbols, .n_symbols = 1};

	(void)state;
	start((const char *const[]){
		"HTTP/1.1 200 OK\r\nX-Warning: [\"Reduced: one day is missing\"]\r\n"
		"Content-Length: 1\r\n\r\n3",
		STATUS("404 Not Found", "request-id: abc-123\r\n"), NULL});
	assert_int_equal(fetcher_ask(fetcher, &a, keep_warning, NULL, NULL), 0);
	run();
	assert_int_equal(got.done, 1);
	assert_string_equal(warned, "[\"Reduced: one day is missing\"]");
	ask();
	run();
	assert_int_equal(got.failed, 1);
	assert_non_null(strstr(got.last.problem.why, "(request abc-123)"));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_followed_until_there_is_none),
		cmocka_unit_test(what_may_pass_is_tried_again_page_by_page),
		cmocka_unit_test(attempts_have_a_bound),
		cmocka_unit_test(an_answer_that_does_not_parse_is_asked_for_once_more),
		cmocka_unit_test(
			a_warning_comes_with_its_page_and_a_failure_names_its_request),
		cmocka_unit_test(what_is_refused_is_not_tried_again),
		cmocka_unit_test(a_token_that_comes_again_ends_the_question),
		cmocka_unit_test(a_wait_of_ten_hours_fails_with_a_sentence),
		cmocka_unit_test(retry_after_holds_all_questions_of_the_key),
		cmocka_unit_test(no_more_than_allowed_are_in_flight),
		cmocka_unit_test(a_wrong_key_fails_all_that_wait_without_asking),
		cmocka_unit_test(a_vendor_that_echoes_the_key_is_not_quoted),
		cmocka_unit_test(the_asker_can_end_it_and_so_can_others),
		cmocka_unit_test(
			a_question_the_vendor_cannot_answer_is_refused_at_once),
		cmocka_unit_test(the_rate_is_kept),
	};

	return cmocka_run_group_tests_name("fetcher", tests, NULL, NULL);
}
