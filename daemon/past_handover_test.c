/* past_handover_test - everything is handed over once, whatever fails on the way. */
#include "base/json.h"
#include "base/jsonw.h"
#include "daemon/past_handover.h"
#include "daemon/serve_catchup_world_test.h"
#include <errno.h>

#define NS_PER_S INT64_C(1000000000)
#define LATER    (1000 * NS_PER_S) /* longer than anything waits */

/* The archive's end of the pipe: it takes ranges and says how far it is. */
struct taker {
	struct world *w;
	struct past_handover *h;
	struct answer got;
	uint64_t first_pos, complete_pos, epoch;
	unsigned fail; /* of 100: so many questions fail */
	bool is_dead;
	unsigned puts;
	bool is_posted;
};

static void take_put(struct taker *t, const struct json *doc, const uint8_t *bulk,
		     size_t len)
{
	uint64_t from = 0, to = 0, log = 0;
	uint32_t before = t->got.n;

	assert_int_equal(json_u64(json_get(doc, "from_pos"), &from), 0);
	assert_int_equal(json_u64(json_get(doc, "to_pos"), &to), 0);
	assert_int_equal(json_u64(json_get(doc, "log"), &log), 0);
	assert_true(log != 0);
	assert_true(to >= from);
	if (t->complete_pos > 0)
		assert_int_equal(from, t->complete_pos + 1);
	else
		t->first_pos = from;
	for (size_t at = 0; at < len;) {
		uint32_t n;

		memcpy(&n, bulk + at, sizeof(n));
		read_frame(bulk + at + sizeof(n), n, &t->got);
		at += sizeof(n) + n;
	}
	for (uint32_t i = before; i < t->got.n; i++)
		assert_in_range(t->got.event[i].pos, from, to);
	t->complete_pos = to;
	t->epoch = EPOCH;
	t->puts++;
}

static int fake_ask(void *to, const char *text, size_t len, const void *bulk,
		    size_t bulk_len, archive_reply_fn fn, void *arg)
{
	struct taker *t = to;
	struct buf out = {0};
	struct json *doc, *answer;
	struct jsonw w;
	uint32_t roll = dice(t->w, 100);

	if (t->is_dead || roll < t->fail / 3)
		return err_set(-EAGAIN, "no helper");
	if (roll < t->fail * 2 / 3) { /* it died over it, having done it or not */
		if (roll % 2 == 0) {
			assert_int_equal(json_parse(text, len, &doc), 0);
			if (bulk_len > 0)
				take_put(t, doc, bulk, bulk_len);
			json_free(doc);
		}
		fn(arg, NULL, NULL, 0);
		return 0;
	}
	assert_int_equal(json_parse(text, len, &doc), 0);
	if (strcmp(json_str(json_get(doc, "do"), ""), "put_past") == 0)
		take_put(t, doc, bulk, bulk_len);
	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_bool(&w, "ok", roll >= t->fail);
	jsonw_str(&w, "error", "as it happens");
	jsonw_u64(&w, "epoch", t->epoch);
	jsonw_u64(&w, "first_pos", t->first_pos);
	jsonw_u64(&w, "complete_pos", t->complete_pos);
	jsonw_end(&w);
	assert_int_equal(json_parse((char *)out.data, out.len, &answer), 0);
	fn(arg, answer, NULL, 0);
	json_free(doc);
	json_free(answer);
	buf_free(&out);
	return 0;
}

static int make_page(void *arg, const struct catchup_request *req, uint64_t until,
		     struct buf *out)
{
	struct taker *t = arg;
	struct buf in = {0};
	int rc;

	catchup_request_write(req, &in);
	t->w->env.until_pos = until;
	rc = catchup_answer(&t->w->env, in.data, in.len, out);
	t->w->env.until_pos = 0;
	buf_free(&in);
	return rc;
}

static bool post_work(void *arg)
{
	struct taker *t = arg;

	t->is_posted = true;
	return true;
}

static void begin_handover(struct taker *t)
{
	struct past_handover_env env = {.asker = {fake_ask, t},
					.store = t->w->ts,
					.ticks = t->w->index,
					.symbols_max = SYMBOLS_MAX,
					.epoch = EPOCH,
					.page = make_page,
					.post = post_work,
					.arg = t};

	assert_int_equal(past_handover_new(&env, &t->h), 0);
}

/* Steps until nothing moves; returns the time then. */
static int64_t run(struct taker *t, int64_t now_ns)
{
	for (int quiet = 0, i = 0; quiet < 20; i++) {
		uint64_t before = t->complete_pos;

		assert_true(i < 100000);
		now_ns += 20 * NS_PER_S;
		past_handover_step(t->h, now_ns);
		if (t->is_posted) {
			t->is_posted = false;
			past_handover_work(t->h, now_ns);
		}
		quiet = t->complete_pos == before ? quiet + 1 : 0;
	}
	return now_ns;
}

static struct taker *with_world(uint32_t n)
{
	struct taker *t = calloc(1, sizeof(*t));

	t->w = begin(n);
	t->got.event = calloc(MODEL_MAX, sizeof(*t->got.event));
	begin_handover(t);
	return t;
}

static void finish(struct taker *t)
{
	past_handover_free(t->h);
	end(t->w);
	free(t->got.event);
	free(t);
}

static void everything_is_handed_over_in_whole_positions(void **state)
{
	struct taker *t = with_world(1500);
	struct catchup_request all = from_oldest();
	struct past_handover_status s;

	(void)state;
	for (int round = 0; round < 5; round++) {
		t->w->env.page_bytes_max = 300 + dice(t->w, 20000);
		t->w->env.scan_records_max = 1 + dice(t->w, 500);
		(void)run(t, (round + 1) * LATER);
		go_on(t->w, 100);
	}
	(void)run(t, 10 * LATER);
	check(t->w, &all, &t->got, 1, 2000);
	past_handover_status(t->h, &s);
	assert_true(s.bounds.is_known);
	assert_int_equal(s.bounds.complete_pos, 2000);
	assert_false(s.is_failing);
	finish(t);
}

static void failures_lose_and_double_nothing(void **state)
{
	struct catchup_request all = from_oldest();

	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct taker *t = with_world(800);

		t->w->rand = seed;
		t->fail = 60;
		t->w->env.page_bytes_max = 3000;
		(void)run(t, LATER);
		t->fail = 0;
		(void)run(t, 100 * LATER);
		check(t->w, &all, &t->got, 1, 800);
		finish(t);
	}
}

static void retire_all(struct world *w)
{
	struct derived_limit few[STORE_KINDS] = {0};
	uint32_t gone;

	for (unsigned k = 0; k < STORE_KINDS; k++)
		few[k].ns = 1;
	tickstore_limits_set(w->ts, 1, 0, few);
	do {
		assert_int_equal(
			tickstore_retain(w->ts, TIME0 + 100, UINT64_MAX, 4, &gone), 0);
	} while (gone == 4);
	do {
		assert_int_equal(tickstore_derived_expire(w->ts, TIME0 + 100, 5, &gone),
				 0);
	} while (gone > 0);
}

static void what_is_not_handed_over_stays_also_after_a_restart(void **state)
{
	struct taker *t = with_world(500);
	struct catchup_request all = from_oldest();
	struct past_handover_status s;
	struct store_status log;

	(void)state;
	/* The archive has nothing yet: all is held back. */
	t->is_dead = true;
	(void)run(t, LATER);
	retire_all(t->w);
	tickstore_status(t->w->ts, &log);
	assert_int_equal(log.first_pos, 1);
	t->is_dead = false;
	for (int round = 0; round < 20; round++) {
		/* Counts are left on the way, as by any reader. */
		t->w->env.scan_records_max = 50;
		(void)run(t, (2 + round) * 10 * LATER);
		go_on(t->w, 300);
		retire_all(t->w);
		past_handover_status(t->h, &s);
		tickstore_status(t->w->ts, &log);
		assert_true(log.first_pos <= s.hold_pos);
		/* A new life: nothing is known but what the log says. */
		past_handover_free(t->h);
		tick_index_free(t->w->index);
		assert_int_equal(tick_index_new(SYMBOLS_MAX, &t->w->index), 0);
		t->w->env.ticks = t->w->index;
		begin_handover(t);
		retire_all(t->w);
	}
	tickstore_status(t->w->ts, &log);
	assert_true(log.first_pos > 3000);
	(void)run(t, 1000 * LATER);
	check(t->w, &all, &t->got, 1, 6500);
	finish(t);
}

/* All of it within the time between two savings of the counts, and then silence. */
static void what_was_handed_over_last_is_let_go_though_nothing_follows(void **state)
{
	struct taker *t = with_world(500);
	struct past_handover_status s;
	struct store_status log;
	uint64_t held;

	(void)state;
	t->w->env.scan_records_max = 50;
	past_handover_hurry(t->h);
	for (int i = 0; i < 400; i++) {
		past_handover_step(t->h, LATER + i * (NS_PER_S / 1000));
		if (t->is_posted) {
			t->is_posted = false;
			past_handover_work(t->h, LATER + i * (NS_PER_S / 1000));
		}
	}
	tickstore_status(t->w->ts, &log);
	past_handover_status(t->h, &s);
	assert_int_equal(s.bounds.complete_pos, log.last_pos);
	held = s.hold_pos;
	assert_true(held < log.last_pos - 100);
	past_handover_step(t->h, LATER + 10 * NS_PER_S);
	past_handover_status(t->h, &s);
	assert_true(s.hold_pos > held + 100);
	finish(t);
}

static void an_archive_that_fails_for_long_holds_nothing_back(void **state)
{
	struct taker *t = with_world(500);
	struct past_handover_status s;
	struct store_status log;
	int64_t now = LATER;

	(void)state;
	now = run(t, now);
	t->is_dead = true;
	go_on(t->w, 500);
	now = run(t, now);
	retire_all(t->w);
	tickstore_status(t->w->ts, &log);
	assert_true(log.first_pos <= 501);
	(void)run(t, now + 90000 * NS_PER_S);
	past_handover_status(t->h, &s);
	assert_true(s.is_failing);
	assert_int_equal(s.hold_pos, UINT64_MAX);
	retire_all(t->w);
	tickstore_status(t->w->ts, &log);
	assert_true(log.first_pos > 501);
	finish(t);
}

static void the_archive_of_a_later_epoch_is_left_alone(void **state)
{
	struct taker *t = with_world(300);
	struct past_handover_status s;

	(void)state;
	t->epoch = EPOCH + 1;
	t->first_pos = 1;
	t->complete_pos = 100;
	(void)run(t, LATER);
	past_handover_status(t->h, &s);
	assert_true(s.is_failing);
	assert_int_equal(t->puts, 0);
	finish(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_handed_over_in_whole_positions),
		cmocka_unit_test(failures_lose_and_double_nothing),
		cmocka_unit_test(what_is_not_handed_over_stays_also_after_a_restart),
		cmocka_unit_test(
			what_was_handed_over_last_is_let_go_though_nothing_follows),
		cmocka_unit_test(an_archive_that_fails_for_long_holds_nothing_back),
		cmocka_unit_test(the_archive_of_a_later_epoch_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
