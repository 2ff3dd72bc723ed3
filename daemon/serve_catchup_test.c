/* serve_catchup_test - pages, cursors, streams, what is gone, what is waited for. */
#include "daemon/serve_catchup_world_test.h"

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
		assert_int_equal(a.root.count, a.n);
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
