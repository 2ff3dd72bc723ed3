/*
 * serve_catchup_world_test - what the tests of catch-up share: a small log with derived
 * rows written by derived.c, and a list (the model) of everything a subscriber should
 * get, in order; asking, and holding the answer against the model.
 */
#pragma once
#include "base/err.h"
#include "daemon/derived.h"
#include "daemon/serve_catchup.h"
#include "proto/sample_test.h"
#include "tests/integration/tempdir.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define SYMBOLS     5u
#define SYMBOLS_MAX 64u
#define EPOCH       3u
#define MODEL_MAX   20000u
#define TIME0       INT64_C(1700000000000000000)

struct happening {
	uint64_t pos;
	uint64_t seq;
	uint32_t symbol_id; /* matrices: which universe */
	uint32_t timeframe_s;
	enum event_kind kind;
};

#define SEGMENT 100 /* records */

struct world {
	char dir[TEMPDIR_MAX];
	struct symtab *symbols, *sources;
	struct tickstore *ts;
	struct tick_index *index;
	struct derived *derived;
	struct catchup_env env;
	struct happening model[MODEL_MAX];
	uint32_t n_model;
	struct newest *newest;
	uint64_t tick_seq[SYMBOLS_MAX];
	uint64_t tick_pos[SYMBOLS_MAX];
	uint64_t seq[EVENT_KINDS][SYMBOLS];
	uint64_t rand;
	/** The first record of each segment is a control record, of the wall's time. */
	bool has_controls;
	/** Answers the question of env.past; NULL: there is no archive. */
	void (*archive)(struct world *w);
	void *archive_arg;
};

static const char *const names[SYMBOLS] = {"AAPL", "MSFT", "BTC/USD", "IBM", "RARE"};

static inline uint32_t dice(struct world *w, uint32_t n)
{
	w->rand = w->rand * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(w->rand >> 33) % n;
}

static inline int post(void *arg, enum event_kind kind, uint64_t first_pos,
		       uint64_t last_pos, uint32_t n_events, void *data, size_t len)
{
	struct world *w = arg;
	int rc = tickstore_derived_append(w->ts, kind, first_pos, last_pos, n_events,
					  data, (uint32_t)len);

	assert_int_equal(rc, 0);
	free(data);
	return 0;
}

static inline void note(struct world *w, enum event_kind kind, uint64_t pos,
			uint64_t seq, uint32_t symbol_id, uint32_t timeframe_s)
{
	assert_true(w->n_model < MODEL_MAX);
	w->model[w->n_model++] =
		(struct happening){pos, seq, symbol_id, timeframe_s, kind};
}

static inline void make_bar(struct world *w, uint64_t pos, uint32_t id,
			    uint32_t timeframe_s)
{
	struct event_bar e = sample_bar();

	e.head = (struct event_head){++w->seq[EVENT_BAR][id], pos, TIME0 + (int64_t)pos,
				     0};
	e.symbol_id = id;
	e.timeframe_s = timeframe_s;
	memset(e.symbol, 0, SYMBOL_MAX);
	memcpy(e.symbol, names[id], strlen(names[id]));
	derived_add(w->derived, EVENT_BAR, &e, sizeof(e));
	note(w, EVENT_BAR, pos, e.head.seq, id, timeframe_s);
}

static inline void make_matrix(struct world *w, uint64_t pos)
{
	struct sample_matrix m = sample_matrix();

	m.e.head = (struct event_head){++w->seq[EVENT_TIER2][0], pos, TIME0, 0};
	m.triangle[1] = (double)pos;
	derived_add(w->derived, EVENT_TIER2, &m, frame_matrix_bytes(&m.e));
	note(w, EVENT_TIER2, pos, m.e.head.seq, 0, m.e.timeframe_s);
}

static inline void make_status(struct world *w, uint64_t pos, uint32_t id)
{
	struct event_status e = sample_status();

	e.head = (struct event_head){++w->seq[EVENT_STATUS][id], pos, TIME0, 0};
	e.symbol_id = id;
	memset(e.symbol, 0, SYMBOL_MAX);
	memcpy(e.symbol, names[id], strlen(names[id]));
	derived_add(w->derived, EVENT_STATUS, &e, sizeof(e));
	note(w, EVENT_STATUS, pos, e.head.seq, id, 0);
}

/* The record at @pos and what it brings about, in the order of the model. */
static inline void happen(struct world *w, uint64_t pos)
{
	bool is_tick = dice(w, 10) != 0;
	struct record r = {.event_ns = TIME0 + (int64_t)pos * 1000,
			   .recv_ns = TIME0 + (int64_t)pos * 1000 + 7,
			   .price_e9 = (int64_t)pos * 1000000007,
			   .type = is_tick ? RECORD_TICK : RECORD_CLOCK};
	uint64_t at;

	if (w->has_controls && pos % SEGMENT == 1) {
		is_tick = false;
		r.type = RECORD_CONTROL;
		r.event_ns = TIME0 * 2;
	}
	if (is_tick) {
		r.symbol_id = dice(w, 200) == 0 ? 4 : dice(w, 4);
		r.source_id = 1;
		w->tick_pos[r.symbol_id] = pos;
		note(w, EVENT_TICK, pos, ++w->tick_seq[r.symbol_id], r.symbol_id, 0);
	}
	assert_int_equal(tickstore_append(w->ts, STORE_NO_PRODUCER, 0, &r, 1, &at), 0);
	if (dice(w, 5) == 0)
		for (uint32_t id = 0; id < SYMBOLS; id++)
			for (uint32_t n = dice(w, 3); n > 0; n--)
				make_bar(w, pos, id, n % 2 ? 60 : 300);
	if (dice(w, 30) == 0)
		make_matrix(w, pos);
	if (dice(w, 40) == 0)
		make_status(w, pos, dice(w, SYMBOLS));
}

/* The position of the newest record and everything derived from it is stored. */
static inline uint64_t newest(const struct world *w)
{
	struct store_status s;

	tickstore_status(w->ts, &s);
	return s.last_pos;
}

static inline void go_on(struct world *w, uint32_t n)
{
	uint64_t pos = newest(w), first, last;

	while (n > 0) {
		for (uint32_t i = 0; i < 50 && n > 0; i++, n--)
			happen(w, ++pos);
		assert_int_equal(tickstore_commit(w->ts, TIME0, &first, &last), 0);
		assert_int_equal(last, pos);
		tick_index_note(w->index, pos, w->tick_seq, SYMBOLS);
		derived_flush(w->derived, pos, pos, pos);
	}
	for (unsigned k = EVENT_BAR; k < EVENT_KINDS; k++)
		w->env.complete[k] = pos;
	w->env.ticks_reached = pos;
}

static inline void open_store(struct world *w, struct store_params *p)
{
	const struct store_names symbols = {w->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {w->sources, symtab_add, symtab_name,
					    symtab_count, 1};

	p->dir = w->dir;
	p->ballast_bytes = 65536;
	p->segment_max = SEGMENT;
	p->cache_bytes_max = 96 * 250;
	assert_int_equal(tickstore_open(p, &symbols, &sources, TIME0, &w->ts), 0);
}

static inline struct world *begin_with(struct store_params p)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t skip[EVENT_KINDS] = {0};
	uint32_t id;
	int is_new;

	tempdir_new(w->dir);
	w->rand = 42;
	assert_int_equal(symtab_new(SYMBOLS_MAX, 0, &w->symbols), 0);
	assert_int_equal(symtab_new(8, 1, &w->sources), 0);
	open_store(w, &p);
	for (uint32_t i = 0; i < SYMBOLS; i++)
		(void)symtab_add(w->symbols, names[i], strlen(names[i]), &id, &is_new);
	(void)symtab_add(w->sources, "sim", 3, &id, &is_new);
	assert_int_equal(tick_index_new(SYMBOLS_MAX, &w->index), 0);
	assert_int_equal(newest_new(&w->newest), 0);
	assert_int_equal(derived_new(EPOCH, skip, post, w, &w->derived), 0);
	w->env = (struct catchup_env){.store = w->ts,
				      .symbols = w->symbols,
				      .sources = w->sources,
				      .ticks = w->index,
				      .newest = w->newest,
				      .tick_pos = w->tick_pos,
				      .tick_seq = w->tick_seq,
				      .symbols_max = SYMBOLS_MAX,
				      .epoch = EPOCH,
				      .page_bytes_max = 64 << 20,
				      .events_max = 65000};
	return w;
}

static inline struct world *begin(uint32_t n)
{
	struct world *w = begin_with((struct store_params){0});

	go_on(w, n);
	return w;
}

static inline void end(struct world *w)
{
	derived_free(w->derived);
	tick_index_free(w->index);
	newest_free(w->newest);
	(void)tickstore_close(w->ts);
	symtab_free(w->symbols);
	symtab_free(w->sources);
	tempdir_remove(w->dir);
	free(w);
}

/* ---- asking ---- */

struct answer {
	struct catchup_page_root root;
	struct catchup_gone gone[8];
	uint32_t n_gone;
	struct catchup_held held[16];
	uint32_t n_held;
	struct happening *event;
	uint32_t n;
	uint64_t hash; /* over all events since the request began anew */
	uint32_t n_hashed;
};

static inline void read_frame(const void *data, size_t len, struct answer *a)
{
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier2 tier2;
		struct event_news news;
		struct event_status status;
		struct event_tier1 tier1;
	} e;
	struct frame_view v;

	assert_int_equal(frame_open(data, len, &v), 0);
	assert_int_equal(v.root.epoch, EPOCH);
	while (frame_next(&v, &e) == 0) {
		struct happening h = {e.tick.head.pos, e.tick.head.seq, 0, 0, v.kind};

		if (v.kind == EVENT_TICK) {
			h.symbol_id = e.tick.symbol_id;
			assert_int_equal(e.tick.price_e9, (int64_t)h.pos * 1000000007);
			assert_string_equal(e.tick.symbol, names[h.symbol_id]);
		} else if (v.kind == EVENT_BAR) {
			h.symbol_id = e.bar.symbol_id;
			h.timeframe_s = e.bar.timeframe_s;
		} else if (v.kind == EVENT_TIER2) {
			h.timeframe_s = e.tier2.timeframe_s;
			assert_true(frame_cell(&v, 1, 0) == (double)h.pos);
		} else {
			h.symbol_id = e.status.symbol_id;
		}
		assert_true(a->n < MODEL_MAX);
		a->event[a->n++] = h;
		a->n_hashed++;
		a->hash = catchup_hash(a->hash, v.kind, &e.tick.head);
	}
}

/* The answer, after as many questions to the archive as it takes. */
static inline void answer(struct world *w, const struct buf *in, struct buf *out)
{
	struct catchup_past past = {0};
	int rc;

	w->env.past = w->archive ? &past : NULL;
	while ((rc = catchup_answer(&w->env, in->data, in->len, out)) ==
		       CATCHUP_WAITS &&
	       w->archive != NULL) {
		assert_int_equal(out->len, 0);
		w->archive(w);
	}
	assert_int_equal(rc, 0);
	w->env.past = NULL;
	catchup_past_deinit(&past);
}

/* Ask once; the events are appended. */
static inline void ask(struct world *w, const struct catchup_request *req,
		       struct answer *a)
{
	struct buf in = {0}, out = {0};
	struct catchup_page_view v;
	const void *frame;
	size_t len;

	catchup_request_write(req, &in);
	answer(w, &in, &out);
	assert_int_equal(catchup_page_open(out.data, out.len, &v), 0);
	a->root = v.root;
	a->n_hashed = (uint32_t)req->root.count;
	a->hash = req->root.hash;
	a->n_gone = v.n_gone;
	for (uint32_t i = 0; i < v.n_gone && i < 8; i++)
		catchup_page_gone_at(&v, i, &a->gone[i]);
	a->n_held = v.n_held;
	for (uint32_t i = 0; i < v.n_held && i < 16; i++)
		catchup_page_held_at(&v, i, &a->held[i]);
	if (a->event == NULL)
		a->event = calloc(MODEL_MAX, sizeof(*a->event));
	while (catchup_page_next(&v, &frame, &len) == 0)
		read_frame(frame, len, a);
	if (v.root.status <= CATCHUP_GONE) {
		assert_int_equal(a->n_hashed, v.root.count);
		assert_true(a->hash == v.root.hash);
	}
	buf_free(&in);
	buf_free(&out);
}

static inline void to_cursor(struct catchup_request *req, const struct answer *a)
{
	req->root.from_type = a->root.next_from;
	req->root.from = a->root.next_pos;
	req->root.skip = a->root.next_skip;
	req->root.count = a->root.count;
	req->root.hash = a->root.hash;
}

/* Page after page until done; returns how many pages. */
static inline unsigned ask_all(struct world *w, struct catchup_request req,
			       struct answer *a)
{
	unsigned pages = 0;

	do {
		ask(w, &req, a);
		assert_true(++pages < 200000);
		to_cursor(&req, a);
	} while (!a->root.done);
	return pages;
}

static inline bool covers(const struct catchup_request *req, const struct happening *h)
{
	char name[SYMBOL_MAX] = {0};

	if (h->kind == EVENT_TIER2)
		memcpy(name, "tech", 4);
	else
		memcpy(name, names[h->symbol_id], strlen(names[h->symbol_id]));
	return catchup_wants(req, h->kind, name, h->timeframe_s);
}

static inline bool in_seq(const struct catchup_request *req, const struct happening *h)
{
	bool wanted = req->n_streams == 0;

	for (uint32_t i = 0; i < req->n_streams; i++) {
		struct catchup_request one = *req;

		one.n_streams = 1;
		one.streams = &req->streams[i];
		wanted |= covers(&one, h) && h->seq >= one.streams->from_seq &&
			  (one.streams->to_seq == 0 || h->seq <= one.streams->to_seq);
	}
	return wanted;
}

/* The answer is the model from @from_pos to @to_pos as far as @req covers it. */
static inline void check(struct world *w, const struct catchup_request *req,
			 const struct answer *a, uint64_t from_pos, uint64_t to_pos)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n_model; i++) {
		const struct happening *h = &w->model[i];

		if (h->pos < from_pos || h->pos > to_pos || !covers(req, h) ||
		    !in_seq(req, h))
			continue;
		assert_true(n < a->n);
		assert_int_equal(a->event[n].pos, h->pos);
		assert_int_equal(a->event[n].kind, h->kind);
		assert_int_equal(a->event[n].symbol_id, h->symbol_id);
		assert_int_equal(a->event[n].seq, h->seq);
		assert_int_equal(a->event[n].timeframe_s, h->timeframe_s);
		n++;
	}
	assert_int_equal(n, a->n);
	assert_true(n > 0);
}

static inline struct catchup_stream stream(uint8_t kind, const char *name,
					   uint32_t timeframe_s, uint64_t from_seq,
					   uint64_t to_seq)
{
	struct catchup_stream s = {.kind = kind,
				   .timeframe_s = timeframe_s,
				   .from_seq = from_seq,
				   .to_seq = to_seq};

	memcpy(s.symbol, name, strlen(name));
	return s;
}

static inline struct catchup_request from_oldest(void)
{
	return (struct catchup_request){.root = {.from_type = CATCHUP_FROM_OLDEST}};
}
