/*
 * bars_order_test - the same ticks in any order inside the window end in the same final
 * bars, which are those of a slow reference that sorts first and adds up then.
 *
 * A case is a seed: trades with all permissions, quotes good and crossed and one-sided,
 * cancels and corrections, gaps, three timeframes, three price types, spread on.  Times
 * tie on purpose.  The reference knows nothing of the code it checks but clean_step().
 */
#include "workers/bars_fixture.h"
#include "workers/clean.h"
#include <math.h>
#include <stdio.h>

#define TICKS 1500
#define SEEDS 60

struct scenario {
	struct record tick[TICKS]; /* in key order */
	int64_t arrival[TICKS];
	uint32_t order[TICKS];
	uint64_t rng;
};

static uint64_t draw(uint64_t *rng, uint64_t below)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (*rng >> 11) % below;
}

static void make_trade(struct scenario *c, struct record *r, int64_t *price)
{
	*price += ((int64_t)draw(&c->rng, 21) - 10) * E9 / 100;
	r->price_e9 = *price;
	r->size_e8 = draw(&c->rng, 10) == 0 ? VALUE_NULL
					    : (int64_t)draw(&c->rng, 1000) * E8 / 10;
	if (draw(&c->rng, 5) == 0)
		r->action_flags = record_pack(TICK_NEW, (unsigned)draw(&c->rng, 8));
}

static void make_quote(struct scenario *c, struct record *r, int64_t price)
{
	r->bid_e9 = price - (int64_t)draw(&c->rng, 5) * E9 / 100;
	r->ask_e9 = price + ((int64_t)draw(&c->rng, 5) - 1) * E9 / 100;
	if (draw(&c->rng, 12) == 0)
		r->bid_e9 = VALUE_NULL;
	if (draw(&c->rng, 12) == 0)
		r->ask_e9 = VALUE_NULL;
}

/* Names a trade, or a correction, of the last 20 s. */
static void make_amend(struct scenario *c, struct record *r, uint32_t i)
{
	uint32_t back = 1 + (uint32_t)draw(&c->rng, 30);
	const struct record *of = &c->tick[back > i ? 0 : i - back];

	if (of->price_e9 == VALUE_NULL || r->event_ns - of->event_ns > 20 * S)
		return;
	r->ref_seq = of->source_seq;
	r->action_flags = record_pack(TICK_CANCEL, 0);
	if (draw(&c->rng, 2) == 0)
		return;
	r->action_flags = record_pack(TICK_CORRECT, 0);
	r->price_e9 = of->price_e9 + ((int64_t)draw(&c->rng, 7) - 3) * E9 / 100;
	r->size_e8 = (int64_t)draw(&c->rng, 100) * E8;
}

static void make(struct scenario *c, uint64_t seed)
{
	int64_t now_ns = T0 + 37 * S, price = 100 * E9;

	memset(c, 0, sizeof(*c));
	c->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (uint32_t i = 0; i < TICKS; i++) {
		struct record *r = &c->tick[i];
		uint64_t kind = draw(&c->rng, 20);

		*r = fixture_record(now_ns, i + 1);
		if (i == 0 || kind < 10)
			make_trade(c, r, &price);
		if (i == 0 || (kind >= 8 && kind < 17))
			make_quote(c, r, price);
		if (i > 0 && kind >= 17)
			make_amend(c, r, i);
		if (draw(&c->rng, 6) > 0) /* else the next one ties */
			now_ns += (int64_t)draw(&c->rng, 500) * NS_PER_MS;
		if (draw(&c->rng, 200) == 0)
			now_ns += (int64_t)draw(&c->rng, 200) * S;
	}
	/* All series begin with one full tick in any order. */
	c->tick[0].bid_e9 = price - E9;
	c->tick[0].ask_e9 = price + E9;
	c->tick[0].action_flags = 0;
}

static const struct scenario *sorting;

static int by_arrival(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (sorting->arrival[x] != sorting->arrival[y])
		return sorting->arrival[x] < sorting->arrival[y] ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Arrive up to @late_ns after the event; the first tick stays the first. */
static void shuffle(struct scenario *c, int64_t late_ns)
{
	for (uint32_t i = 0; i < TICKS; i++) {
		int64_t late = i == 0 || late_ns == 0
				       ? 0
				       : 1 + (int64_t)draw(&c->rng, (uint64_t)late_ns);

		c->order[i] = i;
		c->arrival[i] = c->tick[i].event_ns + late;
	}
	sorting = c;
	qsort(c->order, TICKS, sizeof(c->order[0]), by_arrival);
}

static void run(const struct scenario *c, struct fixture *f)
{
	int64_t end_ns = c->tick[TICKS - 1].event_ns + 20 * MIN;

	fixture_init(f);
	f->params.defaults.n_timeframes = 3;
	f->params.defaults.timeframes_s[0] = 5;
	f->params.defaults.timeframes_s[1] = 60;
	f->params.defaults.timeframes_s[2] = 600;
	f->params.defaults.n_price_types = 3;
	f->params.defaults.price_types[0] = PRICE_LAST;
	f->params.defaults.price_types[1] = PRICE_MID;
	f->params.defaults.price_types[2] = PRICE_ASK;
	f->params.defaults.spread = true;
	f->params.bars.history_slots = 2048;
	f->params.bars.missing_run_max = 1000000;
	fixture_open(f);
	for (uint32_t i = 0; i < TICKS; i++)
		fixture_put(f, &c->tick[c->order[i]]);
	fixture_clock(f, end_ns);
}

static int by_bar(const void *a, const void *b)
{
	const struct event_bar *x = a, *y = b;

	if (x->timeframe_s != y->timeframe_s)
		return x->timeframe_s < y->timeframe_s ? -1 : 1;
	if (x->price_type != y->price_type)
		return x->price_type < y->price_type ? -1 : 1;
	return x->bar_start_ns < y->bar_start_ns ? -1
						 : x->bar_start_ns > y->bar_start_ns;
}

/* Final bars by series and time, without what depends on the way they came about. */
static size_t finals(const struct fixture *f, struct event_bar **out)
{
	struct event_bar *v = calloc(f->n, sizeof(*v));
	size_t n = 0;

	assert_non_null(v);
	for (size_t i = 0; i < f->n; i++) {
		if (!(f->bar[i].flags & BAR_FINAL))
			continue;
		v[n] = f->bar[i];
		v[n].head.seq = v[n].head.pos = 0;
		v[n].head.recv_ns = 0;
		v[n].first_pos = v[n].last_pos = 0;
		v[n].revision = 0;
		v[n].cause = 0;
		v[n++].late_ticks = 0;
	}
	qsort(v, n, sizeof(*v), by_bar);
	*out = v;
	return n;
}

/* The reference: what became of every trade, by all that was said of it. */
static void settle(const struct scenario *c, struct record *out)
{
	memcpy(out, c->tick, sizeof(c->tick));
	for (uint32_t i = 0; i < TICKS; i++) {
		const struct record *a = &c->tick[i];
		uint64_t root = a->ref_seq;

		if (record_action(a) == TICK_NEW)
			continue;
		while (record_action(&c->tick[root - 1]) != TICK_NEW)
			root = c->tick[root - 1].ref_seq;
		if (record_action(a) == TICK_CANCEL) {
			out[root - 1].ref_seq = UINT64_MAX; /* withdrawn */
		} else { /* in key order: the last one holds */
			out[root - 1].price_e9 = a->price_e9;
			out[root - 1].size_e8 = a->size_e8;
		}
	}
}

static bool reference_price(const struct record *r, uint8_t price_type, int64_t *out)
{
	if (record_action(r) != TICK_NEW)
		return false;
	if (price_type == PRICE_LAST)
		*out = r->ref_seq == UINT64_MAX ? VALUE_NULL : r->price_e9;
	else if (price_type == PRICE_ASK)
		*out = r->ask_e9;
	else if (r->bid_e9 == VALUE_NULL || r->ask_e9 == VALUE_NULL)
		*out = VALUE_NULL;
	else
		*out = (r->bid_e9 + r->ask_e9) / 2;
	return *out != VALUE_NULL;
}

static void check_prices(const struct record *ticks, const struct event_bar *b)
{
	int64_t open = VALUE_NULL, high = VALUE_NULL, low = VALUE_NULL,
		close = VALUE_NULL, price;
	__int128 volume = 0;
	uint64_t count = 0;

	for (uint32_t i = 0; i < TICKS; i++) {
		const struct record *r = &ticks[i];
		unsigned flags = b->price_type == PRICE_LAST ? record_flags(r) : 0;

		if (r->event_ns < b->bar_start_ns || r->event_ns >= b->head.event_ns ||
		    !reference_price(r, b->price_type, &price))
			continue;
		if (!(flags & TICK_NO_LAST)) {
			open = open == VALUE_NULL ? price : open;
			close = price;
		}
		if (!(flags & TICK_NO_RANGE)) {
			high = high == VALUE_NULL || price > high ? price : high;
			low = low == VALUE_NULL || price < low ? price : low;
		}
		if (flags & TICK_NO_VOLUME)
			continue;
		count++;
		if (b->price_type == PRICE_LAST && r->size_e8 != VALUE_NULL)
			volume += r->size_e8;
	}
	assert_true(b->open_e9 == open && b->close_e9 == close);
	assert_true(b->high_e9 == high && b->low_e9 == low);
	assert_true(b->trade_count == count && b->volume_lo == (uint64_t)volume);
}

static void check_spread(const struct record *ticks, const struct event_bar *b)
{
	__int128 gap = 0, both = 0;
	const struct record *q = NULL;

	for (uint32_t i = 0; i <= TICKS; i++) {
		const struct record *r = i < TICKS ? &ticks[i] : NULL;
		int64_t until = r == NULL || r->event_ns > b->head.event_ns
					? b->head.event_ns
					: r->event_ns;

		if (r != NULL &&
		    (r->event_ns < b->bar_start_ns || record_action(r) != TICK_NEW ||
		     (r->bid_e9 == VALUE_NULL && r->ask_e9 == VALUE_NULL)))
			continue;
		if (q != NULL && q->bid_e9 != VALUE_NULL && q->ask_e9 != VALUE_NULL &&
		    q->bid_e9 < q->ask_e9) {
			gap += (__int128)(q->ask_e9 - q->bid_e9) *
			       (until - q->event_ns);
			both += (__int128)(q->ask_e9 + q->bid_e9) *
				(until - q->event_ns);
		}
		q = r;
		if (r == NULL || r->event_ns >= b->head.event_ns)
			break;
	}
	if (both > 0) {
		assert_int_equal(b->spread_method, SPREAD_QUOTE);
		assert_true(b->spread_estimate == 2.0 * (double)gap / (double)both);
	} else {
		assert_int_not_equal(b->spread_method, SPREAD_QUOTE);
	}
}

static double price_of(int64_t price_e9)
{
	return price_e9 == VALUE_NULL ? NAN : (double)price_e9 / 1e9;
}

/* Live and batch agree to the last bit: walk once over the final bars of a series. */
static void check_clean(const struct symbol_params *sp, const struct event_bar *v,
			size_t n)
{
	struct clean c = {0};
	struct clean_result r;

	for (size_t i = 0; i < n; i++) {
		const struct event_bar *b = &v[i];
		struct clean_bar in = {.open = price_of(b->open_e9),
				       .high = price_of(b->high_e9),
				       .low = price_of(b->low_e9),
				       .close = price_of(b->close_e9),
				       .quoted = b->spread_method == SPREAD_QUOTE
							 ? b->spread_estimate
							 : NAN,
				       .missing = (b->flags & BAR_IS_MISSING) != 0,
				       .enough_volume = true};

		if (i > 0)
			assert_true(b->bar_start_ns == v[i - 1].head.event_ns);
		clean_step(sp, &c, &in, &r);
		assert_memory_equal(&r.log_return_1, &b->log_return_1, 8);
		assert_memory_equal(&r.spread_estimate, &b->spread_estimate, 8);
		assert_int_equal(r.outlier_reason, b->outlier_reason);
		assert_int_equal(r.valid, (b->flags & BAR_VALID) != 0);
	}
}

static void check_against_reference(const struct scenario *c, const struct fixture *f,
				    const struct event_bar *v, size_t n)
{
	static struct record ticks[TICKS];
	const struct bars_counts *k = bars_counts(f->bars);
	uint64_t counted = 0, eligible = 0;
	size_t from = 0;

	settle(c, ticks);
	for (size_t i = 0; i < n; i++) {
		check_prices(ticks, &v[i]);
		check_spread(ticks, &v[i]);
		if (v[i].price_type == PRICE_LAST)
			counted += v[i].trade_count;
		if (i + 1 < n && v[i + 1].timeframe_s == v[i].timeframe_s &&
		    v[i + 1].price_type == v[i].price_type)
			continue;
		check_clean(&f->params.defaults, &v[from], i + 1 - from);
		from = i + 1;
	}
	for (uint32_t i = 0; i < TICKS; i++)
		eligible += record_action(&ticks[i]) == TICK_NEW &&
			    ticks[i].price_e9 != VALUE_NULL &&
			    ticks[i].ref_seq != UINT64_MAX &&
			    !(record_flags(&ticks[i]) & TICK_NO_VOLUME);
	/* Conservation: every tick that may count is in a bar of each timeframe. */
	assert_int_equal(counted, 3 * eligible);
	assert_int_equal(k->late_dropped + k->late_quotes + k->late_amends +
				 k->amends_lost + k->edges_kept + k->spread_lost +
				 k->history_lost,
			 0);
}

static void any_order_inside_the_window_ends_in_the_reference(void **state)
{
	static const int64_t late_ns[] = {0, 300 * NS_PER_MS, 5 * S, 25 * S, 39 * S};
	static struct scenario c;
	size_t revisions = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct event_bar *want = NULL;
		size_t n_want = 0;

		make(&c, seed);
		for (unsigned i = 0; i < 5; i++) {
			struct fixture f;
			struct event_bar *got;
			size_t n;

			shuffle(&c, late_ns[i]);
			run(&c, &f);
			revisions += f.n;
			n = finals(&f, &got);
			check_against_reference(&c, &f, got, n);
			fixture_close(&f);
			if (want == NULL) {
				want = got;
				n_want = n;
				continue;
			}
			assert_int_equal(n, n_want);
			assert_memory_equal(got, want, n * sizeof(*got));
			free(got);
		}
		free(want);
	}
	print_message("# %zu emissions\n", revisions);
}

static void a_clock_record_between_any_two_ticks_changes_no_final_bar(void **state)
{
	static struct scenario c;
	struct fixture a, b;
	struct event_bar *x, *y;
	size_t n;

	(void)state;
	make(&c, 99);
	shuffle(&c, 0);
	run(&c, &a);
	n = finals(&a, &x);
	fixture_init(&b);
	b.params = a.params;
	fixture_open(&b);
	for (uint32_t i = 0; i < TICKS; i++) {
		fixture_clock(&b, c.tick[i].event_ns - S);
		fixture_put(&b, &c.tick[i]);
		fixture_clock(&b, c.tick[i].event_ns);
	}
	fixture_clock(&b, c.tick[TICKS - 1].event_ns + 20 * MIN);
	assert_int_equal(finals(&b, &y), n);
	assert_memory_equal(x, y, n * sizeof(*x));
	free(x);
	free(y);
	fixture_close(&a);
	fixture_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_inside_the_window_ends_in_the_reference),
		cmocka_unit_test(
			a_clock_record_between_any_two_ticks_changes_no_final_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
