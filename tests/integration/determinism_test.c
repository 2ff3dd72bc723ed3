/*
 * The same log gives the same bytes of every derived event with 1, 2 and 4
 * workers, with roomy and with tiny rings, and when the log is read again from
 * the disk (semantics A.6).  A stream's digest is SHA-256 over the SBE blocks and,
 * apart, over the JSON lines of one (kind, symbol), tier2: (universe, timeframe).
 */
#include "base/sha256.h"
#include "proto/event_json.h"
#include "proto/frame.h"
#include "tests/integration/market.h"
#include "tests/integration/tempdir.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SYMBOLS MARKET_SYMBOLS
#define RECORDS 60000

struct digest {
	struct sha256 sbe, json;
	uint64_t n;
};

struct digests {
	struct digest of[EVENT_KINDS][SYMBOLS];
	uint8_t sbe[EVENT_KINDS][SYMBOLS][32];
	uint8_t json[EVENT_KINDS][SYMBOLS][32];
};

static size_t stream_of(enum event_kind kind, const void *event)
{
	switch (kind) {
	case EVENT_TICK:
		return ((const struct event_tick *)event)->symbol_id;
	case EVENT_BAR:
		return ((const struct event_bar *)event)->symbol_id;
	case EVENT_TIER1:
		return ((const struct event_tier1 *)event)->symbol_id;
	case EVENT_STATUS:
		return ((const struct event_status *)event)->symbol_id;
	default:
		return ((const struct event_tier2 *)event)->universe[0] == 'a' ? 0 : 1;
	}
}

/* Receive times are the wall's and differ between two ingests of the same ticks. */
static void *without_receipt(const void *event, size_t len)
{
	struct event_head *copy = malloc(len);

	memcpy(copy, event, len);
	copy->recv_ns = 0;
	return copy;
}

static void on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct digests *d = arg;
	struct digest *of = &d->of[kind][stream_of(kind, event)];
	const struct event_json_ctx ctx = {.epoch = 1};
	struct event_head *e = without_receipt(event, len);
	struct buf json = {0};

	sha256_add(&of->sbe, e, len);
	if (kind == EVENT_TIER2) {
		const struct event_tier2 *m = (const void *)e;
		const struct tier2_member *members = (const void *)(m + 1);

		event_json_tier2(&json, m, members,
				 (const double *)(members + m->n_members), &ctx);
	} else {
		json.len = event_json_any((char *)buf_reserve(&json, EVENT_JSON_MAX),
					  kind, e, &ctx);
	}
	sha256_add(&of->json, json.data, json.len);
	of->n++;
	buf_free(&json);
	free(e);
}

static struct digests *run(uint32_t n_workers, uint32_t slots, const char *dir,
			   bool feed)
{
	struct digests *d = calloc(1, sizeof(*d));
	struct params params;
	struct pipeline_env env = {.params = &params,
				   .n_workers = n_workers,
				   .ring_slots = slots,
				   .dir = dir,
				   .too_old_ns = INT64_C(86400000000000),
				   .future_ns = INT64_C(10000000000),
				   .sink = on_event,
				   .arg = d};
	struct pipeline *p;

	for (int k = 0; k < EVENT_KINDS; k++)
		for (int s = 0; s < SYMBOLS; s++) {
			sha256_init(&d->of[k][s].sbe);
			sha256_init(&d->of[k][s].json);
		}
	market_params(&params);
	p = pipeline_new(&env);
	if (feed)
		market_feed(p, RECORDS);
	pipeline_run(p);
	pipeline_free(p);
	params_deinit(&params);
	for (int k = 0; k < EVENT_KINDS; k++)
		for (int s = 0; s < SYMBOLS; s++) {
			sha256_done(&d->of[k][s].sbe, d->sbe[k][s]);
			sha256_done(&d->of[k][s].json, d->json[k][s]);
		}
	return d;
}

static void assert_same(const struct digests *a, const struct digests *b)
{
	for (int k = 0; k < EVENT_KINDS; k++)
		for (int s = 0; s < SYMBOLS; s++) {
			assert_int_equal(a->of[k][s].n, b->of[k][s].n);
			assert_memory_equal(a->sbe[k][s], b->sbe[k][s], 32);
			assert_memory_equal(a->json[k][s], b->json[k][s], 32);
		}
}

static void any_number_of_workers_gives_the_same_bytes(void **state)
{
	char dir[4][TEMPDIR_MAX];
	struct digests *one, *two, *four, *tiny, *again;

	(void)state;
	for (int i = 0; i < 4; i++)
		tempdir_new(dir[i]);
	one = run(1, 0, dir[0], true);
	two = run(2, 0, dir[1], true);
	four = run(4, 0, dir[2], true);
	tiny = run(3, 16, dir[3], true);
	assert_same(one, two);
	assert_same(one, four);
	assert_same(one, tiny);
	/* Not vacuous: every kind came, for many symbols. */
	assert_true(one->of[EVENT_TICK][SYMBOLS - 1].n > 100);
	assert_true(one->of[EVENT_BAR][SYMBOLS - 1].n > 100);
	assert_true(one->of[EVENT_TIER1][0].n > 100);
	assert_true(one->of[EVENT_TIER2][0].n > 5);
	assert_true(one->of[EVENT_TIER2][1].n > 100);
	/* ... and differs between symbols. */
	assert_memory_not_equal(one->sbe[EVENT_BAR][0], one->sbe[EVENT_BAR][1], 32);

	again = run(2, 0, dir[0], false);
	assert_same(one, again);
	free(one);
	free(two);
	free(four);
	free(tiny);
	free(again);
	for (int i = 0; i < 4; i++)
		tempdir_remove(dir[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_workers_gives_the_same_bytes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
