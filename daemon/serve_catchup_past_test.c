/* serve_catchup_past_test - what retention took comes from the archive, once. */
#include "base/json.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "daemon/serve_catchup_parts.h"
#include "daemon/serve_catchup_world_test.h"

#define EVENTS_MAX 20000u

/* An archive as the daemon sees it: events in order, and answers about them. */
struct fake {
	struct one {
		enum event_kind kind;
		uint64_t pos, seq;
		int64_t event_ns;
		char name[SYMBOL_MAX];
		uint32_t timeframe_s;
		uint32_t len;
		uint8_t *frame; /* owned */
	} one[EVENTS_MAX];
	uint32_t n;
	uint64_t first_pos, complete_pos;
	size_t page_bytes; /* at most so much a page, whatever is asked */
	unsigned asked;
};

static void remember(struct fake *f, const void *frame, size_t len)
{
	struct one *o = &f->one[f->n++];
	union {
		struct event_head head;
		struct event_tier1 tier1;
		struct event_tier2 tier2;
		struct event_news news;
	} e;
	struct event_face face;
	struct frame_view v;

	assert_true(f->n < EVENTS_MAX);
	assert_int_equal(frame_open(frame, len, &v), 0);
	assert_int_equal(frame_next(&v, &e), 0);
	event_face_of(v.kind, &e, &face);
	*o = (struct one){.kind = v.kind,
			  .pos = e.head.pos,
			  .seq = e.head.seq,
			  .event_ns = e.head.event_ns,
			  .timeframe_s = face.timeframe_s,
			  .len = (uint32_t)len};
	memcpy(o->name, face.name, SYMBOL_MAX);
	o->frame = malloc(len);
	memcpy(o->frame, frame, len);
}

/* Everything the world has, one event after the other. */
static struct fake *archive_all(struct world *w)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct catchup_request req = from_oldest();
	struct catchup_page_view v;

	req.root.limit = 1;
	do {
		struct buf in = {0}, out = {0};
		const void *frame;
		size_t len;

		catchup_request_write(&req, &in);
		assert_int_equal(catchup_answer(&w->env, in.data, in.len, &out), 0);
		assert_int_equal(catchup_page_open(out.data, out.len, &v), 0);
		while (catchup_page_next(&v, &frame, &len) == 0)
			remember(f, frame, len);
		req.root.from_type = v.root.next_from;
		req.root.from = v.root.next_pos;
		req.root.skip = v.root.next_skip;
		buf_free(&in);
		buf_free(&out);
	} while (!v.root.done);
	f->first_pos = 1;
	f->complete_pos = newest(w);
	f->page_bytes = SIZE_MAX;
	w->archive_arg = f;
	return f;
}

static void fake_free(struct fake *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		free(f->one[i].frame);
	free(f);
}

static bool is_named(const struct json *names, const struct one *o)
{
	char name[SYMBOL_MAX + 1] = {0};

	if (names == NULL)
		return true;
	memcpy(name, o->name, SYMBOL_MAX);
	for (size_t i = 0; i < json_len(names); i++)
		if (strcmp(json_str(json_at(names, i), ""), name) == 0)
			return true;
	return false;
}

static uint64_t number(const struct json *doc, const char *key)
{
	uint64_t n = 0;

	assert_int_equal(json_u64(json_get(doc, key), &n), 0);
	return n;
}

static void read_past(struct fake *f, const struct json *doc, struct jsonw *w,
		      struct buf *bulk)
{
	const char *word = json_str(json_get(doc, "kind"), "");
	enum event_kind kind = event_kind_parse(word, strlen(word));
	uint64_t from = number(doc, "from_pos"), to = f->complete_pos, pos = 0;
	size_t most = number(doc, "max_bytes");

	most = most < f->page_bytes ? most : f->page_bytes;
	for (uint32_t i = 0; i < f->n; i++) {
		const struct one *o = &f->one[i];

		if (o->kind != kind || o->pos < from)
			continue;
		if (o->pos > f->complete_pos)
			break;
		if (o->pos != pos && bulk->len >= most) {
			to = o->pos - 1;
			break;
		}
		pos = o->pos;
		if (!is_named(json_get(doc, "names"), o))
			continue;
		buf_add(bulk, &o->len, sizeof(o->len));
		buf_add(bulk, o->frame, o->len);
	}
	jsonw_u64(w, "to_pos", to);
}

/* 0: it is none of @s, or before its sequence. */
static bool is_at(const struct json *s, const struct one *o)
{
	const char *word = json_str(json_get(s, "kind"), "");
	uint64_t timeframe = number(s, "timeframe_s");

	return event_kind_parse(word, strlen(word)) == o->kind &&
	       strncmp(json_str(json_get(s, "name"), ""), o->name, SYMBOL_MAX) == 0 &&
	       (o->kind != EVENT_TIER2 || timeframe == 0 ||
		timeframe == o->timeframe_s) &&
	       o->seq >= number(s, "seq");
}

static void find_past(struct fake *f, const struct json *doc, struct jsonw *w)
{
	const struct json *streams = json_get(doc, "streams");
	const char *text = json_str(json_get(doc, "time"), "");
	uint64_t pos = 0;
	int64_t ns = 0;

	if (streams == NULL)
		assert_int_equal(timetext_parse(text, strlen(text), &ns), 0);
	for (uint32_t i = 0; i < f->n && pos == 0; i++) {
		const struct one *o = &f->one[i];
		bool is_it =
			streams == NULL && o->kind == EVENT_TICK && o->event_ns >= ns;

		for (size_t s = 0; s < json_len(streams); s++)
			is_it |= is_at(json_at(streams, s), o);
		if (is_it && o->pos >= f->first_pos)
			pos = o->pos;
	}
	jsonw_u64(w, "pos", pos);
	jsonw_array(w, "held");
	for (size_t s = 0; s < json_len(streams); s++) {
		uint64_t held = 0;

		for (uint32_t i = 0; i < f->n && held == 0; i++)
			if (f->one[i].pos >= f->first_pos &&
			    is_at(json_at(streams, s), &f->one[i]))
				held = f->one[i].seq;
		jsonw_u64(w, NULL,
			  held == number(json_at(streams, s), "seq") ? 0 : held);
	}
	jsonw_end(w);
}

static void fake_answer(struct world *world)
{
	struct catchup_past *p = world->env.past;
	struct fake *f = world->archive_arg;
	struct buf text = {0}, bulk = {0};
	struct json *doc, *back;
	struct jsonw w;

	assert_true(++f->asked < 1000000);
	assert_int_equal(json_parse((char *)p->doc.data, p->doc.len, &doc), 0);
	jsonw_init(&w, &text);
	jsonw_object(&w, NULL);
	jsonw_bool(&w, "ok", true);
	if (p->question == PAST_STATUS) {
		jsonw_u64(&w, "first_pos", f->first_pos);
		jsonw_u64(&w, "complete_pos", f->complete_pos);
	} else if (p->question == PAST_READ) {
		read_past(f, doc, &w, &bulk);
	} else {
		find_past(f, doc, &w);
	}
	jsonw_end(&w);
	assert_int_equal(json_parse((char *)text.data, text.len, &back), 0);
	assert_int_equal(catchup_past_take(p, back, bulk.data, bulk.len), 0);
	json_free(doc);
	json_free(back);
	buf_free(&text);
	buf_free(&bulk);
}

/* Counts at @pos, as the hand-over leaves them. */
static void pin(struct world *w, uint64_t pos)
{
	uint64_t counts[SYMBOLS] = {0};

	for (uint32_t i = 0; i < w->n_model && w->model[i].pos <= pos; i++)
		if (w->model[i].kind == EVENT_TICK)
			counts[w->model[i].symbol_id]++;
	tick_index_pin(w->index, pos, counts, SYMBOLS);
}

/* All is archived, and the store and the log keep only the newest. */
static struct world *forget(struct world *w)
{
	static const struct derived_limit none[STORE_KINDS];
	struct derived_limit few[STORE_KINDS] = {0};
	uint32_t gone;

	(void)archive_all(w);
	few[EVENT_BAR].ns = 1;
	few[EVENT_STATUS].ns = 1;
	few[EVENT_TIER2].ns = 1;
	tickstore_limits_set(w->ts, 0, 96 * 300, few);
	do {
		assert_int_equal(tickstore_retain(w->ts, TIME0, UINT64_MAX, 4, &gone),
				 0);
	} while (gone == 4);
	assert_int_equal(tickstore_derived_expire(w->ts, TIME0 + 10, 5, &gone), 0);
	assert_true(gone > 0);
	tickstore_limits_set(w->ts, 0, 0, none);
	pin(w, newest(w) - 100);
	w->archive = fake_answer;
	return w;
}

static struct world *forgetful(uint32_t n)
{
	return forget(begin(n));
}

static void finish(struct world *w)
{
	fake_free(w->archive_arg);
	end(w);
}

static void without_an_archive_the_beginning_is_gone(void **state)
{
	struct world *w = forgetful(2000);
	struct catchup_request req = {
		.root = {.from_type = CATCHUP_FROM_POS, .from = 1}};
	struct answer a = {0};

	(void)state;
	w->archive = NULL;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	assert_true(a.root.first_held_pos > 500);
	free(a.event);
	finish(w);
}

static void archive_store_and_log_are_one_range(void **state)
{
	struct world *w = forgetful(2000);
	struct fake *f = w->archive_arg;

	(void)state;
	go_on(w, 300); /* not archived yet */
	for (int round = 0; round < 30; round++) {
		struct catchup_request req = from_oldest();
		struct answer a = {0};

		req.root.limit = 1 + dice(w, round % 4 == 0 ? 5 : 500);
		req.root.kinds = round % 3 == 0 ? 1u << EVENT_TICK : 0;
		w->env.page_bytes_max = 3000 + dice(w, 200000);
		w->env.scan_records_max = 1 + dice(w, round % 3 == 0 ? 20 : 5000);
		f->page_bytes = 1 + dice(w, 5000);
		(void)ask_all(w, req, &a);
		assert_int_equal(a.root.status, CATCHUP_OK);
		assert_int_equal(a.root.first_held_pos, 1);
		check(w, &req, &a, 1, 2300);
		free(a.event);
	}
	assert_true(f->asked > 100);
	finish(w);
}

static void filters_and_positions_reach_into_the_archive(void **state)
{
	struct world *w = forgetful(1500);

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
		((struct fake *)w->archive_arg)->page_bytes = 1 + dice(w, 5000);
		(void)ask_all(w, req, &a);
		assert_int_equal(a.root.status, CATCHUP_OK);
		check(w, &req, &a, from, 1500);
		free(a.event);
	}
	finish(w);
}

static void every_sequence_is_found_in_archive_or_store(void **state)
{
	struct world *w = forgetful(1500);

	(void)state;
	for (uint64_t seq = 1; seq < 250; seq += 3) {
		struct catchup_stream s[3] = {
			stream(EVENT_TICK, "AAPL", 0, seq, 0),
			stream(EVENT_BAR, "MSFT", 0, 251 - seq, seq % 2 ? 0 : 252),
			stream(EVENT_TIER2, "tech", 60, 1 + seq / 10, 0)};
		struct catchup_request req = {.root.from_type = CATCHUP_FROM_SEQ,
					      .n_streams = 1 + (uint32_t)seq % 3,
					      .streams = s};
		struct answer a = {0};

		(void)ask_all(w, req, &a);
		assert_int_equal(a.root.status, CATCHUP_OK);
		assert_int_equal(a.n_gone, 0);
		check(w, &req, &a, 1, 1500);
		free(a.event);
	}
	finish(w);
}

static void a_time_before_the_log_is_found_in_the_archive(void **state)
{
	struct world *w = forgetful(1500);

	(void)state;
	for (uint64_t pos = 1; pos <= 1500; pos += 37) {
		struct catchup_request req = {.root = {.from_type = CATCHUP_FROM_TIME,
						       .from = TIME0 + pos * 1000}};
		uint64_t first = 1;
		struct answer a = {0};

		/* The archive has no clock records: the next tick. */
		for (uint32_t i = 0; i < w->n_model; i++) {
			first = w->model[i].pos;
			if (w->model[i].kind == EVENT_TICK && first >= pos)
				break;
		}
		(void)ask_all(w, req, &a);
		assert_int_equal(a.root.status, CATCHUP_OK);
		if (a.event[0].pos != first) /* of a clock record the log still has */
			assert_in_range(a.event[0].pos, pos, first);
		check(w, &req, &a, a.event[0].pos, 1500);
		free(a.event);
	}
	finish(w);
}

/* Its first record's time, of the wall's clock, says nothing of where the log begins.
 */
static void a_log_that_begins_with_a_control_record_is_no_beginning(void **state)
{
	struct world *w = begin_with((struct store_params){0});
	struct catchup_request req = {
		.root = {.from_type = CATCHUP_FROM_TIME, .from = TIME0 + 1}};
	struct answer a = {0};
	struct store_status s;

	(void)state;
	w->has_controls = true;
	go_on(w, 1500);
	forget(w);
	tickstore_status(w->ts, &s);
	assert_true(s.first_pos > 1 && s.first_pos % SEGMENT == 1);
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	assert_true(a.event[0].pos < SEGMENT); /* out of the archive */
	a.n = 0;
	w->archive = NULL;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	free(a.event);
	finish(w);
}

static void what_the_archive_lacks_as_well_is_gone(void **state)
{
	struct world *w = forgetful(1500);
	struct fake *f = w->archive_arg;
	struct catchup_stream s = stream(EVENT_TICK, "AAPL", 0, 1, 0);
	struct catchup_request req = {
		.root.from_type = CATCHUP_FROM_SEQ, .n_streams = 1, .streams = &s};
	struct answer a = {0};

	(void)state;
	f->first_pos = 401; /* it began late */
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	assert_int_equal(a.n_gone, 1);
	assert_int_equal(a.gone[0].first_held_seq, a.event[0].seq);
	assert_true(a.event[0].pos > 400);
	assert_int_equal(a.root.first_held_pos, 401);
	a.n = 0;
	req = (struct catchup_request){
		.root = {.from_type = CATCHUP_FROM_POS, .from = 300}};
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_GONE);
	/* A hole between archive and store: the store's beginning is the beginning. */
	f->first_pos = 1;
	f->complete_pos = 500;
	a.n = 0;
	req = from_oldest();
	(void)ask_all(w, req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	assert_true(a.event[0].pos > 501);
	check(w, &req, &a, a.event[0].pos, 1500);
	free(a.event);
	finish(w);
}

static void an_answer_that_is_none_is_an_error(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"ok\":false,\"error\":\"no\"}",
		"{\"ok\":true,\"first_pos\":-1,\"complete_pos\":5}", "{\"ok\":true}"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (unsigned q = PAST_NOTHING; q <= PAST_READ; q++) {
			struct catchup_past p = {.question = (enum past_question)q};
			struct json *doc;

			assert_int_equal(json_parse(bad[i], strlen(bad[i]), &doc), 0);
			assert_true(catchup_past_take(&p, doc, NULL, 0) < 0);
			json_free(doc);
			catchup_past_deinit(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_archive_the_beginning_is_gone),
		cmocka_unit_test(archive_store_and_log_are_one_range),
		cmocka_unit_test(filters_and_positions_reach_into_the_archive),
		cmocka_unit_test(every_sequence_is_found_in_archive_or_store),
		cmocka_unit_test(a_time_before_the_log_is_found_in_the_archive),
		cmocka_unit_test(
			a_log_that_begins_with_a_control_record_is_no_beginning),
		cmocka_unit_test(what_the_archive_lacks_as_well_is_gone),
		cmocka_unit_test(an_answer_that_is_none_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
