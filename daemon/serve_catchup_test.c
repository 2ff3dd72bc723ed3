/*
 * serve_catchup_test - a small log with derived rows written by derived.c, and a
 * list (the model) of everything a subscriber should get, in order.
 */
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

struct world {
	char dir[TEMPDIR_MAX];
	struct symtab *symbols, *sources;
	struct tickstore *ts;
	struct tick_index *index;
	struct derived *derived;
	struct catchup_env env;
	struct happening model[MODEL_MAX];
	uint32_t n_model;
	uint64_t tick_seq[SYMBOLS_MAX];
	uint64_t seq[EVENT_KINDS][SYMBOLS];
	uint64_t rand;
};

static const char *const names[SYMBOLS] = {"AAPL", "MSFT", "BTC/USD", "IBM", "RARE"};

static uint32_t dice(struct world *w, uint32_t n)
{
	w->rand = w->rand * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(w->rand >> 33) % n;
}

static int post(void *arg, enum event_kind kind, uint64_t first_pos, uint64_t last_pos,
		uint32_t n_events, void *data, size_t len)
{
	struct world *w = arg;
	int rc = tickstore_derived_append(w->ts, kind, first_pos, last_pos, n_events,
					  data, (uint32_t)len);

	assert_int_equal(rc, 0);
	free(data);
	return 0;
}

static void note(struct world *w, enum event_kind kind, uint64_t pos, uint64_t seq,
		 uint32_t symbol_id, uint32_t timeframe_s)
{
	assert_true(w->n_model < MODEL_MAX);
	w->model[w->n_model++] =
		(struct happening){pos, seq, symbol_id, timeframe_s, kind};
}

static void make_bar(struct world *w, uint64_t pos, uint32_t id, uint32_t timeframe_s)
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

static void make_matrix(struct world *w, uint64_t pos)
{
	struct sample_matrix m = sample_matrix();

	m.e.head = (struct event_head){++w->seq[EVENT_TIER2][0], pos, TIME0, 0};
	m.triangle[1] = (double)pos;
	derived_add(w->derived, EVENT_TIER2, &m, frame_matrix_bytes(&m.e));
	note(w, EVENT_TIER2, pos, m.e.head.seq, 0, m.e.timeframe_s);
}

static void make_status(struct world *w, uint64_t pos, uint32_t id)
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
static void happen(struct world *w, uint64_t pos)
{
	bool is_tick = dice(w, 10) != 0;
	struct record r = {.event_ns = TIME0 + (int64_t)pos * 1000,
			   .recv_ns = TIME0 + (int64_t)pos * 1000 + 7,
			   .price_e9 = (int64_t)pos * 1000000007,
			   .type = is_tick ? RECORD_TICK : RECORD_CLOCK};
	uint64_t at;

	if (is_tick) {
		r.symbol_id = dice(w, 200) == 0 ? 4 : dice(w, 4);
		r.source_id = 1;
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
static uint64_t newest(const struct world *w)
{
	struct store_status s;

	tickstore_status(w->ts, &s);
	return s.last_pos;
}

static void go_on(struct world *w, uint32_t n)
{
	uint64_t pos = newest(w), first, last;

	while (n > 0) {
		for (uint32_t i = 0; i < 50 && n > 0; i++, n--)
			happen(w, ++pos);
		assert_int_equal(tickstore_commit(w->ts, TIME0, &first, &last), 0);
		assert_int_equal(last, pos);
		tick_index_note(w->index, pos, w->tick_seq, SYMBOLS);
		derived_flush(w->derived, pos, pos);
	}
	for (unsigned k = EVENT_BAR; k < EVENT_KINDS; k++)
		w->env.complete[k] = pos;
}

static void open_store(struct world *w, struct store_params *p)
{
	const struct store_names symbols = {w->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {w->sources, symtab_add, symtab_name,
					    symtab_count, 1};

	p->dir = w->dir;
	p->ballast_bytes = 65536;
	p->segment_max = 100;
	p->cache_bytes_max = 96 * 250;
	assert_int_equal(tickstore_open(p, &symbols, &sources, TIME0, &w->ts), 0);
}

static struct world *begin_with(struct store_params p)
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
	assert_int_equal(derived_new(EPOCH, skip, post, w, &w->derived), 0);
	w->env = (struct catchup_env){.store = w->ts,
				      .symbols = w->symbols,
				      .sources = w->sources,
				      .ticks = w->index,
				      .symbols_max = SYMBOLS_MAX,
				      .epoch = EPOCH,
				      .page_bytes_max = 64 << 20,
				      .events_max = 65000};
	return w;
}

static struct world *begin(uint32_t n)
{
	struct world *w = begin_with((struct store_params){0});

	go_on(w, n);
	return w;
}

static void end(struct world *w)
{
	derived_free(w->derived);
	tick_index_free(w->index);
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
	struct happening *event;
	uint32_t n;
};

static void read_frame(const void *data, size_t len, struct answer *a)
{
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier2 tier2;
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
	}
}

/* Ask once; the events are appended. */
static void ask(struct world *w, const struct catchup_request *req, struct answer *a)
{
	struct buf in = {0}, out = {0};
	struct catchup_page_view v;
	const void *frame;
	size_t len;

	catchup_request_write(req, &in);
	assert_int_equal(catchup_answer(&w->env, in.data, in.len, &out), 0);
	assert_int_equal(catchup_page_open(out.data, out.len, &v), 0);
	a->root = v.root;
	a->n_gone = v.n_gone;
	for (uint32_t i = 0; i < v.n_gone && i < 8; i++)
		catchup_page_gone_at(&v, i, &a->gone[i]);
	if (a->event == NULL)
		a->event = calloc(MODEL_MAX, sizeof(*a->event));
	while (catchup_page_next(&v, &frame, &len) == 0)
		read_frame(frame, len, a);
	buf_free(&in);
	buf_free(&out);
}

static void to_cursor(struct catchup_request *req, const struct answer *a)
{
	req->root.from_type = CATCHUP_FROM_POS;
	req->root.from = a->root.next_pos;
	req->root.skip = a->root.next_skip;
}

/* Page after page until done; returns how many pages. */
static unsigned ask_all(struct world *w, struct catchup_request req, struct answer *a)
{
	unsigned pages = 0;

	do {
		ask(w, &req, a);
		assert_true(++pages < 200000);
		to_cursor(&req, a);
	} while (!a->root.done);
	return pages;
}

static bool covers(const struct catchup_request *req, const struct happening *h)
{
	char name[SYMBOL_MAX] = {0};

	if (h->kind == EVENT_TIER2)
		memcpy(name, "tech", 4);
	else
		memcpy(name, names[h->symbol_id], strlen(names[h->symbol_id]));
	return catchup_wants(req, h->kind, name, h->timeframe_s);
}

static bool in_seq(const struct catchup_request *req, const struct happening *h)
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
static void check(struct world *w, const struct catchup_request *req,
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

static struct catchup_stream stream(uint8_t kind, const char *name,
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

static struct catchup_request from_oldest(void)
{
	return (struct catchup_request){.root = {.from_type = CATCHUP_FROM_OLDEST}};
}

/* ---- the tests ---- */

static void one_page_is_the_whole_log_in_order(void **state)
{
	struct world *w = begin(2000);
	struct catchup_request req = from_oldest();
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	assert_int_equal(a.root.done, 1);
	assert_int_equal(a.root.live_pos, 2000);
	assert_int_equal(a.root.first_held_pos, 1);
	assert_int_equal(a.root.next_pos, 2001);
	check(w, &req, &a, 1, 2000);
	free(a.event);
	end(w);
}

static void pages_of_any_size_laid_end_to_end_are_the_whole(void **state)
{
	struct world *w = begin(1500);

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct catchup_request req = from_oldest();
		struct answer a = {0};

		req.root.limit = 1 + dice(w, round % 4 == 0 ? 3 : 500);
		w->env.page_bytes_max = 300 + dice(w, 20000);
		w->env.scan_records_max = 1 + dice(w, round % 3 == 0 ? 20 : 5000);
		w->env.scan_bytes_max = 1 + dice(w, round % 5 == 0 ? 100 : 1000000);
		(void)ask_all(w, req, &a);
		check(w, &req, &a, 1, 1500);
		free(a.event);
	}
	end(w);
}

static void pages_of_a_filter_are_the_whole_of_it(void **state)
{
	struct world *w = begin(1500);

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct catchup_stream s[3] = {
			stream(CATCHUP_ANY_KIND, names[dice(w, SYMBOLS)], 0, 0, 0),
			stream(EVENT_BAR, names[dice(w, SYMBOLS)], dice(w, 2) ? 300 : 0,
			       0, 0),
			stream(EVENT_TIER2, "tech", 60, 0, 0)};
		struct catchup_request req = {.n_streams = 1 + dice(w, 3),
					      .streams = s};
		struct answer a = {0};
		uint64_t from = 1 + dice(w, 1200);

		req.root = (struct catchup_root){.from_type = CATCHUP_FROM_POS,
						 .from = from,
						 .limit = 1 + dice(w, 20)};
		w->env.scan_records_max = 1 + dice(w, 200);
		w->env.scan_bytes_max = 1 + dice(w, 20000);
		(void)ask_all(w, req, &a);
		check(w, &req, &a, from, 1500);
		free(a.event);
	}
	end(w);
}

static void kinds_alone_can_be_asked_for(void **state)
{
	struct world *w = begin(800);
	struct catchup_request req = from_oldest();

	(void)state;
	for (uint32_t kinds = 1; kinds < 64; kinds++) {
		struct answer a = {0};

		req.root.kinds = kinds;
		if ((kinds & ~(1u << EVENT_NEWS | 1u << EVENT_TIER1)) == 0)
			continue;
		ask(w, &req, &a);
		check(w, &req, &a, 1, 800);
		free(a.event);
	}
	end(w);
}

static void streams_begin_at_their_sequences(void **state)
{
	struct world *w = begin(3000);

	(void)state;
	for (int round = 0; round < 30; round++) {
		uint32_t one = dice(w, 4), two = dice(w, 4);
		uint64_t ticks = 1 + dice(w, (uint32_t)w->tick_seq[one]);
		uint64_t bars = 1 + dice(w, (uint32_t)w->seq[EVENT_BAR][two]);
		struct catchup_stream s[3] = {
			stream(EVENT_TICK, names[one], 0, ticks,
			       round % 2 ? ticks + 5 : 0),
			stream(EVENT_BAR, names[two], 0, bars,
			       round % 2 ? bars + 3 : 0),
			stream(EVENT_TIER2, "tech", 60, 1 + dice(w, 90), 0)};
		struct catchup_request req = {.n_streams = 1 + dice(w, 3),
					      .streams = s,
					      .root = {.from_type = CATCHUP_FROM_SEQ}};
		struct answer a = {0};

		req.root.limit = 1 + dice(w, 100);
		w->env.scan_records_max = 1 + dice(w, 3000);
		w->env.scan_bytes_max = round % 3 == 0 ? 1000 : 10000000;
		(void)ask_all(w, req, &a);
		check(w, &req, &a, 1, 3000);
		free(a.event);
	}
	end(w);
}

static void a_hole_is_filled_without_reading_to_the_end(void **state)
{
	struct world *w = begin(3000);
	struct catchup_stream s = stream(EVENT_TICK, "AAPL", 0, 100, 102);
	struct catchup_request req = {
		.n_streams = 1, .streams = &s, .root = {.from_type = CATCHUP_FROM_SEQ}};
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(a.n, 3);
	assert_int_equal(a.event[0].seq, 100);
	assert_int_equal(a.root.done, 1);
	assert_true(a.root.next_pos < 1000);
	free(a.event);
	end(w);
}

static void what_was_retired_is_gone_and_said_to_be(void **state)
{
	struct world *w =
		begin_with((struct store_params){.derived[EVENT_BAR] = {.batches = 5}});
	struct catchup_stream s[2] = {stream(EVENT_BAR, "AAPL", 0, 1, 0),
				      stream(EVENT_TICK, "AAPL", 0, 1, 0)};
	struct catchup_request req = {
		.n_streams = 2, .streams = s, .root = {.from_type = CATCHUP_FROM_SEQ}};
	struct answer a = {0};
	uint64_t held = 0, held_pos = 0;

	(void)state;
	go_on(w, 2000);
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	assert_int_equal(a.n_gone, 1);
	assert_int_equal(a.gone[0].kind, EVENT_BAR);
	for (uint32_t i = 0; i < a.n && held == 0; i++)
		if (a.event[i].kind == EVENT_BAR) {
			held = a.event[i].seq;
			held_pos = a.event[i].pos;
		}
	assert_true(held > 1);
	assert_int_equal(a.gone[0].first_held_seq, held);
	assert_int_equal(a.event[0].kind, EVENT_TICK);
	assert_true(a.event[0].seq == 1);

	/* By position: gone before the first position that is held of every kind. */
	req = (struct catchup_request){.root = {.from_type = CATCHUP_FROM_POS,
						.kinds = 1u << EVENT_BAR,
						.from = 10}};
	a.n = 0;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	assert_true(a.root.first_held_pos > 10 && a.root.first_held_pos <= held_pos);
	check(w, &req, &a, a.root.first_held_pos, 2000);

	/* The oldest is never gone. */
	req.root.from_type = CATCHUP_FROM_OLDEST;
	a.n = 0;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	check(w, &req, &a, a.root.first_held_pos, 2000);
	free(a.event);
	end(w);
}

static void a_kind_that_is_stored_later_is_waited_for(void **state)
{
	struct world *w = begin(1000);
	struct catchup_request req = from_oldest();
	struct answer a = {0};
	uint64_t bars = 0;

	(void)state;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		w->env.complete[k] = 0;
	for (uint32_t i = 0; i < w->n_model; i++)
		if (w->model[i].kind == EVENT_STATUS)
			bars = w->model[i].pos;
	/* Nobody vouches for more than the last row of the kind that is furthest back.
	 */
	req.root.kinds = 1u << EVENT_TICK | 1u << EVENT_STATUS;
	ask(w, &req, &a);
	assert_int_equal(a.root.done, 1);
	assert_int_equal(a.root.next_pos, bars + 1);
	check(w, &req, &a, 1, bars);

	/* The rest comes when the marks have passed. */
	to_cursor(&req, &a);
	w->env.complete[EVENT_STATUS] = 1000;
	ask(w, &req, &a);
	req.root.from = 1;
	check(w, &req, &a, 1, 1000);
	assert_int_equal(a.root.next_pos, 1001);

	/* More happens: the cursor goes on. */
	to_cursor(&req, &a);
	go_on(w, 500);
	ask(w, &req, &a);
	req.root.from = 1;
	check(w, &req, &a, 1, 1500);
	free(a.event);
	end(w);
}

static void times_and_now_have_positions(void **state)
{
	struct world *w = begin(1000);
	struct catchup_request req = {
		.root = {.from_type = CATCHUP_FROM_TIME, .from = TIME0 + 700 * 1000}};
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	check(w, &req, &a, 700, 1000);
	req.root.from = TIME0 + 5000 * 1000;
	a.n = 0;
	ask(w, &req, &a);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.root.next_pos, 1001);
	assert_int_equal(a.root.done, 1);
	req.root = (struct catchup_root){.from_type = CATCHUP_FROM_NOW};
	ask(w, &req, &a);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.root.next_pos, 1001);
	assert_int_equal(a.root.done, 1);
	free(a.event);
	end(w);
}

static void an_empty_log_answers_with_nothing(void **state)
{
	struct world *w = begin_with((struct store_params){0});
	struct catchup_stream s = stream(EVENT_TICK, "NOBODY", 0, 7, 0);
	struct catchup_request req = from_oldest();
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.root.done, 1);
	assert_int_equal(a.root.next_pos, 1);
	req.root.from_type = CATCHUP_FROM_SEQ;
	req.n_streams = 1;
	req.streams = &s;
	ask(w, &req, &a);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.root.done, 1);
	assert_int_equal(a.root.status, CATCHUP_OK);
	free(a.event);
	end(w);
}

/* Retire the log's beginning: sequences still count from the true first tick. */
static void ticks_keep_their_sequences_when_the_log_is_trimmed(void **state)
{
	struct world *w = begin_with((struct store_params){.retain_bytes = 96 * 1000});
	struct catchup_stream s = stream(EVENT_TICK, "AAPL", 0, 1, 0);
	struct catchup_request req = from_oldest();
	struct answer a = {0};
	struct store_status st;
	uint64_t mid = 0, last = 0;
	uint32_t n = 0;

	(void)state;
	go_on(w, 3000);
	/* What the dispatcher would have left on its way: counts at 2,600. */
	tick_index_free(w->index);
	assert_int_equal(tick_index_new(SYMBOLS_MAX, &w->index), 0);
	w->env.ticks = w->index;
	{
		uint64_t counts[SYMBOLS] = {0};

		for (uint32_t i = 0; i < w->n_model && w->model[i].pos <= 2600; i++)
			if (w->model[i].kind == EVENT_TICK)
				counts[w->model[i].symbol_id]++;
		mid = counts[0];
		tick_index_note(w->index, 2600, counts, SYMBOLS);
	}
	do {
		assert_int_equal(tickstore_retain(w->ts, TIME0, UINT64_MAX, 4, &n), 0);
	} while (n > 0);
	tickstore_status(w->ts, &st);
	assert_true(st.first_pos > 1 && st.first_pos <= 2600);
	last = st.last_pos;

	req.root.kinds = 1u << EVENT_TICK;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	assert_int_equal(a.root.first_held_pos, 2601);
	check(w, &req, &a, 2601, last);

	req = (struct catchup_request){
		.n_streams = 1, .streams = &s, .root = {.from_type = CATCHUP_FROM_SEQ}};
	a.n = 0;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	assert_int_equal(a.n_gone, 1);
	assert_int_equal(a.gone[0].first_held_seq, mid + 1);
	assert_int_equal(a.event[0].seq, mid + 1);
	free(a.event);
	end(w);
}

static void nonsense_is_refused_and_json_is_answered_in_json(void **state)
{
	static const char good[] =
		"{\"kinds\":[\"tick\"],\"from\":\"oldest\",\"limit\":2}";
	static const char bad[] = "{\"kinds\":[\"nothing\"]}";
	struct world *w = begin(100);
	struct buf out = {0};
	struct catchup_page_view v;

	(void)state;
	assert_int_equal(catchup_answer(&w->env, good, strlen(good), &out), 0);
	assert_non_null(strstr(buf_text(&out), "\"next_pos\""));
	assert_non_null(strstr(buf_text(&out), "\"status\":\"ok\""));
	assert_non_null(strstr(buf_text(&out), "\"source\":\"sim\""));
	out.len = 0;
	assert_int_equal(catchup_answer(&w->env, bad, strlen(bad), &out), 0);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"refused\""));
	out.len = 0;
	catchup_turn_away("", 0, EPOCH, CATCHUP_BUSY, "busy", &out);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"busy\""));
	out.len = 0;
	{
		struct catchup_request req = from_oldest();
		struct buf in = {0};

		req.root.kinds = 1u << EVENT_JOB;
		catchup_request_write(&req, &in);
		assert_int_equal(catchup_answer(&w->env, in.data, in.len, &out), 0);
		assert_int_equal(catchup_page_open(out.data, out.len, &v), 0);
		assert_int_equal(v.root.status, CATCHUP_REFUSED);
		buf_free(&in);
	}
	buf_free(&out);
	end(w);
}

static void the_dictionary_comes_in_pages(void **state)
{
	struct world *w = begin(10);
	uint32_t id = 0, seen = 0;
	bool done = false;

	(void)state;
	while (!done) {
		struct catchup_request req = {
			.what = CATCHUP_DICT,
			.dict = {.from_id = id, .limit = 2, .which = CATCHUP_SYMBOLS}};
		struct buf in = {0}, out = {0};
		struct catchup_dict_view v;
		struct catchup_name name;

		catchup_request_write(&req, &in);
		assert_int_equal(catchup_answer(&w->env, in.data, in.len, &out), 0);
		assert_int_equal(catchup_dict_open(out.data, out.len, &v), 0);
		for (uint32_t i = 0; i < v.n; i++, seen++) {
			catchup_dict_at(&v, i, &name);
			assert_int_equal(name.id, seen);
			assert_string_equal(name.name, names[seen]);
		}
		id = v.root.next_id;
		done = v.root.done;
		buf_free(&in);
		buf_free(&out);
	}
	assert_int_equal(seen, SYMBOLS);
	end(w);
}

static void a_damaged_row_is_refused_not_served(void **state)
{
	static const char junk[] = "this is not a row of frames at all";
	struct world *w = begin(100);
	struct catchup_request req = from_oldest();
	struct buf in = {0}, out = {0};
	struct catchup_page_view v;

	(void)state;
	assert_int_equal(tickstore_derived_append(w->ts, EVENT_BAR, 101, 101, 1, junk,
						  sizeof(junk)),
			 0);
	go_on(w, 50);
	catchup_request_write(&req, &in);
	assert_true(catchup_answer(&w->env, in.data, in.len, &out) < 0);
	assert_int_equal(catchup_page_open(out.data, out.len, &v), 0);
	assert_int_equal(v.root.status, CATCHUP_REFUSED);
	buf_free(&in);
	buf_free(&out);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_is_the_whole_log_in_order),
		cmocka_unit_test(pages_of_any_size_laid_end_to_end_are_the_whole),
		cmocka_unit_test(pages_of_a_filter_are_the_whole_of_it),
		cmocka_unit_test(kinds_alone_can_be_asked_for),
		cmocka_unit_test(streams_begin_at_their_sequences),
		cmocka_unit_test(a_hole_is_filled_without_reading_to_the_end),
		cmocka_unit_test(what_was_retired_is_gone_and_said_to_be),
		cmocka_unit_test(a_kind_that_is_stored_later_is_waited_for),
		cmocka_unit_test(times_and_now_have_positions),
		cmocka_unit_test(an_empty_log_answers_with_nothing),
		cmocka_unit_test(ticks_keep_their_sequences_when_the_log_is_trimmed),
		cmocka_unit_test(nonsense_is_refused_and_json_is_answered_in_json),
		cmocka_unit_test(the_dictionary_comes_in_pages),
		cmocka_unit_test(a_damaged_row_is_refused_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
