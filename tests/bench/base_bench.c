/*
 * base_bench - what the units of base/ cost, each as the best of five rounds.
 *
 * The best, since whatever disturbs a round only makes it slower.
 */
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/decimal.h"
#include "base/histogram.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "base/timetext.h"
#include "base/tz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 5
#define CALLS  1000000

static char text[64];
static size_t text_len;
static uint64_t sink;
static uint8_t *block;
static struct histogram histogram;
static struct mailbox *mailbox;
static struct parker parker;
static struct tz *zone;

static void print_price(uint64_t i)
{
	sink += decimal_print(text, (int64_t)(1387100000 + i * 10000), 9);
}

static void parse_price(uint64_t i)
{
	int64_t v = 0;

	text[6] = (char)('0' + i % 10);
	(void)decimal_parse(text, text_len, 9, &v);
	sink += (uint64_t)v;
}

static void print_time(uint64_t i)
{
	sink += timetext_print(text, (int64_t)(1700000000123456789u + i * 1000003));
}

static void parse_time(uint64_t i)
{
	int64_t v = 0;

	text[18] = (char)('0' + i % 10);
	(void)timetext_parse(text, text_len, &v);
	sink += (uint64_t)v;
}

static void print_short_double(uint64_t i)
{
	sink += jsonw_print_f64(text, (double)i / 1e5 + 1);
}

static void print_long_double(uint64_t i)
{
	sink += jsonw_print_f64(text, (double)i / 3 + 1);
}

static void sum_record(uint64_t i)
{
	sink += crc32c(0, block + (i & 63), 96);
}

static void parse_json(uint64_t i)
{
	static const char doc[] =
		"{\"op\":\"subscribe\",\"symbols\":[\"EURUSD\",\"BTC-USD\"],"
		"\"from\":\"1700000000123456789\",\"n\":12.5}";
	struct json *root;

	sink += i;
	if (json_parse(doc, sizeof(doc) - 1, &root) != 0)
		abort();
	json_free(root);
}

static void count_latency(uint64_t i)
{
	histogram_add(&histogram, (int64_t)(i * 37));
}

static void pass_letter(uint64_t i)
{
	uint64_t letter = i;

	(void)mailbox_post(mailbox, &letter);
	(void)mailbox_take(mailbox, &letter);
	sink += letter;
}

static void wake_nobody(uint64_t i)
{
	sink += i;
	parker_wake(&parker);
}

static void find_offset(uint64_t i)
{
	sink += (uint64_t)tz_offset_s(zone, (int64_t)(1000000000 + i * 601));
}

static void measure(const char *name, void (*fn)(uint64_t), uint64_t calls)
{
	int64_t best = INT64_MAX;

	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t from = clock_mono_ns(), took;

		for (uint64_t i = 0; i < calls; i++)
			fn(i);
		took = clock_mono_ns() - from;
		best = took < best ? took : best;
	}
	(void)printf("%-28s %8.1f ns\n", name, (double)best / (double)calls);
}

static void measure_crc(size_t bytes)
{
	int64_t best = INT64_MAX;

	for (unsigned round = 0; round < 4 * ROUNDS; round++) {
		int64_t from = clock_mono_ns(), took;

		for (size_t at = 0; at + bytes <= 1 << 22; at += bytes)
			sink += crc32c(0, block + at % (1 << 16), bytes);
		took = clock_mono_ns() - from;
		best = took < best ? took : best;
	}
	(void)printf("crc32c of %-8zu B          %8.2f GB/s\n", bytes,
		     (double)(1 << 22) / (double)best);
}

int main(void)
{
	block = malloc(1 << 21);
	if (!block || mailbox_new(1024, 8, NULL, NULL, &mailbox) < 0)
		return 1;
	for (size_t i = 0; i < 1 << 21; i++)
		block[i] = (uint8_t)(i * 131);
	parker_init(&parker);

	measure("decimal_print 1.3871", print_price, CALLS);
	text_len = (size_t)snprintf(text, sizeof(text), "1.38710");
	measure("decimal_parse 1.38710", parse_price, CALLS);
	measure("timetext_print", print_time, CALLS);
	text_len = (size_t)snprintf(text, sizeof(text), "2014-05-05T00:00:23.668Z");
	measure("timetext_parse", parse_time, CALLS);
	measure("jsonw_print_f64 short", print_short_double, CALLS);
	measure("jsonw_print_f64 17 digits", print_long_double, CALLS / 10);
	measure("json_parse 92 bytes", parse_json, CALLS / 10);
	measure("crc32c of 96 bytes", sum_record, CALLS);
	measure("histogram_add", count_latency, CALLS);
	measure("mailbox post and take", pass_letter, CALLS);
	measure("parker_wake, nobody asleep", wake_nobody, CALLS);
	if (tz_load("America/New_York", &zone) == 0)
		measure("tz_offset_s", find_offset, CALLS);
	for (size_t bytes = 256; bytes <= 1 << 16; bytes *= 4)
		measure_crc(bytes);
	tz_free(zone);
	mailbox_free(mailbox);
	free(block);
	return sink == 0;
}
