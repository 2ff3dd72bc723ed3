/* serve_catchup_snapshot_test - the newest of everything, and what follows it. */
#include "daemon/serve_catchup_world_test.h"
#include <stdlib.h>

static struct catchup_request snapshot(void)
{
	return (struct catchup_request){.root = {.from_type = CATCHUP_FROM_SNAPSHOT}};
}

static bool is_same_stream(const struct happening *a, const struct happening *b)
{
	return a->kind == b->kind && a->symbol_id == b->symbol_id &&
	       a->timeframe_s == b->timeframe_s;
}

static bool is_newest(const struct world *w, uint32_t i)
{
	for (uint32_t k = i + 1; k < w->n_model; k++)
		if (is_same_stream(&w->model[i], &w->model[k]))
			return false;
	return true;
}

/* @a holds exactly the newest of what @req covers, in the model's order. */
static void holds_the_newest(struct world *w, const struct catchup_request *req,
			     const struct answer *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n_model; i++) {
		if (!is_newest(w, i) || !covers(req, &w->model[i]))
			continue;
		assert_true(n < a->n);
		assert_int_equal(a->event[n].kind, w->model[i].kind);
		assert_int_equal(a->event[n].symbol_id, w->model[i].symbol_id);
		assert_int_equal(a->event[n].timeframe_s, w->model[i].timeframe_s);
		assert_int_equal(a->event[n].seq, w->model[i].seq);
		assert_int_equal(a->event[n].pos, w->model[i].pos);
		n++;
	}
	assert_int_equal(a->n, n);
	assert_true(n > 0);
}

static void a_snapshot_is_the_newest_of_every_stream(void **state)
{
	struct world *w = begin(2000);
	struct catchup_request req = snapshot();
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_OK);
	assert_int_equal(a.root.next_from, CATCHUP_FROM_POS);
	assert_int_equal(a.root.next_pos, 2001);
	assert_int_equal(a.root.done, 0);
	holds_the_newest(w, &req, &a);

	/* What follows begins behind it. */
	to_cursor(&req, &a);
	a.n = 0;
	go_on(w, 300);
	(void)ask_all(w, req, &a);
	check(w, &req, &a, 2001, 2300);
	free(a.event);
	end(w);
}

static void a_filter_holds_for_a_snapshot_too(void **state)
{
	struct world *w = begin(1500);
	struct catchup_stream s[3] = {stream(EVENT_BAR, "IBM", 300, 0, 0),
				      stream(EVENT_TICK, "MSFT", 0, 0, 0),
				      stream(CATCHUP_ANY_KIND, "tech", 0, 0, 0)};
	struct answer a = {0};

	(void)state;
	for (uint32_t n = 1; n <= 3; n++) {
		struct catchup_request req = snapshot();

		req.streams = s;
		req.n_streams = n;
		a.n = 0;
		ask(w, &req, &a);
		holds_the_newest(w, &req, &a);
		assert_int_equal(a.n, n);
	}
	free(a.event);
	end(w);
}

/* What a subscriber makes of it: only what is above its last sequence counts. */
struct follower {
	uint64_t last[EVENT_KINDS][SYMBOLS];
	uint64_t newest[EVENT_KINDS][SYMBOLS][2]; /* by timeframe: 300 or else */
};

static void follow(struct follower *f, const struct answer *a, uint32_t from,
		   bool is_snapshot)
{
	for (uint32_t i = from; i < a->n; i++) {
		const struct happening *h = &a->event[i];
		uint64_t *last = &f->last[h->kind][h->symbol_id];

		if (h->seq <= *last)
			continue;
		if (!is_snapshot && *last > 0)
			assert_int_equal(h->seq, *last + 1);
		*last = h->seq;
		f->newest[h->kind][h->symbol_id][h->timeframe_s == 300] = h->seq;
	}
}

static void knows_the_present(const struct world *w, const struct follower *f)
{
	for (uint32_t i = 0; i < w->n_model; i++) {
		const struct happening *h = &w->model[i];

		if (is_newest(w, i))
			assert_int_equal(
				f->newest[h->kind][h->symbol_id][h->timeframe_s == 300],
				h->seq);
	}
}

static void whoever_follows_a_moving_snapshot_misses_nothing(void **state)
{
	struct world *w = begin(800);

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct catchup_request req = snapshot();
		struct follower *f = calloc(1, sizeof(*f));
		struct answer a = {0};
		unsigned pages = 0;

		w->env.scan_records_max = 1 + dice(w, round % 3 == 0 ? 1000 : 20000);
		w->env.scan_bytes_max = round % 4 == 0 ? 5000 : 1 + dice(w, 1000000);
		w->env.page_bytes_max = 300 + dice(w, 20000);
		do {
			bool is_snapshot = req.root.from_type == CATCHUP_FROM_SNAPSHOT;
			uint32_t before = a.n;

			req.root.limit = 1 + dice(w, is_snapshot ? 5 : 300);
			ask(w, &req, &a);
			if (a.root.status == CATCHUP_BUSY)
				continue;
			follow(f, &a, before, is_snapshot);
			to_cursor(&req, &a);
			if (!a.root.done && pages < 12 && dice(w, 3) == 0)
				go_on(w, 10 + dice(w, 30));
			assert_true(++pages < 100000);
		} while (!a.root.done);
		knows_the_present(w, f);
		free(f);
		free(a.event);
	}
	end(w);
}

/* As a daemon that was started again: the index of the one before, or none. */
static void start_again(struct world *w)
{
	newest_free(w->newest);
	assert_int_equal(newest_new(&w->newest), 0);
	w->env.newest = w->newest;
}

static void a_saved_index_is_read_on_from(void **state)
{
	struct world *w = begin(1000);
	struct catchup_request req = snapshot();
	struct answer a = {0};

	(void)state;
	ask(w, &req, &a);
	assert_int_equal(newest_save(w->newest, w->ts), 0);
	go_on(w, 400); /* behind what was saved, and then it is killed */
	start_again(w);
	w->env.scan_bytes_max = 100000; /* would not do for everything */
	a.n = 0;
	do
		ask(w, &req, &a);
	while (a.root.status == CATCHUP_BUSY);
	w->env.scan_bytes_max = 0;
	while (a.root.next_from == CATCHUP_FROM_SNAPSHOT) {
		to_cursor(&req, &a);
		ask(w, &req, &a);
	}
	req = snapshot();
	holds_the_newest(w, &req, &a);
	free(a.event);
	end(w);
}

static void an_index_that_does_not_fit_is_made_anew(void **state)
{
	struct world *w = begin(600);
	struct catchup_request req = snapshot();
	struct answer a = {0};
	uint8_t junk[200] = {1};

	(void)state;
	assert_int_equal(tickstore_meta_put(w->ts, "newest.index", junk, sizeof(junk)),
			 0);
	ask(w, &req, &a);
	holds_the_newest(w, &req, &a);

	/* One of rows that are not there: of a store that was put back. */
	assert_int_equal(newest_save(w->newest, w->ts), 0);
	{
		const void *data;
		uint8_t *copy;
		uint64_t covered = 1000000;
		size_t len;

		assert_int_equal(tickstore_meta_get(w->ts, "newest.index", &data, &len),
				 0);
		copy = malloc(len);
		memcpy(copy, data, len);
		memcpy(copy + 16 + EVENT_BAR * 8, &covered, 8);
		assert_int_equal(tickstore_meta_put(w->ts, "newest.index", copy, len),
				 0);
		free(copy);
	}
	start_again(w);
	a.n = 0;
	ask(w, &req, &a);
	holds_the_newest(w, &req, &a);
	free(a.event);
	end(w);
}

static void a_large_store_is_gathered_in_slices(void **state)
{
	struct world *w = begin(3000);
	struct catchup_request req = snapshot();
	struct answer a = {0};
	unsigned busy = 0;

	(void)state;
	w->env.scan_bytes_max = 50000;
	for (ask(w, &req, &a); a.root.status == CATCHUP_BUSY; ask(w, &req, &a))
		assert_true(++busy < 1000);
	assert_true(busy > 2);
	free(a.event);
	end(w);
}

static void without_an_index_a_snapshot_is_refused(void **state)
{
	struct world *w = begin(50);
	struct catchup_request req = snapshot();
	struct answer a = {0};

	(void)state;
	w->env.newest = NULL;
	ask(w, &req, &a);
	assert_int_equal(a.root.status, CATCHUP_REFUSED);
	free(a.event);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_is_the_newest_of_every_stream),
		cmocka_unit_test(a_filter_holds_for_a_snapshot_too),
		cmocka_unit_test(whoever_follows_a_moving_snapshot_misses_nothing),
		cmocka_unit_test(a_saved_index_is_read_on_from),
		cmocka_unit_test(an_index_that_does_not_fit_is_made_anew),
		cmocka_unit_test(a_large_store_is_gathered_in_slices),
		cmocka_unit_test(without_an_index_a_snapshot_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
