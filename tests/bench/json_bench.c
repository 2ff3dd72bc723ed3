/*
 * json_bench - one tick as a line of JSON: by hand, by snprintf, by cJSON.
 * Interleaved rounds, medians; the by-hand line is meant to cost 150 ns.
 */
#include "base/clock.h"
#include "base/timetext.h"
#include "proto/event_json.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 7
#define LINES  200000

static struct event_tick sample(uint64_t i)
{
	struct event_tick e = {
		.head = {i, 1000 + i, INT64_C(1767623400500000000) + (int64_t)i,
			 INT64_C(1767623400600000000) + (int64_t)i},
		.price_e9 = INT64_C(187250000000) + (int64_t)(i % 997) * 10000000,
		.size_e8 = INT64_C(10000000000),
		.bid_e9 = INT64_C(187240000000),
		.ask_e9 = INT64_C(187260000000),
		.bid_size_e8 = INT64_C(30000000000),
		.ask_size_e8 = INT64_C(20000000000),
		.source_seq = i,
		.source_id = 1};

	memcpy(e.symbol, "AAPL", 4);
	return e;
}

static size_t by_hand(char *buf, const struct event_tick *e,
		      const struct event_json_ctx *ctx)
{
	return event_json_tick(buf, e, ctx);
}

static double units(int64_t v, double scale)
{
	return (double)v / scale;
}

static size_t by_snprintf(char *buf, const struct event_tick *e,
			  const struct event_json_ctx *ctx)
{
	char t[3][TIMETEXT_MAX] = {{0}};

	timetext_print(t[0], e->head.event_ns);
	timetext_print(t[1], e->head.recv_ns);
	timetext_print(t[2], ctx->publish_ns);
	return (size_t)snprintf(
		buf, EVENT_JSON_MAX,
		"{\"event\":\"TICK_RECEIVED\",\"symbol\":\"%.32s\",\"time\":\"%s\","
		"\"price\":%.9f,\"size\":%.8f,\"bid\":%.9f,\"ask\":%.9f,\"bid_size\":%."
		"8f,"
		"\"ask_size\":%.8f,\"source\":\"%s\",\"source_seq\":%llu,\"action\":"
		"\"new\","
		"\"cond\":\"%.8s\",\"flags\":[],\"seq\":%llu,\"pos\":%llu,\"recv_"
		"time\":\"%s\","
		"\"publish_time\":\"%s\",\"epoch\":%llu}",
		e->symbol, t[0], units(e->price_e9, 1e9), units(e->size_e8, 1e8),
		units(e->bid_e9, 1e9), units(e->ask_e9, 1e9),
		units(e->bid_size_e8, 1e8), units(e->ask_size_e8, 1e8), ctx->source,
		(unsigned long long)e->source_seq, e->cond,
		(unsigned long long)e->head.seq, (unsigned long long)e->head.pos, t[1],
		t[2], (unsigned long long)ctx->epoch);
}

static size_t by_cjson(char *buf, const struct event_tick *e,
		       const struct event_json_ctx *ctx)
{
	cJSON *o = cJSON_CreateObject();
	char t[3][TIMETEXT_MAX] = {{0}};
	size_t len;

	timetext_print(t[0], e->head.event_ns);
	timetext_print(t[1], e->head.recv_ns);
	timetext_print(t[2], ctx->publish_ns);
	cJSON_AddStringToObject(o, "event", "TICK_RECEIVED");
	cJSON_AddStringToObject(o, "symbol", e->symbol);
	cJSON_AddStringToObject(o, "time", t[0]);
	cJSON_AddNumberToObject(o, "price", units(e->price_e9, 1e9));
	cJSON_AddNumberToObject(o, "size", units(e->size_e8, 1e8));
	cJSON_AddNumberToObject(o, "bid", units(e->bid_e9, 1e9));
	cJSON_AddNumberToObject(o, "ask", units(e->ask_e9, 1e9));
	cJSON_AddNumberToObject(o, "bid_size", units(e->bid_size_e8, 1e8));
	cJSON_AddNumberToObject(o, "ask_size", units(e->ask_size_e8, 1e8));
	cJSON_AddStringToObject(o, "source", ctx->source);
	cJSON_AddNumberToObject(o, "source_seq", (double)e->source_seq);
	cJSON_AddStringToObject(o, "action", "new");
	cJSON_AddStringToObject(o, "cond", e->cond);
	cJSON_AddArrayToObject(o, "flags");
	cJSON_AddNumberToObject(o, "seq", (double)e->head.seq);
	cJSON_AddNumberToObject(o, "pos", (double)e->head.pos);
	cJSON_AddStringToObject(o, "recv_time", t[1]);
	cJSON_AddStringToObject(o, "publish_time", t[2]);
	cJSON_AddNumberToObject(o, "epoch", (double)ctx->epoch);
	cJSON_PrintPreallocated(o, buf, EVENT_JSON_MAX, 0);
	len = strlen(buf);
	cJSON_Delete(o);
	return len;
}

typedef size_t (*print_fn)(char *, const struct event_tick *,
			   const struct event_json_ctx *);

static double round_ns(print_fn print, size_t *bytes)
{
	static char buf[EVENT_JSON_MAX];
	struct event_json_ctx ctx = {.epoch = 5,
				     .publish_ns = INT64_C(1767623400700000000),
				     .source = "sim"};
	int64_t from = clock_mono_ns();

	*bytes = 0;
	for (uint64_t i = 0; i < LINES; i++) {
		struct event_tick e = sample(i);

		*bytes += print(buf, &e, &ctx);
	}
	return (double)(clock_mono_ns() - from) / LINES;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static const struct {
		const char *name;
		print_fn print;
	} ways[] = {
		{"by hand", by_hand}, {"snprintf", by_snprintf}, {"cJSON", by_cjson}};
	double ns[3][ROUNDS];
	size_t bytes[3];

	for (int r = 0; r < ROUNDS; r++)
		for (int w = 0; w < 3; w++)
			ns[w][r] = round_ns(ways[w].print, &bytes[w]);
	for (int w = 0; w < 3; w++) {
		qsort(ns[w], ROUNDS, sizeof(double), ascending);
		printf("json_line way=%s median_ns=%.0f min_ns=%.0f bytes=%zu\n",
		       ways[w].name, ns[w][ROUNDS / 2], ns[w][0], bytes[w] / LINES);
	}
	return 0;
}
