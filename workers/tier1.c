/*
 * tier1 - bars of the grid on one side, rows of valid bars (vectors.h) on the other.
 *
 * A slot per grid bar remembers what the bar said and how many valid bars there were
 * up to it.  That count is the link: to revise the bar of slot g, the rows are cut to
 * the count of slot g - 1 and the slots from g to the newest are walked again.
 *
 *   slots     ... g-1   g   g+1  g+2 ...        grid bars; x: not valid
 *                  |    x    |    |
 *   rows      ... 41         42   43 ...        valid bars; seen = 41 41 42 43
 *
 * Two depths: `revisable` bars can still change and keep their last vector, so that
 * only changed ones are published again; the readiness gate counts valid bars among
 * the last ready_bars and needs nothing but `seen` of older slots.
 */
#include "workers/tier1.h"
#include "base/err.h"
#include "workers/bar_numbers.h"
#include "workers/vectors.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
/* Bars beyond the revision window, for those that wait for the grace period. */
#define REVISABLE_SPARE 8
#define REVISABLE_MAX   8192
#define READY_BARS_MAX  100000

struct slot {
	int64_t bar_end_ns;
	struct vectors_bar bar; /* zero when not valid */
	uint64_t bar_seq;
	uint64_t seen; /* valid bars up to and including this one */
	uint32_t revision;
	bool valid;
};

/* The last vector published for a bar. */
struct shown {
	struct vector vector;
	bool any;
	bool ready;
};

struct tier1 {
	struct vectors *vectors; /* owned */
	struct slot *slots;      /* owned; by grid index & slot_mask */
	struct shown *shown;     /* owned; by grid index & shown_mask */
	uint64_t slot_mask;
	uint64_t shown_mask;
	uint64_t n_bars; /* grid bars so far; the newest has index n_bars - 1 */
	uint64_t revisable;
	uint64_t stale;
	uint64_t ready_bars;
	uint64_t ml_mask;
	double ready_valid_ratio;
	enum norm_kind norm;
	struct event_tier1 event; /* the parts that never change */
};

static uint64_t power_of_two(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static int check(const struct params *p, uint32_t timeframe_s)
{
	const struct tier1_params *q = &p->tier1;

	if (timeframe_s == 0)
		return err_set(-EINVAL, "tier 1: a timeframe of 0 seconds");
	if (q->ready_bars < 1 || q->ready_bars > READY_BARS_MAX)
		return err_set(-EINVAL, "tier 1: ready_bars %u is not in 1..%d",
			       q->ready_bars, READY_BARS_MAX);
	if (!(q->ready_valid_ratio >= 0.0 && q->ready_valid_ratio <= 1.0))
		return err_set(-EINVAL, "tier 1: ready_valid_ratio %g is not in 0..1",
			       q->ready_valid_ratio);
	if (p->bars.revision_window_ns < 0)
		return err_set(-EINVAL, "tier 1: the revision window is negative");
	return 0;
}

static void event_begin(struct event_tier1 *e, const struct params *p,
			uint32_t symbol_id, const char *symbol)
{
	e->feature_version = params_hash(p);
	e->symbol_id = symbol_id;
	e->schema_version = TIER1_SCHEMA_VERSION;
	memcpy(e->symbol, symbol, strnlen(symbol, SYMBOL_MAX));
}

int tier1_new(const struct params *p, uint32_t symbol_id, const char *symbol,
	      uint32_t timeframe_s, uint8_t price_type, struct tier1 **out)
{
	uint64_t window;
	struct tier1 *t;
	int rc = check(p, timeframe_s);

	if (rc < 0)
		return rc;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_set(-ENOMEM, "tier 1: no memory for a series");
	window = (uint64_t)p->bars.revision_window_ns / (timeframe_s * NS_PER_S);
	t->revisable = window + REVISABLE_SPARE;
	if (t->revisable > REVISABLE_MAX)
		t->revisable = REVISABLE_MAX;
	t->ready_bars = p->tier1.ready_bars;
	t->ready_valid_ratio = p->tier1.ready_valid_ratio;
	t->norm = p->tier1.norm;
	t->slot_mask = power_of_two(t->ready_bars + t->revisable + 1) - 1;
	t->shown_mask = power_of_two(t->revisable) - 1;
	event_begin(&t->event, p, symbol_id, symbol);
	t->event.timeframe_s = timeframe_s;
	t->event.price_type = price_type;
	t->slots = calloc(t->slot_mask + 1, sizeof(*t->slots));
	t->shown = calloc(t->shown_mask + 1, sizeof(*t->shown));
	rc = -ENOMEM;
	if (t->slots == NULL || t->shown == NULL) {
		err_set(rc, "tier 1: no memory for the bars of a series");
		goto fail;
	}
	rc = vectors_new(&p->tier1, timeframe_s, (uint32_t)t->revisable, &t->vectors);
	if (rc < 0)
		goto fail;
	t->ml_mask = vectors_ml_mask(t->vectors);
	*out = t;
	return 0;
fail:
	tier1_free(t);
	return rc;
}

void tier1_free(struct tier1 *t)
{
	if (t == NULL)
		return;
	vectors_free(t->vectors);
	free(t->shown);
	free(t->slots);
	free(t);
}

uint64_t tier1_stale(const struct tier1 *t)
{
	return t->stale;
}

static struct slot *slot_at(const struct tier1 *t, uint64_t index)
{
	return &t->slots[index & t->slot_mask];
}

static uint64_t seen_before(const struct tier1 *t, uint64_t index)
{
	return index == 0 ? 0 : slot_at(t, index - 1)->seen;
}

uint64_t tier1_seen(const struct tier1 *t)
{
	return seen_before(t, t->n_bars);
}

static double null_or(double x)
{
	return isnan(x) ? NAN : x;
}

/* What the bar says to us; false: nothing, it is not valid (or has no price). */
static bool take(const struct event_bar *bar, struct vectors_bar *out)
{
	*out = (struct vectors_bar){0};
	if (!(bar->flags & BAR_VALID))
		return false;
	if (bar->close_e9 <= 0 || bar->high_e9 <= 0 || bar->low_e9 <= 0)
		return false;
	out->close = bar_price(bar->close_e9);
	out->high = bar_price(bar->high_e9);
	out->low = bar_price(bar->low_e9);
	out->log_return = null_or(bar->log_return_1);
	out->spread = null_or(bar->spread_estimate);
	return true;
}

static bool is_ready(const struct tier1 *t, uint64_t index, const struct vector *v)
{
	uint64_t before = 0;

	if (v->seen < t->ready_bars || (v->warm & t->ml_mask) != t->ml_mask)
		return false;
	if (index >= t->ready_bars)
		before = slot_at(t, index - t->ready_bars)->seen;
	return (double)(v->seen - before) >=
	       t->ready_valid_ratio * (double)t->ready_bars;
}

/* Publish the vector of bar @index; @cause is the bar event that brought it about. */
static void emit(struct tier1 *t, uint64_t index, const struct event_bar *cause,
		 uint64_t *io_seq, const struct out *out)
{
	const struct slot *slot = slot_at(t, index);
	const struct shown *shown = &t->shown[index & t->shown_mask];
	struct event_tier1 *e = &t->event;

	e->head = (struct event_head){
		.seq = ++*io_seq,
		.pos = cause->head.pos,
		.event_ns = slot->bar_end_ns,
		.recv_ns = cause->head.recv_ns,
	};
	e->bar_seq = slot->bar_seq;
	e->bar_revision = slot->revision;
	e->warm = shown->vector.warm;
	e->bars_seen = shown->vector.seen;
	memcpy(e->value, shown->vector.value, sizeof(e->value));
	memcpy(e->norm, shown->vector.norm, sizeof(e->norm));
	e->flags = shown->ready ? TIER1_ML_READY : 0;
	if (t->norm == NORM_ROBUST)
		e->flags |= TIER1_NORM_ROBUST;
	out->tier1(out->arg, e);
}

/* Work bar @index in; true when its vector is new or has changed. */
static bool derive(struct tier1 *t, uint64_t index)
{
	struct slot *slot = slot_at(t, index);
	struct shown *shown = &t->shown[index & t->shown_mask],
		     now = {.any = slot->valid};
	bool same;

	slot->seen = seen_before(t, index) + slot->valid;
	if (!slot->valid) {
		shown->any = false;
		return false;
	}
	vectors_push(t->vectors, &slot->bar, &now.vector);
	now.ready = is_ready(t, index, &now.vector);
	same = shown->any && shown->ready == now.ready &&
	       memcmp(&shown->vector, &now.vector, sizeof(now.vector)) == 0;
	*shown = now;
	return !same;
}

/* Index of the bar that ends at @bar_end_ns among the revisable ones, else n_bars. */
static uint64_t find(const struct tier1 *t, int64_t bar_end_ns)
{
	uint64_t low = t->n_bars > t->revisable ? t->n_bars - t->revisable : 0;
	uint64_t high = t->n_bars;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (slot_at(t, middle)->bar_end_ns < bar_end_ns)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < t->n_bars && slot_at(t, low)->bar_end_ns == bar_end_ns)
		return low;
	return t->n_bars;
}

static void append(struct tier1 *t, const struct event_bar *bar, uint64_t *io_seq,
		   const struct out *out)
{
	uint64_t index = t->n_bars++;
	struct slot *slot = slot_at(t, index);

	slot->bar_end_ns = bar->head.event_ns;
	slot->bar_seq = bar->head.seq;
	slot->revision = bar->revision;
	slot->valid = take(bar, &slot->bar);
	t->shown[index & t->shown_mask].any = false;
	if (derive(t, index))
		emit(t, index, bar, io_seq, out);
}

static void revise(struct tier1 *t, const struct event_bar *bar, uint64_t *io_seq,
		   const struct out *out)
{
	uint64_t index = find(t, bar->head.event_ns);
	struct vectors_bar now;
	bool valid = take(bar, &now);
	struct slot *slot = slot_at(t, index);

	if (index == t->n_bars) {
		t->stale += bar->cause != CAUSE_FINAL;
		return;
	}
	slot->bar_seq = bar->head.seq;
	slot->revision = bar->revision;
	if (slot->valid == valid && memcmp(&slot->bar, &now, sizeof(now)) == 0)
		return;
	slot->valid = valid;
	slot->bar = now;
	vectors_cut(t->vectors, seen_before(t, index));
	for (uint64_t i = index; i < t->n_bars; i++) {
		if (derive(t, i))
			emit(t, i, bar, io_seq, out);
	}
}

void tier1_bar(struct tier1 *t, const struct event_bar *bar, uint64_t *io_seq,
	       const struct out *out)
{
	if (t->n_bars == 0 ||
	    bar->head.event_ns > slot_at(t, t->n_bars - 1)->bar_end_ns)
		append(t, bar, io_seq, out);
	else
		revise(t, bar, io_seq, out);
}

static void slot_state(struct state *st, struct slot *slot, bool is_revisable)
{
	state_u64(st, &slot->seen);
	if (!is_revisable)
		return; /* only counted over, for the readiness gate */
	state_i64(st, &slot->bar_end_ns);
	state_f64(st, &slot->bar.close);
	state_f64(st, &slot->bar.high);
	state_f64(st, &slot->bar.low);
	state_f64(st, &slot->bar.log_return);
	state_f64(st, &slot->bar.spread);
	state_u64(st, &slot->bar_seq);
	state_u32(st, &slot->revision);
	state_bool(st, &slot->valid);
}

void tier1_state(struct state *st, struct tier1 *t)
{
	uint64_t revisable, counted, before, valid;

	state_same(st, t->revisable);
	state_same(st, t->ready_bars);
	state_u64(st, &t->n_bars);
	revisable = t->n_bars < t->revisable ? t->n_bars : t->revisable;
	counted = revisable + t->ready_bars + 1;
	counted = t->n_bars < counted ? t->n_bars : counted;
	for (uint64_t i = t->n_bars - counted; i < t->n_bars && !state_bad(st); i++)
		slot_state(st, slot_at(t, i), t->n_bars - i <= revisable);
	before = seen_before(t, t->n_bars - revisable);
	valid = tier1_seen(t) - before;
	if (state_bad(st) || valid > revisable) {
		state_spoil(st);
		return;
	}
	vectors_state(st, t->vectors, (uint32_t)valid);
	if (!state_is_loading(st))
		return;
	if (vectors_seen(t->vectors) != before)
		state_spoil(st);
	/* The last vector of a bar is what its bars make: no need to save it. */
	for (uint64_t i = t->n_bars - revisable; i < t->n_bars && !state_bad(st); i++)
		(void)derive(t, i);
}
