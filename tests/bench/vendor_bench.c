/*
 * vendor_bench - a page of 10,000 bars, bytes to bars: ours, and cJSON's tree alone
 * beside it; then messages of a stream to ticks.  Interleaved rounds, medians;
 *"vendor_bench PREFIX" also writes the pages to PREFIX-alpaca.json and
 *PREFIX-polygon.json, for a look with other tools:
 *
 *	python3 -m timeit -s "import json; s=open('x-alpaca.json','rb').read()" \
 *		"json.loads(s)"
 */
#include "base/clock.h"
#include "base/timetext.h"
#include "feeds/alpaca.h"
#include "feeds/polygon.h"
#include "feeds/stream.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BARS   10000
#define ROUNDS 15
#define EVENTS 400

typedef int (*parse_fn)(const struct vendor_settings *s, const struct vendor_ask *a,
			const char *next, const char *body, size_t len,
			struct vendor_page *out);

static const char *const symbols[] = {"MSFT"};

/* A price of a walk in cents, now and then with four decimals. */
static double price(unsigned i, unsigned k)
{
	unsigned v = (i * 7919 + k * 104729) % 4096;

	return v % 10 == 0 ? 319.0 + v / 10000.0 : 319.0 + v / 100 / 100.0;
}

static void alpaca_page(struct buf *b)
{
	int64_t ns = INT64_C(1692950400) * NS_PER_S;
	char t[TIMETEXT_MAX];

	buf_printf(b, "{\"bars\":{\"MSFT\":[");
	for (unsigned i = 0; i < BARS; i++, ns += 60 * NS_PER_S) {
		timetext_print(t, ns);
		buf_printf(b,
			   "%s{\"t\":\"%s\",\"o\":%.10g,\"h\":%.10g,\"l\":%.10g,\"c\":%"
			   ".10g,"
			   "\"v\":%u,\"n\":%u,\"vw\":%.6f}",
			   i ? "," : "", t, price(i, 1), price(i, 2), price(i, 3),
			   price(i, 4), i * 7919 % 90000 + 1, i % 900 + 1, price(i, 5));
	}
	buf_printf(b, "]},\"next_page_token\":\"TVNGVHxNfDIwMjMtMDgtMjhUMTA6MDI6==\"}");
}

static void polygon_page(struct buf *b)
{
	int64_t ms = INT64_C(1692950400000);

	buf_printf(b,
		   "{\"ticker\":\"MSFT\",\"queryCount\":%d,\"resultsCount\":%d,"
		   "\"adjusted\":true,\"results\":[",
		   BARS, BARS);
	for (unsigned i = 0; i < BARS; i++, ms += 60000)
		buf_printf(
			b,
			"%s{\"v\":%u.0,\"vw\":%.4f,\"o\":%.10g,\"c\":%.10g,\"h\":%.10g,"
			"\"l\":%.10g,\"t\":%lld,\"n\":%u}",
			i ? "," : "", i * 7919 % 90000 + 1, price(i, 5), price(i, 1),
			price(i, 4), price(i, 2), price(i, 3), (long long)ms,
			i % 900 + 1);
	buf_printf(b, "],\"status\":\"OK\",\"request_id\":\"0\",\"count\":%d}", BARS);
}

static double ours(parse_fn parse, const struct buf *body, struct vendor_page *p)
{
	struct vendor_settings s = {0};
	struct vendor_ask a = {.what = VENDOR_BARS,
			       .symbols = symbols,
			       .n_symbols = 1,
			       .end_ns = INT64_MAX,
			       .step_s = 60};
	int64_t from = clock_mono_ns();

	vendor_page_reset(p);
	if (parse(&s, &a, "", (const char *)body->data, body->len, p) != 0 ||
	    p->bars.len != BARS * sizeof(struct vendor_bar))
		abort();
	return (double)(clock_mono_ns() - from);
}

static double cjson(const struct buf *body)
{
	int64_t from = clock_mono_ns();
	cJSON *tree = cJSON_ParseWithLength((const char *)body->data, body->len);
	int64_t to = clock_mono_ns();

	if (!tree)
		abort();
	cJSON_Delete(tree);
	return (double)(to - from);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const char *vendor, const char *way, const struct buf *body,
		   double *ns)
{
	qsort(ns, ROUNDS, sizeof(double), ascending);
	printf("vendor_page vendor=%s way=%s bars=%d bytes=%zu median_MB_s=%.0f "
	       "best_MB_s=%.0f ns_per_bar=%.0f\n",
	       vendor, way, BARS, body->len, (double)body->len * 1e3 / ns[ROUNDS / 2],
	       (double)body->len * 1e3 / ns[0], ns[ROUNDS / 2] / BARS);
}

static void run(const char *vendor, parse_fn parse, const struct buf *body,
		const char *prefix)
{
	double mine[ROUNDS], theirs[ROUNDS];
	struct vendor_page p = {0};

	(void)ours(parse, body, &p);
	for (int r = 0; r < ROUNDS; r++) {
		mine[r] = ours(parse, body, &p);
		theirs[r] = cjson(body);
	}
	report(vendor, "tickbus", body, mine);
	report(vendor, "cJSON", body, theirs);
	vendor_page_free(&p);
	if (prefix) {
		char path[4096];
		FILE *f;

		(void)snprintf(path, sizeof(path), "%s-%s.json", prefix, vendor);
		f = fopen(path, "wb");
		if (!f || fwrite(body->data, 1, body->len, f) != body->len ||
		    fclose(f) != 0)
			abort();
	}
}

/* A message of a busy moment: trades and quotes, half of each. */
static void stream_message(struct buf *b, bool is_alpaca)
{
	for (unsigned i = 0; i < EVENTS; i++) {
		buf_printf(b, "%s{", i ? "," : "[");
		if (is_alpaca && i % 2)
			buf_printf(
				b,
				"\"T\":\"t\",\"S\":\"MSFT\",\"i\":%u,\"x\":\"D\","
				"\"p\":%.10g,\"s\":%u,\"c\":[\"@\",\"I\"],\"z\":\"C\","
				"\"t\":\"2021-02-22T15:51:44.%09uZ\"}",
				i, price(i, 1), i % 900 + 1, i * 7919);
		else if (is_alpaca)
			buf_printf(
				b,
				"\"T\":\"q\",\"S\":\"MSFT\",\"bx\":\"U\",\"bp\":%.10g,"
				"\"bs\":%u,\"ax\":\"Q\",\"ap\":%.10g,\"as\":4,\"c\":"
				"[\"R\"],\"z\":\"C\",\"t\":\"2021-02-22T15:51:44.%"
				"09uZ\"}",
				price(i, 1), i % 9 + 1, price(i, 2), i * 7919);
		else if (i % 2)
			buf_printf(b,
				   "\"ev\":\"T\",\"sym\":\"MSFT\",\"i\":\"%u\",\"x\":4,"
				   "\"p\":%.10g,\"s\":%u,\"c\":[14,37],\"t\":"
				   "1651684192%03u,"
				   "\"q\":%u,\"z\":3}",
				   i, price(i, 1), i % 900 + 1, i % 1000, i);
		else
			buf_printf(
				b,
				"\"ev\":\"Q\",\"sym\":\"MSFT\",\"bx\":4,\"bp\":%.10g,"
				"\"bs\":%u,\"ax\":7,\"ap\":%.10g,\"as\":4,\"c\":0,"
				"\"t\":1651684192%03u,\"q\":%u,\"z\":3}",
				price(i, 1), i % 9 + 1, price(i, 2), i % 1000, i);
	}
	buf_printf(b, "]");
}

static int take(void *arg, const struct feed_tick *t)
{
	*(int64_t *)arg += t->rec.event_ns & 1;
	return 0;
}

static void say(const struct stream_ops *ops, struct stream *st, const char *text)
{
	struct buf out = {0};

	if (ops->input(st, text, strlen(text), &out) != 0)
		abort();
	secret_wipe(&out);
}

static void run_stream(const struct stream_ops *ops, bool is_alpaca)
{
	struct stream_want w = {
		.symbols = symbols, .n_symbols = 1, .trades = true, .quotes = true};
	struct vendor_settings s = {0};
	struct secret *key = NULL;
	struct stream *st = NULL;
	struct buf message = {0};
	double ns[ROUNDS];
	int64_t odd = 0;
	struct stream_sink sink = {.arg = &odd, .tick = take};

	if (secret_new("KEY", 3, &key) != 0)
		abort();
	s.key = s.key_secret = key;
	if (ops->open(&s, &w, &sink, &st) != 0)
		abort();
	say(ops, st,
	    is_alpaca ? "[{\"T\":\"success\",\"msg\":\"connected\"}]"
		      : "[{\"ev\":\"status\",\"status\":\"connected\"}]");
	say(ops, st,
	    is_alpaca ? "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"
		      : "[{\"ev\":\"status\",\"status\":\"auth_success\"}]");
	stream_message(&message, is_alpaca);
	for (int r = 0; r < ROUNDS; r++) {
		int64_t from = clock_mono_ns();

		for (int i = 0; i < 50; i++)
			say(ops, st, buf_text(&message));
		ns[r] = (double)(clock_mono_ns() - from) / 50;
	}
	qsort(ns, ROUNDS, sizeof(double), ascending);
	printf("vendor_stream vendor=%s events=%d bytes=%zu median_MB_s=%.0f "
	       "ticks_per_s=%.0f\n",
	       ops->name, EVENTS, message.len,
	       (double)message.len * 1e3 / ns[ROUNDS / 2],
	       EVENTS * 1e9 / ns[ROUNDS / 2]);
	ops->close(st);
	secret_free(key);
	buf_free(&message);
}

int main(int argc, char **argv)
{
	const char *prefix = argc > 1 ? argv[1] : NULL;
	struct buf alpaca = {0}, polygon = {0};

	alpaca_page(&alpaca);
	polygon_page(&polygon);
	run("alpaca", alpaca_parse, &alpaca, prefix);
	run("polygon", polygon_parse, &polygon, prefix);
	run_stream(&alpaca_stream_ops, true);
	run_stream(&polygon_stream_ops, false);
	buf_free(&alpaca);
	buf_free(&polygon);
	return 0;
}
