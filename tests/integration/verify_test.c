/*
 * verify_test - what was derived and stored is proved equal, and one planted byte, one
 * event too few or too many, and one bent state are found and named.
 */
#include "daemon/derived.h"
#include "daemon/rerun.h"
#include "daemon/snapshot.h"
#include "daemon/verify.h"
#include "tests/integration/market.h"
#include "tests/integration/tempdir.h"
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RECORDS 20000
#define BAR     1500 /* the bar that faults are planted at */

enum fault { NONE, FLIP, LEAVE_OUT, ADD, BEND_MATRIX };

struct world {
	char dir[TEMPDIR_MAX];
	struct params params;
	struct pipeline *pipeline;
	struct symtab *sources;
	struct derived *derived;
	enum fault fault;
	uint64_t n[EVENT_KINDS];
	struct event_bar bar;      /* the one at BAR */
	struct event_tier2 matrix; /* the one that is bent */
};

static int on_post(void *arg, enum event_kind kind, uint64_t first_pos,
		   uint64_t last_pos, uint32_t n_events, void *data, size_t len)
{
	struct world *w = arg;

	assert_int_equal(tickstore_derived_append(pipeline_store(w->pipeline), kind,
						  first_pos, last_pos, n_events, data,
						  (uint32_t)len),
			 0);
	free(data);
	return 0;
}

static void on_published(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct world *w = arg;
	uint8_t copy[1 << 16];
	struct event_bar *bar = (void *)copy;

	if (kind == EVENT_TICK)
		return;
	assert_true(len <= sizeof(copy));
	memcpy(copy, event, len);
	w->n[kind]++;
	if (kind == EVENT_BAR && w->n[kind] == BAR) {
		w->bar = *bar;
		if (w->fault == LEAVE_OUT)
			return;
		if (w->fault == FLIP)
			bar->close_e9 ^= 1 << 20;
	}
	if (kind == EVENT_TIER2 && w->n[kind] == 9) {
		memcpy(&w->matrix, copy, sizeof(w->matrix));
		if (w->fault == BEND_MATRIX)
			copy[len - 3] ^= 1; /* the last cell of the triangle */
	}
	derived_add(w->derived, kind, copy, len);
	if (kind == EVENT_BAR && w->n[kind] == BAR && w->fault == ADD) {
		bar->head.seq = 0;
		derived_add(w->derived, kind, copy, len);
	}
}

static void world_init(struct world *w, enum fault fault)
{
	static const uint64_t skip[EVENT_KINDS];
	struct pipeline_env env = {.params = &w->params,
				   .n_workers = 2,
				   .dir = w->dir,
				   .too_old_ns = INT64_C(86400000000000),
				   .future_ns = INT64_C(10000000000),
				   .sink = on_published,
				   .arg = w};
	uint32_t id;
	int is_new;

	*w = (struct world){.fault = fault};
	tempdir_new(w->dir);
	market_params(&w->params);
	assert_int_equal(symtab_new(8, 1, &w->sources), 0);
	assert_int_equal(symtab_add(w->sources, "test", 4, &id, &is_new), 0);
	w->pipeline = pipeline_new(&env);
	assert_int_equal(derived_new(1, skip, on_post, w, &w->derived), 0);
	market_feed(w->pipeline, RECORDS);
	pipeline_run(w->pipeline);
	derived_flush(w->derived, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	assert_int_equal(derived_pending(w->derived), 0);
	assert_true(w->n[EVENT_BAR] > 2 * BAR && w->n[EVENT_TIER1] > 1000 &&
		    w->n[EVENT_TIER2] > 20);
}

static void world_deinit(struct world *w)
{
	derived_free(w->derived);
	pipeline_free(w->pipeline);
	symtab_free(w->sources);
	params_deinit(&w->params);
	tempdir_remove(w->dir);
}

static uint64_t log_end(const struct world *w)
{
	struct store_status s;

	tickstore_status(pipeline_store(w->pipeline), &s);
	return s.last_pos;
}

struct range {
	uint64_t from, to;
	uint32_t n_workers;
	bool is_cancelled;
};

static void verify(struct world *w, struct range range, struct verify_result *out)
{
	struct verify_progress progress = {.cancel = range.is_cancelled};
	struct verify_env env = {.params = &w->params,
				 .symbols = pipeline_symbols(w->pipeline),
				 .sources = w->sources,
				 .symbols_max = 4096,
				 .n_workers =
					 range.n_workers != 0 ? range.n_workers : 1,
				 .access = {.store = pipeline_store(w->pipeline)},
				 .from = range.from,
				 .to = range.to != 0 ? range.to : UINT64_MAX,
				 .progress = &progress};

	verify_run(&env, out);
}

static uint64_t faults(const struct verify_result *r)
{
	uint64_t n = 0;

	for (int k = 0; k < EVENT_KINDS; k++)
		n += r->kinds[k].different + r->kinds[k].missing + r->kinds[k].extra;
	return n;
}

static void what_is_stored_is_what_the_log_makes(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, NONE);
	for (uint32_t n_workers = 1; n_workers <= 3; n_workers++) {
		struct verify_result r;

		verify(&w, (struct range){.n_workers = n_workers}, &r);
		assert_string_equal(r.problem, "");
		assert_int_equal(r.verdict, VERIFY_EQUAL);
		assert_int_equal(r.records, log_end(&w));
		for (int k = EVENT_BAR; k <= EVENT_STATUS; k++)
			assert_int_equal(r.kinds[k].equal, w.n[k]);
		assert_true(r.n_heads > 2 * MARKET_SYMBOLS);
		assert_int_equal(r.heads[0].kind, EVENT_BAR);
		assert_true(r.heads[0].chain != 0);
		verify_result_free(&r);
	}
	world_deinit(&w);
}

static void one_flipped_bit_is_named(void **state)
{
	struct verify_result r;
	struct world w;
	char where[160];

	(void)state;
	world_init(&w, FLIP);
	verify(&w, (struct range){.n_workers = 2}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	assert_int_equal(r.kinds[EVENT_BAR].different, 1);
	assert_int_equal(faults(&r), 1);
	assert_int_equal(r.kinds[EVENT_BAR].equal, w.n[EVENT_BAR] - 1);
	assert_int_equal(r.first.kind, EVENT_BAR);
	assert_int_equal(r.first.pos, w.bar.head.pos);
	assert_int_equal(r.first.seq, w.bar.head.seq);
	assert_string_equal(r.first.symbol, w.bar.symbol);
	assert_string_equal(r.field, "close");
	(void)snprintf(where, sizeof(where),
		       "bar of %s, sequence %llu at position %llu: close is ",
		       w.bar.symbol, (unsigned long long)w.bar.head.seq,
		       (unsigned long long)w.bar.head.pos);
	assert_memory_equal(r.problem, where, strlen(where));
	verify_result_free(&r);
	/* Outside of the range it is nobody's business. */
	verify(&w, (struct range){.to = w.bar.head.pos - 1}, &r);
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_true(r.kinds[EVENT_BAR].equal > 100);
	verify_result_free(&r);
	verify(&w, (struct range){.from = w.bar.head.pos + 1}, &r);
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_true(r.kinds[EVENT_BAR].equal > 100);
	verify_result_free(&r);
	verify(&w, (struct range){.from = w.bar.head.pos, .to = w.bar.head.pos}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	verify_result_free(&r);
	world_deinit(&w);
}

static void a_bent_cell_of_a_matrix_is_named(void **state)
{
	struct verify_result r;
	struct world w;

	(void)state;
	world_init(&w, BEND_MATRIX);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	assert_int_equal(r.kinds[EVENT_TIER2].different, 1);
	assert_int_equal(faults(&r), 1);
	assert_int_equal(r.first.pos, w.matrix.head.pos);
	assert_int_equal(r.first.seq, w.matrix.head.seq);
	assert_non_null(strstr(r.field, "matrix["));
	verify_result_free(&r);
	world_deinit(&w);
}

static void an_event_too_few_or_too_many_is_named(void **state)
{
	struct verify_result r;
	struct world w;

	(void)state;
	world_init(&w, LEAVE_OUT);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	assert_int_equal(r.kinds[EVENT_BAR].missing, 1);
	assert_int_equal(faults(&r), 1);
	assert_int_equal(r.first.seq, w.bar.head.seq);
	assert_non_null(strstr(r.problem, "is not in the store"));
	verify_result_free(&r);
	world_deinit(&w);

	world_init(&w, ADD);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	assert_int_equal(r.kinds[EVENT_BAR].extra, 1);
	assert_int_equal(faults(&r), 1);
	assert_int_equal(r.first.seq, 0);
	assert_int_equal(r.first.pos, w.bar.head.pos);
	assert_non_null(strstr(r.problem, "does not follow from the log"));
	verify_result_free(&r);
	world_deinit(&w);
}

/* ---- snapshots ---- */

static int no_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	(void)arg;
	(void)kind;
	(void)event;
	(void)len;
	return 0;
}

static void add_part(void *arg, const void *data, size_t len)
{
	buf_add(arg, data, len);
}

/* A snapshot of position @pos as the daemon takes it; @bend: flip a bit of a lane. */
static void store_snapshot(struct world *w, uint64_t pos, bool bend)
{
	struct tickstore *ts = pipeline_store(w->pipeline);
	const struct rerun_env env = {.params = &w->params,
				      .symbols = pipeline_symbols(w->pipeline),
				      .sources = w->sources,
				      .symbols_max = 4096,
				      .n_workers = 1};
	struct snapshot_head head = {params_hash(&w->params), pos};
	struct record *recs = calloc(pos, sizeof(*recs));
	struct buf b = {0};
	struct state st = state_saving(&b);
	struct rerun *r;
	uint64_t at = 1;
	size_t sec = section_begin(&b, SECTION_HEAD, 0);

	snapshot_head_state(&st, &head);
	section_end(&b, sec);
	assert_int_equal(rerun_new(&env, no_event, NULL, &r), 0);
	while (at <= pos) {
		uint32_t n;

		assert_int_equal(
			tickstore_read(ts, at, (uint32_t)(pos - at + 1), recs, &at, &n),
			0);
		assert_int_equal(rerun_feed(r, at, recs, n), 0);
		at += n;
	}
	assert_int_equal(rerun_sync(r), 0);
	rerun_save(r, pos, symtab_count(pipeline_symbols(w->pipeline)), add_part, &b);
	rerun_free(r);
	if (bend)
		b.data[b.len / 3] ^= 4;
	assert_int_equal(tickstore_snapshot_part(ts, pos, 0, b.data, b.len), 0);
	assert_int_equal(tickstore_snapshot_seal(ts, pos, SNAPSHOT_VERSION, 1), 0);
	buf_free(&b);
	free(recs);
}

static void the_range_begins_with_the_snapshot_before_it(void **state)
{
	uint64_t middle;
	struct verify_result r;
	struct world w;

	(void)state;
	world_init(&w, NONE);
	middle = log_end(&w) / 2;
	store_snapshot(&w, middle, false);
	verify(&w, (struct range){.from = middle + 100, .n_workers = 2}, &r);
	assert_string_equal(r.problem, "");
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_int_equal(r.start, middle);
	assert_int_equal(r.records, log_end(&w) - middle);
	assert_true(r.kinds[EVENT_BAR].equal > 100);
	verify_result_free(&r);
	/* Over it: the state there is the same. */
	verify(&w, (struct range){.n_workers = 3}, &r);
	assert_string_equal(r.note, "");
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_int_equal(r.start, 0);
	assert_int_equal(r.snapshots_equal, 1);
	assert_int_equal(r.snapshots_unusable, 0);
	verify_result_free(&r);
	world_deinit(&w);
}

static void a_bent_state_is_named(void **state)
{
	struct verify_result r;
	struct world w;

	(void)state;
	world_init(&w, NONE);
	store_snapshot(&w, 9000, true);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_DIFFERS);
	assert_int_equal(r.snapshots_different, 1);
	assert_int_equal(faults(&r), 0);
	assert_non_null(
		strstr(r.problem, "state snapshot at position 9000: the state of "));
	verify_result_free(&r);
	world_deinit(&w);
}

/* ---- what is not compared ---- */

static void what_another_configuration_made_is_not_compared(void **state)
{
	struct verify_result r;
	struct world w;
	uint64_t before;

	(void)state;
	world_init(&w, NONE);
	before = w.n[EVENT_BAR];
	/* A configuration of hash 0, and a clock that closes bars under it. */
	pipeline_control(w.pipeline, CONTROL_CONFIG, w.bar.symbol);
	pipeline_clock(w.pipeline, w.bar.head.event_ns + INT64_C(86400000000000));
	pipeline_run(w.pipeline);
	assert_true(w.n[EVENT_BAR] > before);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_int_equal(r.kinds[EVENT_BAR].equal, before);
	assert_int_equal(r.kinds[EVENT_BAR].other_config, w.n[EVENT_BAR] - before);
	verify_result_free(&r);
	world_deinit(&w);
}

static void what_is_not_stored_yet_is_no_difference(void **state)
{
	struct verify_result r;
	struct world w;
	uint64_t before;

	(void)state;
	world_init(&w, NONE);
	before = w.n[EVENT_BAR];
	pipeline_clock(w.pipeline, w.bar.head.event_ns + INT64_C(86400000000000));
	pipeline_run(w.pipeline);
	verify(&w, (struct range){0}, &r);
	assert_int_equal(r.verdict, VERIFY_EQUAL);
	assert_int_equal(r.kinds[EVENT_BAR].equal, before);
	assert_int_equal(r.kinds[EVENT_BAR].not_stored, w.n[EVENT_BAR] - before);
	verify_result_free(&r);
	world_deinit(&w);
}

static void it_ends_when_it_is_told_to(void **state)
{
	struct verify_result r;
	struct world w;

	(void)state;
	world_init(&w, NONE);
	verify(&w, (struct range){.is_cancelled = true}, &r);
	assert_int_equal(r.verdict, VERIFY_CANCELLED);
	verify_result_free(&r);
	verify(&w, (struct range){.from = log_end(&w) + 1}, &r);
	assert_int_equal(r.verdict, VERIFY_FAILED);
	assert_non_null(strstr(r.problem, "the log ends at"));
	verify_result_free(&r);
	world_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_stored_is_what_the_log_makes),
		cmocka_unit_test(one_flipped_bit_is_named),
		cmocka_unit_test(a_bent_cell_of_a_matrix_is_named),
		cmocka_unit_test(an_event_too_few_or_too_many_is_named),
		cmocka_unit_test(the_range_begins_with_the_snapshot_before_it),
		cmocka_unit_test(a_bent_state_is_named),
		cmocka_unit_test(what_another_configuration_made_is_not_compared),
		cmocka_unit_test(what_is_not_stored_yet_is_no_difference),
		cmocka_unit_test(it_ends_when_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
