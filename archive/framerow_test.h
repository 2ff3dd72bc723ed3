/* framerow_test - frames to put, and one number out of the views. */
#pragma once
#include "archive/archive_test.h"
#include "archive/framerow.h"
#include "archive/views.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/sample_test.h"

/* Append one event as a frame of its own. */
static inline void test_add(struct buf *out, enum event_kind kind, const void *event)
{
	size_t cap = kind == EVENT_TIER2
			     ? frame_matrix_size(SAMPLE_MEMBERS, SAMPLE_ROWS)
			     : frame_size_max(kind);
	void *data = malloc(cap);
	struct frame f;
	uint32_t n;

	assert_non_null(data);
	frame_begin(&f, data, cap, kind, 1);
	assert_int_equal(frame_add(&f, event), 0);
	n = (uint32_t)frame_seal(&f, 1, 0);
	buf_add(out, &n, sizeof(n));
	buf_add(out, data, n);
	free(data);
}

static inline struct archive_put test_frames(struct archive *a, const struct buf *bulk,
					     const char *sources)
{
	struct framerow_sum got;
	struct archive_put sum;
	struct json *names = NULL;

	if (sources)
		assert_int_equal(json_parse(sources, strlen(sources), &names), 0);
	if (framerow_stage(a, bulk->data, bulk->len, names, &got) != 0)
		fail_msg("%s", err_text());
	assert_int_equal(archive_put_done(a, &sum), 0);
	json_free(names);
	return sum;
}

/* One of each; rows: a tick, a bar, a vector, three cells and a lagging member,
   an article. */
static inline void test_samples(struct buf *out)
{
	struct event_tick tick = sample_tick();
	struct event_bar bar = sample_bar();
	struct event_tier1 tier1 = sample_tier1();
	struct event_status status = sample_status();
	struct sample_matrix matrix = sample_matrix();
	struct event_news news = sample_news();

	bar.bar_start_ns -= bar.bar_start_ns % MINUTE_NS;
	test_add(out, EVENT_TICK, &tick);
	test_add(out, EVENT_BAR, &bar);
	test_add(out, EVENT_STATUS, &status);
	test_add(out, EVENT_TIER2, &matrix);
	test_add(out, EVENT_TIER1, &tier1);
	test_add(out, EVENT_NEWS, &news);
}

static inline int64_t test_one(struct archive *a, const char *sql)
{
	struct duck *d;
	int64_t v = 0;

	assert_int_equal(archive_reader(a, &d), 0);
	if (views_make(a, d, NULL, false) != 0 || duck_row_i64(d, sql, -1, &v, 1) != 0)
		fail_msg("%s: %s", sql, err_text());
	return v;
}
