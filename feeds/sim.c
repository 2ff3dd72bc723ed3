/*
 * sim - the time line.  Three clocks drive it:
 *
 *	slot   one second of virtual time: the factors take a step, and the
 *	       activity (the U of the session) is fixed for it
 *	fresh  the next event of the whole exchange: the sum of all symbols'
 *	       Poisson processes is one process of the summed rate, and the
 *	       symbol of an event is drawn by its share
 *	heap   what has been delayed, by arrival
 *
 * sim_next() gives away the earliest of the fresh event, the heap's top and the
 * next clock record.  A fresh tick arrives LATENCY_NS after its event time, and
 * so does a clock record: whatever was not delayed comes before the clock.
 */
#include "feeds/sim.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/sim_calendar.h"
#include "feeds/sim_heap.h"
#include "feeds/sim_market.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_NS    (200 * NS_PER_US)
#define SLOT_NS       NS_PER_S
#define CLOCK_TAIL_NS (120 * NS_PER_S) /* the clock goes on after the close */
#define MILLION       1000000u
#define FAULTS        10

/* A fault strikes the fresh tick @t of symbol @i.  false: @t comes later, or never. */
typedef bool (*fault_fn)(struct sim *s, uint32_t i, struct feed_tick *t);

struct sim {
	struct sim_counts counts;
	struct sim_market market;
	struct sim_calendar calendar;
	int64_t late_max_ns, halt_ns, gap_ns;
	struct {
		uint32_t below; /* strikes when the draw is below, and not below the one
				   before */
		fault_fn strike;
	} fault[FAULTS];
	uint32_t fault_sum;
	uint32_t quote_share; /* of 2^32 */
	double rate;          /* events per second at activity 1 */
	double activity;      /* of this slot */
	int64_t slot_ns;      /* beginning of the present slot */
	int64_t fresh_ns;     /* of the next fresh event; inside the slot */
	int64_t clock_every_ns;
	int64_t clock_ns; /* of the next clock record; INT64_MAX: none */
	int64_t gap_until_ns;
	uint64_t seq;
	struct sim_heap heap;
};

void sim_params_default(struct sim_params *p)
{
	*p = (struct sim_params){
		.seed = 1,
		.n_symbols = 24,
		.source = "sim",
		.start_ns = INT64_C(1704153600) * NS_PER_S,
		.session_start_s = 34200,
		.session_end_s = 57600,
		.volatility_bp = 3000,
		.corr_market_pm = 300,
		.corr_sector_pm = 600,
		.sectors = 8,
		.trades_mhz = 500,
		.quotes_mhz = 1500,
		.price_tick_e9 = 10000000,
		.clock_ns = NS_PER_S,
		.faults = {.late_max_ns = 5 * NS_PER_S,
			   .halt_ns = 60 * NS_PER_S,
			   .gap_ns = 10 * NS_PER_S},
	};
}

/* Put a copy of @t aside until @later_ns from now; false: no room. */
static bool delay(struct sim *s, const struct feed_tick *t, int64_t later_ns)
{
	struct feed_tick copy = *t;

	copy.arrival_ns += later_ns;
	if (sim_heap_push(&s->heap, &copy))
		return true;
	s->counts.no_delay++;
	return false;
}

static int64_t between(struct sim *s, int64_t low, int64_t high)
{
	return high > low ? low + rng_below64(&s->market.rng, high - low) : low;
}

static bool is_trade(const struct feed_tick *t)
{
	return t->rec.price_e9 != VALUE_NULL;
}

static bool strike_late(struct sim *s, uint32_t i, struct feed_tick *t)
{
	(void)i;
	t->defects = FEED_LATE;
	if (delay(s, t, between(s, 100 * NS_PER_MS, s->late_max_ns))) {
		s->counts.late++;
		return false;
	}
	t->defects = 0;
	return true;
}

static bool strike_order(struct sim *s, uint32_t i, struct feed_tick *t)
{
	(void)i;
	t->defects = FEED_OUT_OF_ORDER;
	if (delay(s, t, between(s, NS_PER_MS, 50 * NS_PER_MS))) {
		s->counts.out_of_order++;
		return false;
	}
	t->defects = 0;
	return true;
}

static bool strike_twice(struct sim *s, uint32_t i, struct feed_tick *t)
{
	struct feed_tick copy = *t;

	(void)i;
	copy.defects = FEED_DUPLICATE;
	s->counts.duplicates += delay(s, &copy, between(s, 0, NS_PER_S));
	return true;
}

/* Withdraw or repair the symbol's last trade, which may be @t, some seconds later. */
static bool amend(struct sim *s, uint32_t i, struct feed_tick *t,
		  enum tick_action action, uint64_t *count)
{
	const struct sim_symbol *y = &s->market.symbols[i];
	int64_t later_ns = between(s, 100 * NS_PER_MS, 5 * NS_PER_S);
	struct feed_tick a = *t;

	if (!is_trade(t))
		return true;
	a.defects = action == TICK_CANCEL ? FEED_CANCEL : FEED_CORRECTION;
	a.rec.event_ns += later_ns;
	a.rec.source_seq = ++s->seq;
	a.rec.ref_seq = y->trade_seq;
	a.rec.price_e9 = y->trade_price_e9;
	if (action == TICK_CORRECT)
		a.rec.price_e9 += s->market.price_tick_e9;
	a.rec.size_e8 = y->trade_size_e8;
	a.rec.action_flags = record_pack(action, 0);
	*count += delay(s, &a, later_ns);
	return true;
}

static bool strike_cancel(struct sim *s, uint32_t i, struct feed_tick *t)
{
	return amend(s, i, t, TICK_CANCEL, &s->counts.cancels);
}

static bool strike_correct(struct sim *s, uint32_t i, struct feed_tick *t)
{
	return amend(s, i, t, TICK_CORRECT, &s->counts.corrections);
}

static bool strike_halt(struct sim *s, uint32_t i, struct feed_tick *t)
{
	t->rec.action_flags = record_pack(TICK_NEW, TICK_HALT);
	t->defects = FEED_HALT;
	s->market.symbols[i].halted_until_ns = s->fresh_ns + s->halt_ns;
	s->counts.halts++;
	return true;
}

static bool strike_gap(struct sim *s, uint32_t i, struct feed_tick *t)
{
	(void)i;
	(void)t;
	s->gap_until_ns = s->fresh_ns + s->gap_ns;
	return true;
}

static bool strike_bad_print(struct sim *s, uint32_t i, struct feed_tick *t)
{
	static const int64_t percent[] = {80, 120, 1000, 10};

	(void)i;
	if (!is_trade(t))
		return true;
	t->rec.price_e9 = t->rec.price_e9 / 100 * percent[rng_below(&s->market.rng, 4)];
	t->defects = FEED_BAD_PRINT;
	s->counts.bad_prints++;
	return true;
}

static bool strike_poison(struct sim *s, uint32_t i, struct feed_tick *t)
{
	static const int64_t ten_years_ns = INT64_C(3650) * 86400 * NS_PER_S;

	(void)i;
	switch (rng_below(&s->market.rng, 4)) {
	case 0:
		t->rec.price_e9 = -1000000000;
		break;
	case 1:
		t->rec.price_e9 = 0;
		break;
	case 2:
		t->rec.event_ns += ten_years_ns;
		break;
	default:
		t->rec.event_ns = 1;
		break;
	}
	t->defects = FEED_POISON;
	s->counts.poison++;
	return true;
}

static bool strike_odd_lot(struct sim *s, uint32_t i, struct feed_tick *t)
{
	(void)i;
	if (!is_trade(t))
		return true;
	t->rec.size_e8 = (int64_t)(1 + rng_below(&s->market.rng, 99)) * 100000000;
	t->rec.cond[0] = 'I';
	t->rec.action_flags = record_pack(TICK_NEW, TICK_NO_LAST | TICK_NO_RANGE);
	t->defects = FEED_ODD_LOT;
	s->counts.odd_lots++;
	return true;
}

/* The rates lie side by side on a line of a million: one draw per tick decides. */
static int lay_out_faults(struct sim *s, const struct sim_faults *f)
{
	const struct {
		uint32_t ppm;
		fault_fn strike;
	} all[FAULTS] = {
		{f->late_ppm, strike_late},
		{f->out_of_order_ppm, strike_order},
		{f->duplicates_ppm, strike_twice},
		{f->cancels_ppm, strike_cancel},
		{f->corrections_ppm, strike_correct},
		{f->halts_ppm, strike_halt},
		{f->gaps_ppm, strike_gap},
		{f->bad_prints_ppm, strike_bad_print},
		{f->poison_ppm, strike_poison},
		{f->odd_lots_ppm, strike_odd_lot},
	};
	uint64_t sum = 0;

	for (int i = 0; i < FAULTS; i++) {
		sum += all[i].ppm;
		if (sum > MILLION)
			return err_set(-EINVAL,
				       "the simulator's faults sum up to more than a "
				       "million per million");
		s->fault[i].below = (uint32_t)sum;
		s->fault[i].strike = all[i].strike;
	}
	s->fault_sum = (uint32_t)sum;
	return 0;
}

static int check(const struct sim_params *p)
{
	if (p->n_symbols < 1 || p->n_symbols > SIM_SYMBOLS_MAX)
		return err_set(-EINVAL, "the simulator takes 1 to %d symbols, not %u",
			       SIM_SYMBOLS_MAX, p->n_symbols);
	if (p->sectors < 1 || p->sectors > SIM_SECTORS_MAX)
		return err_set(-EINVAL, "the simulator takes 1 to %d sectors, not %u",
			       SIM_SECTORS_MAX, p->sectors);
	if (p->corr_market_pm > p->corr_sector_pm || p->corr_sector_pm > 1000)
		return err_set(
			-EINVAL,
			"correlations must be 0 <= market (%u) <= sector (%u) <= 1000",
			p->corr_market_pm, p->corr_sector_pm);
	if (p->trades_mhz == 0 && p->quotes_mhz == 0)
		return err_set(-EINVAL, "the simulator has neither trades nor quotes");
	if ((uint64_t)p->trades_mhz + p->quotes_mhz > 1000000000u)
		return err_set(-EINVAL,
			       "more than a million events per second and symbol");
	if (p->price_tick_e9 < 1 || p->price_tick_e9 > NS_PER_S)
		return err_set(-EINVAL, "the price tick must be above 0 and at most 1");
	if (p->volatility_bp > 100000)
		return err_set(-EINVAL, "a volatility above 1000 %% is refused");
	if (p->faults.late_max_ns < 0 || p->faults.halt_ns < 0 ||
	    p->faults.gap_ns < 0 || p->clock_ns < 0)
		return err_set(-EINVAL, "a duration of the simulator is negative");
	if (!source_valid(p->source, strlen(p->source)))
		return err_set(-EINVAL, "'%.40s' is not a source", p->source);
	return 0;
}

/* The slot that holds @ns, or the first slot of the next session. */
static void enter_slot(struct sim *s, int64_t ns)
{
	s->slot_ns = sim_calendar_open(&s->calendar, ns);
	s->activity = sim_calendar_activity(&s->calendar, s->slot_ns);
	sim_market_step(&s->market, s->activity);
}

/* Go on to the next event of the whole exchange, slot by slot. */
static void draw_fresh(struct sim *s)
{
	double need = rng_exponential(&s->market.rng); /* in expected events */
	int64_t at = s->fresh_ns;

	for (;;) {
		double per_ns = s->rate * s->activity * 1e-9;
		double left = (double)(s->slot_ns + SLOT_NS - at) * per_ns;

		if (need < left) {
			int64_t next = at + (int64_t)(need / per_ns);

			/* Rounding must not leave the slot. */
			s->fresh_ns = next < s->slot_ns + SLOT_NS
					      ? next
					      : s->slot_ns + SLOT_NS - 1;
			return;
		}
		need -= left;
		enter_slot(s, s->slot_ns + SLOT_NS);
		at = s->slot_ns;
	}
}

int sim_new(const struct sim_params *p, struct sim **out)
{
	struct sim *s;
	int rc = check(p);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(-ENOMEM, "no memory for a simulator");
	s->late_max_ns = p->faults.late_max_ns;
	s->halt_ns = p->faults.halt_ns;
	s->gap_ns = p->faults.gap_ns;
	s->rate = ((double)p->trades_mhz + p->quotes_mhz) * 1e-3 * p->n_symbols;
	s->quote_share = (uint32_t)(p->quotes_mhz * 4294967295.0 /
				    ((double)p->trades_mhz + p->quotes_mhz));
	rc = sim_calendar_init(&s->calendar, p);
	if (rc < 0)
		goto fail;
	rc = lay_out_faults(s, &p->faults);
	if (rc < 0)
		goto fail;
	rc = sim_market_init(&s->market, p);
	if (rc < 0)
		goto fail;

	enter_slot(s, p->start_ns);
	s->fresh_ns = s->slot_ns;
	s->clock_every_ns = p->clock_ns;
	s->clock_ns =
		p->clock_ns ? (s->slot_ns / p->clock_ns + 1) * p->clock_ns : INT64_MAX;
	draw_fresh(s);
	*out = s;
	return 0;
fail:
	sim_free(s);
	return rc;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	sim_market_deinit(&s->market);
	free(s);
}

const struct sim_counts *sim_counts(const struct sim *s)
{
	return &s->counts;
}

const char *sim_symbol(const struct sim *s, uint32_t i)
{
	return i < s->market.n ? s->market.symbols[i].name : "";
}

/* A halted symbol is silent; its first tick afterwards says that it trades again. */
static bool is_held(struct sim *s, struct sim_symbol *y, bool *is_resumed)
{
	*is_resumed = false;
	if (y->halted_until_ns == 0)
		return false;
	if (s->fresh_ns < y->halted_until_ns) {
		s->counts.held++;
		return true;
	}
	y->halted_until_ns = 0;
	*is_resumed = true;
	return false;
}

/* Make the event at fresh_ns.  false: nothing arrives now. */
static bool make_fresh(struct sim *s, struct feed_tick *out)
{
	uint32_t i = sim_market_draw(&s->market), x;
	double into = (double)(s->fresh_ns - s->slot_ns) * 1e-9;
	bool is_resumed;

	if (is_held(s, &s->market.symbols[i], &is_resumed))
		return false;
	sim_market_quote(&s->market, i,
			 s->market.business - s->activity * (1.0 - into));
	s->seq++;
	x = (uint32_t)(rng_u64(&s->market.rng) >> 32);
	if (x < s->quote_share || is_resumed)
		sim_market_make_quote(&s->market, i, s->fresh_ns, s->seq, out);
	else
		sim_market_make_trade(&s->market, i, s->fresh_ns, s->seq, out);
	out->arrival_ns = s->fresh_ns + LATENCY_NS;
	if (s->fresh_ns < s->gap_until_ns) {
		s->counts.lost++;
		return false;
	}
	if (is_resumed) {
		out->rec.action_flags = record_pack(TICK_NEW, TICK_RESUMED);
		out->defects = FEED_HALT;
		return true;
	}
	if (s->fault_sum == 0)
		return true;
	x = rng_below(&s->market.rng, MILLION);
	if (x >= s->fault_sum)
		return true;
	for (int k = 0;; k++)
		if (x < s->fault[k].below)
			return s->fault[k].strike(s, i, out);
}

static void make_clock(struct sim *s, struct feed_tick *out)
{
	*out = (struct feed_tick){
		.rec = {.event_ns = s->clock_ns, .type = RECORD_CLOCK},
		.arrival_ns = s->clock_ns + LATENCY_NS,
	};
	memcpy(out->source, s->market.source, SOURCE_MAX);
	s->counts.clocks++;
	s->clock_ns += s->clock_every_ns;
	/* Over a night or a weekend the clock stands still until the market opens. */
	if (s->calendar.prev_close_ns != INT64_MIN &&
	    s->clock_ns > s->calendar.prev_close_ns + CLOCK_TAIL_NS &&
	    s->clock_ns < s->calendar.open_ns)
		s->clock_ns = (s->calendar.open_ns + s->clock_every_ns - 1) /
			      s->clock_every_ns * s->clock_every_ns;
}

static void count(struct sim *s, const struct feed_tick *t)
{
	s->counts.ticks++;
	if (is_trade(t))
		s->counts.trades++;
	else
		s->counts.quotes++;
}

void sim_next(struct sim *s, struct feed_tick *out)
{
	for (;;) {
		int64_t fresh_ns = s->fresh_ns + LATENCY_NS;
		int64_t heap_ns = sim_heap_next_ns(&s->heap);
		int64_t next_ns = heap_ns < fresh_ns ? heap_ns : fresh_ns;

		if (s->clock_ns <= next_ns - LATENCY_NS) {
			make_clock(s, out);
			return;
		}
		if (heap_ns <= fresh_ns) {
			sim_heap_pop(&s->heap, out);
			break;
		}
		if (make_fresh(s, out)) {
			draw_fresh(s);
			break;
		}
		draw_fresh(s);
	}
	count(s, out);
}
