/* dbn_keep_test - what the tests of the DBN reader share: a stream read and kept. */
#pragma once
#include "feeds/dbn.h"
#include "feeds/dbn_make_test.h"
#include "feeds/feed_test.h"
#include <errno.h>

#define DAY_NS  86400000000000
#define T_NS    INT64_C(1609146312576690768) /* 2020-12-28T09:05:12Z */
#define NVDA    6155
#define AAPL    38
#define E9      INT64_C(1000000000)
#define BAR_MAX 8

static const struct make_map maps[] = {{"NVDA", 20201228, 20201229, "6155"},
				       {"AAPL", 20201228, 20201229, "38"},
				       {"BRK.B", 20201229, 20201230, "6155"}};
static const char *const missing[] = {"ZZZZZ"};

/* Everything that a stream gave. */
static struct {
	struct keep keep;
	struct dbn_bar bar[BAR_MAX];
	size_t bars;
	struct dbn_message message[BAR_MAX];
	size_t messages;
	struct dbn_counts counts;
	struct dbn_metadata meta;
} got;

static inline int keep_bar(void *arg, const struct dbn_bar *b)
{
	(void)arg;
	assert_true(got.bars < BAR_MAX);
	got.bar[got.bars++] = *b;
	return 0;
}

static inline int keep_message(void *arg, const struct dbn_message *m)
{
	(void)arg;
	assert_true(got.messages < BAR_MAX);
	got.message[got.messages++] = *m;
	return 0;
}

static const struct dbn_sink sink = {.arg = &got.keep,
				     .tick = keep_tick,
				     .bar = keep_bar,
				     .message = keep_message,
				     .bad = keep_bad};

/* Read @b in two pieces, in blocks of their own so that a byte too far is seen. */
static inline int read_cut(const struct buf *b, const struct dbn_params *p, size_t cut)
{
	size_t from[2] = {0, cut}, to[2] = {cut, b->len};
	struct dbn *d;
	int rc = 0;

	memset(&got, 0, sizeof(got));
	assert_int_equal(dbn_new(p, &d), 0);
	for (int i = 0; i < 2 && rc == 0; i++) {
		size_t len = to[i] - from[i], used = 0;
		uint8_t *piece = malloc(len > 0 ? len : 1);

		if (len > 0)
			memcpy(piece, b->data + from[i], len);
		rc = dbn_read(d, &sink, piece, len, &used);
		if (rc == 0)
			assert_int_equal(used, len);
		free(piece);
	}
	if (rc == 0)
		rc = dbn_end(d);
	got.counts = *dbn_counts(d);
	got.meta = *dbn_metadata(d);
	dbn_free(d);
	return rc;
}

static inline int read_all(const struct buf *b, unsigned take)
{
	const struct dbn_params p = {.take = take};

	return read_cut(b, &p, b->len);
}

static inline void head(struct buf *b, uint8_t version, uint16_t schema)
{
	const struct make_head h = {.version = version,
				    .schema = schema,
				    .maps = maps,
				    .n_maps = 3,
				    .not_found = missing,
				    .n_not_found = 1};

	make_metadata(b, &h);
}
