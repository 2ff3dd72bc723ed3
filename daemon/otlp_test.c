/* otlp_test - spans of a step by hand, and what a collector's answers mean. */
#include "base/json.h"
#include "daemon/otlp.h"
#include "daemon/trace_step_test.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

static const uint8_t bytes[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* The spans array of the request; *@root must be freed. */
static const struct json *encode(const struct otlp_trace *t, size_t n,
				 struct json **root)
{
	struct otlp_resource r;
	struct buf b = {0};
	const struct json *scope;
	uint32_t spans;

	otlp_resource_init(&r, bytes, 3);
	spans = otlp_encode(&r, t, n, &b);
	assert_int_equal(json_parse((const char *)b.data, b.len, root), 0);
	buf_free(&b);
	scope = json_at(
		json_get(json_at(json_get(*root, "resourceSpans"), 0), "scopeSpans"),
		0);
	assert_int_equal(json_len(json_get(scope, "spans")), spans);
	return json_get(scope, "spans");
}

static void a_step_is_a_root_and_its_stages(void **state)
{
	static const struct {
		const char *name, *from, *to;
	} want[] = {{"record", "100000000000", "110000000000"},
		    {"commit", "100000000000", "101000000000"},
		    {"dispatch", "101000000000", "101500000000"},
		    {"tick", "101500000000", "102000000000"},
		    {"worker", "101500000000", "103000000000"},
		    {"worker", "101500000000", "104000000000"},
		    {"tier2", "104000000000", "106000000000"},
		    {"publish", "106000000000", "110000000000"}};
	const struct otlp_trace t = {.step = whole};
	struct json *root;
	const struct json *spans = encode(&t, 1, &root);
	const char *parent = json_str(json_get(json_at(spans, 0), "spanId"), "");

	(void)state;
	assert_int_equal(json_len(spans), 8);
	assert_int_equal(otlp_spans(&whole), 8);
	for (size_t i = 0; i < 8; i++) {
		const struct json *s = json_at(spans, i);

		assert_string_equal(json_str(json_get(s, "name"), ""), want[i].name);
		assert_string_equal(json_str(json_get(s, "startTimeUnixNano"), ""),
				    want[i].from);
		assert_string_equal(json_str(json_get(s, "endTimeUnixNano"), ""),
				    want[i].to);
		assert_string_equal(json_str(json_get(s, "traceId"), ""),
				    "ffffffffffff4fff0000000000000007");
		assert_string_equal(json_str(json_get(s, "parentSpanId"), "none"),
				    i == 0 ? "none" : parent);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
				json_str(json_get(s, "spanId"), ""),
				json_str(json_get(json_at(spans, k), "spanId"), ""));
	}
	json_free(root);
}

static void what_is_not_known_is_no_span(void **state)
{
	struct otlp_trace t = {.step = whole};
	struct json *root;
	const struct json *spans;

	(void)state;
	t.step.at_ns[TRACE_COMMIT] = 0; /* commit, dispatch */
	t.step.last_tick = 0;           /* tick */
	t.step.at_ns[TRACE_WORKER] = 0; /* a worker, tier2 */
	spans = encode(&t, 1, &root);
	assert_int_equal(json_len(spans), 3);
	assert_int_equal(otlp_spans(&t.step), 3);
	json_free(root);
}

static void no_span_ends_before_it_begins(void **state)
{
	struct otlp_trace t = {.step = whole};
	struct json *root;
	const struct json *root_span;

	(void)state;
	t.step.recv_ns = 200 * S; /* the clock was set back */
	root_span = json_at(encode(&t, 1, &root), 0);
	assert_string_equal(json_str(json_get(root_span, "endTimeUnixNano"), ""),
			    "200000000000");
	json_free(root);
}

static struct otlp_verdict judge(int error, long status, const char *retry_after,
				 const char *body, uint32_t attempt)
{
	const struct otlp_answer a = {.error = error,
				      .status = status,
				      .retry_after = retry_after,
				      .body = body,
				      .len = strlen(body),
				      .spans = 20,
				      .attempt = attempt,
				      .wall_ns = 0};
	struct otlp_verdict v;
	struct rng chance;

	rng_seed(&chance, 1);
	otlp_judge(&a, &chance, &v);
	return v;
}

static void what_may_be_sent_again(void **state)
{
	static const long again[] = {429, 502, 503, 504};
	static const long never[] = {301, 400, 401, 403, 404, 408, 413, 500, 501, 505};

	(void)state;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		assert_int_equal(judge(0, again[i], "", "", 1).action, OTLP_AGAIN);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(judge(0, never[i], "", "", 1).action, OTLP_REFUSED);
	assert_int_equal(judge(-ECONNREFUSED, 0, "", "", 1).action, OTLP_AGAIN);
	assert_int_equal(judge(-ETIMEDOUT, 0, "", "", 1).action, OTLP_AGAIN);
	assert_int_equal(judge(-EACCES, 0, "", "", 1).action, OTLP_REFUSED);
	assert_int_equal(judge(-EFBIG, 0, "", "", 1).action, OTLP_REFUSED);
}

static void the_wait_is_told_or_doubles(void **state)
{
	(void)state;
	assert_int_equal(judge(0, 503, "7", "", 1).wait_ns, 7 * S);
	assert_int_equal(judge(0, 429, "Thu, 01 Jan 1970 00:00:09 GMT", "", 1).wait_ns,
			 9 * S);
	assert_int_equal(judge(0, 503, "86400", "", 1).wait_ns, 300 * S);
	assert_int_equal(judge(0, 503, "0", "", 1).wait_ns, S / 10);
	for (uint32_t attempt = 1; attempt < 100; attempt++) {
		int64_t whole_ns = attempt < 6 ? S << (attempt - 1) : 30 * S;
		int64_t wait = judge(0, 503, "soon", "", attempt).wait_ns;

		whole_ns = whole_ns < 30 * S ? whole_ns : 30 * S;
		assert_true(wait > whole_ns / 2 - 1 && wait <= whole_ns);
	}
}

static void a_partial_success_is_understood(void **state)
{
	static const struct {
		const char *body;
		uint64_t rejected;
		const char *text;
	} all[] = {
		{"{}", 0, ""},
		{"", 0, ""},
		{"<html>", 0, ""},
		{"[1]", 0, ""},
		{"{\"partialSuccess\":{}}", 0, ""},
		{"{\"partialSuccess\":null}", 0, ""},
		{"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"no\"}"
		 "}",
		 3, "no"},
		{"{\"partialSuccess\":{\"rejectedSpans\":3}}", 3, ""},
		{"{\"partialSuccess\":{\"rejectedSpans\":\"99\"}}", 20, ""},
		{"{\"partialSuccess\":{\"rejectedSpans\":-1,\"errorMessage\":7}}", 0,
		 ""},
		{"{\"partialSuccess\":{\"errorMessage\":\"slower, please\"}}", 0,
		 "slower, please"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct otlp_verdict v = judge(0, 200, "", all[i].body, 1);

		assert_int_equal(v.action, OTLP_TAKEN);
		assert_int_equal(v.rejected, all[i].rejected);
		assert_string_equal(v.text, all[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_a_root_and_its_stages),
		cmocka_unit_test(what_is_not_known_is_no_span),
		cmocka_unit_test(no_span_ends_before_it_begins),
		cmocka_unit_test(what_may_be_sent_again),
		cmocka_unit_test(the_wait_is_told_or_doubles),
		cmocka_unit_test(a_partial_success_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
