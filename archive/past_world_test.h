/*
 * past_world_test - a small market whose events are a function of the position: a tick
 * at each, at every tenth bars of all symbols, at every fiftieth a matrix.
 */
#pragma once
#include "archive/archive_test.h"
#include "archive/layout.h"
#include "archive/past.h"
#include "proto/frame.h"

#define WORLD_SYMBOLS 3u
#define WORLD_MEMBERS 2u

struct world {
	uint64_t pos; /* the next one */
	uint64_t salt;
	uint64_t tick_seq[WORLD_SYMBOLS];
	uint64_t bar_seq[WORLD_SYMBOLS];
	uint64_t bar_chain[WORLD_SYMBOLS];
	uint64_t matrix_seq;
	uint64_t matrix_chain;
};

static void world_name(char out[SYMBOL_MAX], unsigned i)
{
	memset(out, 0, SYMBOL_MAX);
	(void)snprintf(out, SYMBOL_MAX, "S%u/B", i);
}

static void world_frame(struct buf *bulk, enum event_kind kind, const void *event,
			size_t cap)
{
	struct frame f;
	uint32_t len;
	uint8_t *data = malloc(cap);

	frame_begin(&f, data, cap, kind, 1);
	assert_int_equal(frame_add(&f, event), 0);
	len = (uint32_t)frame_seal(&f, 0, 0);
	buf_add(bulk, &len, sizeof(len));
	buf_add(bulk, data, len);
	free(data);
}

static void world_tick(struct world *w, struct buf *bulk)
{
	unsigned i = (unsigned)(w->pos % WORLD_SYMBOLS);
	struct event_tick e = {
		.head = {++w->tick_seq[i], w->pos, (int64_t)w->pos * 1000, 5},
		.price_e9 = (int64_t)(w->pos * 7 + w->salt),
		.symbol_id = i};

	world_name(e.symbol, i);
	world_frame(bulk, EVENT_TICK, &e, frame_size_max(EVENT_TICK));
}

static void world_bars(struct world *w, struct buf *bulk)
{
	for (unsigned i = 0; i < WORLD_SYMBOLS; i++) {
		struct event_bar e = {
			.head = {++w->bar_seq[i], w->pos, (int64_t)w->pos * 1000, 5},
			.close_e9 = (int64_t)(w->pos + w->salt),
			.timeframe_s = 60,
			.symbol_id = i};

		world_name(e.symbol, i);
		event_chain(EVENT_BAR, &e, &w->bar_chain[i]);
		world_frame(bulk, EVENT_BAR, &e, frame_size_max(EVENT_BAR));
	}
}

static void world_matrix(struct world *w, struct buf *bulk)
{
	struct {
		struct event_tier2 e;
		struct tier2_member members[WORLD_MEMBERS];
		double cells[3];
	} m = {.e = {.head = {++w->matrix_seq, w->pos, (int64_t)w->pos * 1000, 5},
		     .timeframe_s = 60,
		     .n_members = WORLD_MEMBERS,
		     .n_included = WORLD_MEMBERS},
	       .cells = {1, 0.5, (double)w->pos}};

	(void)snprintf(m.e.universe, sizeof(m.e.universe), "all");
	event_chain(EVENT_TIER2, &m, &w->matrix_chain);
	world_frame(bulk, EVENT_TIER2, &m,
		    frame_matrix_size(WORLD_MEMBERS, WORLD_MEMBERS));
}

/* Append the frames of the world's next positions, up to @to_pos. */
static void world_run(struct world *w, uint64_t to_pos, struct buf *bulk)
{
	for (; w->pos <= to_pos; w->pos++) {
		world_tick(w, bulk);
		if (w->pos % 10 == 0)
			world_bars(w, bulk);
		if (w->pos % 50 == 0)
			world_matrix(w, bulk);
	}
}

/* What the world says of [@from, @to], all before it made and thrown away. */
static struct buf world_range(uint64_t salt, uint64_t from, uint64_t to)
{
	struct world w = {.pos = 1, .salt = salt};
	struct buf before = {0}, out = {0};

	world_run(&w, from - 1, &before);
	buf_free(&before);
	world_run(&w, to, &out);
	return out;
}

static int put_range(struct past *p, uint64_t epoch, uint64_t salt, uint64_t from,
		     uint64_t to, struct past_sum *sum)
{
	struct past_range r = {7, epoch, from, to};
	struct buf bulk = world_range(salt, from, to);
	int rc = past_put(p, &r, bulk.data, bulk.len, sum);

	buf_free(&bulk);
	return rc;
}

/* The events of @kind at [from, to] that @p gives, frames taken apart, one by one. */
static inline void read_all(struct past *p, enum event_kind kind, uint64_t from,
			    uint64_t to, size_t max_bytes, struct buf *out)
{
	while (from <= to) {
		struct past_ask ask = {kind, from, max_bytes, NULL, 0};
		struct buf page = {0};
		uint64_t end;

		assert_int_equal(past_read(p, &ask, &page, &end), 0);
		assert_true(end >= from);
		for (size_t at = 0; at < page.len;) {
			struct frame_view v;
			struct event_head *e;
			uint32_t len;

			memcpy(&len, page.data + at, sizeof(len));
			assert_int_equal(
				frame_open(page.data + at + sizeof(len), len, &v), 0);
			at += sizeof(len) + len;
			assert_int_equal(v.kind, kind);
			for (;;) {
				size_t size = kind == EVENT_TIER2
						      ? frame_matrix_copy(&v, NULL, 0)
						      : event_block_size(kind);
				e = (void *)buf_reserve(out, size);
				if (frame_next(&v, e) != 0)
					break;
				if (kind == EVENT_TIER2)
					(void)frame_matrix_copy(&v, e, size);
				assert_in_range(e->pos, from, end);
				if (e->pos <= to)
					out->len += size;
			}
		}
		buf_free(&page);
		from = end + 1;
	}
}
