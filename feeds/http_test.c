/* http_test - requests against a scripted server on this machine. */
#include "base/clock.h"
#include "feeds/http.h"
#include "feeds/http_server.h"
#include <errno.h>
#include <zlib.h>

#define OK(body)                                                                       \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " body

static struct http_server server;

/* What the last answer was. */
static struct {
	int calls;
	struct http_answer a;
	char body[4096];
	char why[600];
	char location[200], retry_after[64], left[64], reset[64], id[64], type[64];
} got;

static void keep_answer(void *arg, const struct http_answer *a)
{
	(void)arg;
	got.calls++;
	got.a = *a;
	snprintf(got.body, sizeof(got.body), "%s", a->body);
	snprintf(got.why, sizeof(got.why), "%s", a->why);
	snprintf(got.location, sizeof(got.location), "%s", a->location);
	snprintf(got.retry_after, sizeof(got.retry_after), "%s", a->retry_after);
	snprintf(got.left, sizeof(got.left), "%s", a->limit_left);
	snprintf(got.reset, sizeof(got.reset), "%s", a->limit_reset);
	snprintf(got.id, sizeof(got.id), "%s", a->request_id);
	snprintf(got.type, sizeof(got.type), "%s", a->content_type);
}

static const struct http_params open_params = {
	.plain_allowed = true, .private_allowed = true, .body_max = 1 << 20};

static struct http_pool *pool_of(const struct http_params *p)
{
	struct http_pool *h;

	assert_int_equal(http_pool_new(p, &h), 0);
	return h;
}

static void await(struct http_pool *h, int calls)
{
	int64_t end = clock_mono_ns() + 20 * NS_PER_S;

	while (got.calls < calls && clock_mono_ns() < end)
		assert_int_equal(http_step(h, NS_PER_S), 0);
	assert_int_equal(got.calls, calls);
}

/* One request, to its end. */
static void ask(const char *const *script, const struct http_params *p,
		const struct http_request *r)
{
	struct http_pool *h = pool_of(p);
	struct http_request mine = *r;

	server_start(&server, script);
	memset(&got, 0, sizeof(got));
	mine.base_url = server.url;
	assert_int_equal(http_send(h, &mine, keep_answer, NULL, NULL), 0);
	await(h, 1);
	http_pool_free(h);
	server_stop(&server);
}

static void ask_simply(const char *text)
{
	const char *const script[] = {text, NULL};

	ask(script, &open_params, &(struct http_request){.target = "/x"});
}

static void an_answer_arrives_with_its_headers(void **state)
{
	static const char headers[] = "X-Key: k1\0Accept: a/b\0";

	(void)state;
	ask(
		(const char *const[]){
			"HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\n"
			"X-RateLimit-Remaining: 0\r\nx-ratelimit-reset: 99\r\n"
			"X-Request-ID: abc\r\nContent-Type: text/plain\r\n"
			"Content-Length: 5\r\n\r\nlater",
			NULL},
		&open_params,
		&(struct http_request){.target = "/a?b=%2F&c=..",
				       .headers = headers,
				       .headers_len = sizeof(headers) - 1});
	assert_int_equal(got.a.error, 0);
	assert_int_equal(got.a.status, 429);
	assert_string_equal(got.body, "later");
	assert_int_equal(got.a.len, 5);
	assert_string_equal(got.retry_after, "7");
	assert_string_equal(got.left, "0");
	assert_string_equal(got.reset, "99");
	assert_string_equal(got.id, "abc");
	assert_string_equal(got.type, "text/plain");
	assert_true(got.a.took_ns > 0);
	assert_int_equal(strncmp(server.seen[0], "GET /a?b=%2F&c=.. HTTP/1.1\r\n", 28),
			 0);
	assert_non_null(strstr(server.seen[0], "\r\nX-Key: k1\r\n"));
	assert_non_null(strstr(server.seen[0], "\r\nAccept: a/b\r\n"));
	assert_non_null(strstr(server.seen[0], "\r\nAccept-Encoding: gzip\r\n"));
	assert_non_null(strstr(server.seen[0], "\r\nUser-Agent: tickbus/"));
}

static void a_form_is_posted(void **state)
{
	(void)state;
	ask((const char *const[]){OK("2\r\n\r\n{}"), NULL}, &open_params,
	    &(struct http_request){
		    .target = "/post", .form = "a=1&b=%20", .form_len = 9});
	assert_int_equal(got.a.status, 200);
	assert_int_equal(strncmp(server.seen[0], "POST /post", 10), 0);
	assert_non_null(strstr(server.seen[0], "\r\n\r\na=1&b=%20"));
	assert_non_null(strstr(server.seen[0], "application/x-www-form-urlencoded"));
	assert_null(strstr(server.seen[0], "Expect"));
}

static void one_connection_serves_many_requests(void **state)
{
	struct http_pool *h = pool_of(&open_params);

	(void)state;
	server_start(&server, (const char *const[]){OK("2\r\n\r\n{}"), NULL});
	memset(&got, 0, sizeof(got));
	for (int i = 0; i < 20; i++) {
		struct http_request r = {.base_url = server.url, .target = "/"};

		assert_int_equal(http_send(h, &r, keep_answer, NULL, NULL), 0);
		await(h, i + 1);
	}
	assert_int_equal(server.connections, 1);
	assert_int_equal(http_in_flight(h), 0);
	http_pool_free(h);
	server_stop(&server);
}

static void a_cut_answer_is_no_answer(void **state)
{
	(void)state;
	ask_simply("CLOSE" OK("100\r\n\r\n{\"half\":"));
	assert_int_equal(got.a.error, -ECONNRESET);
	assert_string_equal(got.body, "");
	assert_non_null(strstr(got.why, "cut off"));
	ask_simply(
		"CLOSE"
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
	assert_int_equal(got.a.error, -ECONNRESET);
	ask_simply("CLOSE");
	assert_int_equal(got.a.error, -ECONNRESET);
}

static void a_redirect_is_reported_and_not_followed(void **state)
{
	(void)state;
	ask_simply("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
		   "Content-Length: 0\r\n\r\n");
	assert_int_equal(got.a.error, 0);
	assert_int_equal(got.a.status, 302);
	assert_string_equal(got.location, "file:///etc/passwd");
	assert_int_equal(server.requests, 1);
}

static void a_body_without_end_is_given_up_at_the_bound(void **state)
{
	(void)state;
	ask_simply("ENDLESSHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "20\r\n0123456789abcdef0123456789abcdef\r\n");
	assert_int_equal(got.a.error, -EFBIG);
	assert_non_null(strstr(got.why, "1048576"));
	/* One that says how long it is, is not even begun. */
	ask_simply("STALL" OK("1048577\r\n\r\nabc"));
	assert_int_equal(got.a.error, -EFBIG);
}

static void a_flood_of_headers_is_given_up(void **state)
{
	static char flood[100000];
	int n = snprintf(flood, sizeof(flood), "HTTP/1.1 200 OK\r\n");

	(void)state;
	while (n < 90000)
		n += snprintf(flood + n, sizeof(flood) - (size_t)n, "X-A%d: %060d\r\n",
			      n, 1);
	snprintf(flood + n, sizeof(flood) - (size_t)n, "Content-Length: 0\r\n\r\n");
	ask_simply(flood);
	assert_int_equal(got.a.error, -EFBIG);
	assert_non_null(strstr(got.why, "headers"));
}

/* 8 MiB of zeros in 8 KiB: the bound is on what comes out. */
static void a_gzip_bomb_is_given_up_at_the_bound_of_what_comes_out(void **state)
{
	static unsigned char zeros[8 << 20], packed[65536];
	struct http_pool *h = pool_of(&open_params);
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct http_request r = {.target = "/"};
	z_stream z = {0};
	char url[64], head[200], in[2048];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	(void)state;
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, 0), Z_OK);
	z.next_in = zeros, z.avail_in = sizeof(zeros);
	z.next_out = packed, z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(a.sin_port));
	memset(&got, 0, sizeof(got));
	r.base_url = url;
	assert_int_equal(http_send(h, &r, keep_answer, NULL, NULL), 0);
	assert_int_equal(http_step(h, 0), 0);
	fd = accept(listener, NULL, NULL);
	assert_int_equal(http_step(h, 100 * NS_PER_MS), 0);
	assert_true(recv(fd, in, sizeof(in), 0) > 0);
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
		 "%lu\r\n\r\n",
		 z.total_out);
	send(fd, head, strlen(head), MSG_NOSIGNAL);
	send(fd, packed, z.total_out, MSG_NOSIGNAL);
	await(h, 1);
	assert_int_equal(got.a.error, -EFBIG);
	assert_non_null(strstr(got.why, "unpacked"));
	deflateEnd(&z);
	http_pool_free(h);
	close(fd);
	close(listener);
}

static void silence_ends_in_time(void **state)
{
	struct http_params p = open_params;
	int64_t began = clock_mono_ns();

	(void)state;
	p.total_ns = 300 * NS_PER_MS;
	ask((const char *const[]){"STALL" OK("100\r\n\r\n{"), NULL}, &p,
	    &(struct http_request){.target = "/"});
	assert_int_equal(got.a.error, -ETIMEDOUT);
	assert_true(clock_mono_ns() - began < 5 * NS_PER_S);
	p.total_ns = 0;
	p.stall_ns = NS_PER_S;
	ask((const char *const[]){"STALL" OK("100\r\n\r\n{"), NULL}, &p,
	    &(struct http_request){.target = "/"});
	assert_int_equal(got.a.error, -ETIMEDOUT);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
	struct http_params p = {.plain_allowed = true};

	(void)state;
	ask((const char *const[]){OK("2\r\n\r\n{}"), NULL}, &p,
	    &(struct http_request){.target = "/"});
	assert_int_equal(got.a.error, -EPERM);
	assert_non_null(strstr(got.why, "127.0.0.1"));
	assert_int_equal(server.connections, 0);
}

static void what_is_no_request_is_refused_before_it_is_sent(void **state)
{
	static const struct {
		const char *base, *target;
	} bad[] = {
		{"http://vendor.example", "/"}, /* plain, and it is not allowed */
		{"ftp://vendor.example", "/"},
		{"file:///etc/passwd", "/"},
		{"https://", "/"},
		{"https://user:pw@vendor.example", "/"},
		{"https://vendor.example?x", "/"},
		{"https://vendor.example", "x"},
		{"https://vendor.example", "/a b"},
		{"https://vendor.example", "/a\r\nb"},
		{"vendor.example", "/"},
	};
	struct http_pool *h = pool_of(&(struct http_params){0});
	struct http_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = (struct http_request){.base_url = bad[i].base,
					  .target = bad[i].target};
		assert_int_equal(http_send(h, &r, keep_answer, NULL, NULL), -EINVAL);
	}
	r = (struct http_request){.base_url = "https://vendor.example",
				  .target = "/",
				  .headers = "A: b\r\nC: d",
				  .headers_len = 11};
	assert_int_equal(http_send(h, &r, keep_answer, NULL, NULL), -EINVAL);
	assert_int_equal(http_in_flight(h), 0);
	http_pool_free(h);
}

static void cancelled_requests_call_nobody(void **state)
{
	struct http_pool *h = pool_of(&open_params);
	struct http_transfer *t;
	struct http_request r = {.target = "/"};

	(void)state;
	server_start(&server, (const char *const[]){"STALL" OK("9\r\n\r\n{"), NULL});
	memset(&got, 0, sizeof(got));
	r.base_url = server.url;
	assert_int_equal(http_send(h, &r, keep_answer, NULL, &t), 0);
	assert_int_equal(http_send(h, &r, keep_answer, NULL, NULL), 0);
	assert_int_equal(http_step(h, 50 * NS_PER_MS), 0);
	http_cancel(t);
	assert_int_equal(http_in_flight(h), 1);
	http_pool_free(h);
	assert_int_equal(got.calls, 0);
	server_stop(&server);
}

static void *wake_soon(void *arg)
{
	http_wake(arg);
	return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
	struct http_pool *h = pool_of(&open_params);
	int64_t began = clock_mono_ns();
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, wake_soon, h), 0);
	assert_int_equal(http_step(h, 30 * NS_PER_S), 0);
	assert_true(clock_mono_ns() - began < 10 * NS_PER_S);
	pthread_join(t, NULL);
	http_pool_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_arrives_with_its_headers),
		cmocka_unit_test(a_form_is_posted),
		cmocka_unit_test(one_connection_serves_many_requests),
		cmocka_unit_test(a_cut_answer_is_no_answer),
		cmocka_unit_test(a_redirect_is_reported_and_not_followed),
		cmocka_unit_test(a_body_without_end_is_given_up_at_the_bound),
		cmocka_unit_test(a_flood_of_headers_is_given_up),
		cmocka_unit_test(
			a_gzip_bomb_is_given_up_at_the_bound_of_what_comes_out),
		cmocka_unit_test(silence_ends_in_time),
		cmocka_unit_test(a_private_address_is_refused_unless_allowed),
		cmocka_unit_test(what_is_no_request_is_refused_before_it_is_sent),
		cmocka_unit_test(cancelled_requests_call_nobody),
		cmocka_unit_test(a_wake_ends_the_wait),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
