/*
 * bars - see bars.h.  bars_tick() is the hot path: for a tick inside its open bars it
 * compares the log time with `due_ns`, the earliest due of all series, and adds the
 * tick to the head slot of each series; no division, no search, no allocation.
 */
#include "base/err.h"
#include "workers/bars_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bar ends, graces and windows are added to times: leave room for them. */
#define TIME_MAX (INT64_MAX / 2)
#define TIME_MIN (INT64_MIN / 2)

/* In action_flags: a cancel, a correction, a halt or its end. */
#define ACTION_RARE  (3u | (TICK_HALT | TICK_RESUMED) << 2)
#define TICK_MAY_NOT (TICK_NO_LAST | TICK_NO_RANGE | TICK_NO_VOLUME)
/* Undecided symbols keep trades too: the series may turn out to be of trades. */
#define WANTS_TRADES (1u << PRICE_LAST | 1u << PRICE_AUTO)

#define likely(x) __builtin_expect(!!(x), 1)

static bool has_price_type(const struct symbol_params *sp, uint8_t price_type)
{
	for (uint32_t i = 0; i < sp->n_price_types; i++)
		if (sp->price_types[i] == price_type)
			return true;
	return false;
}

void bars_note_wants(struct bars *b)
{
	b->wants = 0;
	b->n_pools = 0;
	for (uint32_t i = 0; i < b->n_series; i++) {
		uint8_t type = b->series[i].price_type;

		if (!(b->wants >> type & 1))
			b->pool_type[b->n_pools++] = type;
		b->wants |= UINT64_C(1) << type;
	}
	b->undecided = (b->wants >> PRICE_AUTO & 1) != 0;
}

int bars_new(const struct params *p, const struct symbol_params *sp, uint32_t symbol_id,
	     const char *name, const struct symtab *sources,
	     const struct source_life *life, struct bars **out)
{
	uint32_t n = sp->n_timeframes * sp->n_price_types;
	struct bars *b = calloc(1, sizeof(*b) + n * sizeof(b->series[0]));

	if (b == NULL)
		return err_set(-ENOMEM, "out of memory for the bars of a symbol");
	/* Without memory for it the pool stays closed: slower, not less exact. */
	b->pool =
		calloc(sp->n_price_types > 0 ? sp->n_price_types : 1, sizeof(*b->pool));
	b->pool_start_ns = b->pool_end_ns = INT64_MIN;
	b->due_ns = INT64_MAX;
	b->any_source = sp->source[0] == '\0';
	if (sp->n_sources > 0) {
		b->arbiter = arbiter_new(sp, sources, life);
		if (b->arbiter == NULL) {
			bars_free(b);
			return err_set(-ENOMEM, "out of memory for the sources of %s",
				       name);
		}
	}
	b->env = (struct series_env){
		.params = p,
		.sp = sp,
		.sources = sources,
		.life = life,
		.log_ns = TIME_MIN,
		.final_ns = p->bars.revision_window_ns > p->bars.grace_ns
				    ? p->bars.revision_window_ns
				    : p->bars.grace_ns,
		.symbol_id = symbol_id,
	};
	memcpy(b->env.symbol, name, strnlen(name, sizeof(b->env.symbol)));
	history_init(&b->env.trades, p->bars.history_slots);
	history_init(&b->env.quotes, p->bars.history_slots);
	session_init(&b->session, sp);
	for (uint32_t t = 0; t < sp->n_timeframes; t++)
		for (uint32_t k = 0; k < sp->n_price_types; k++)
			series_init(&b->series[b->n_series++], sp, &b->session,
				    sp->timeframes_s[t], sp->price_types[k]);
	bars_note_wants(b);
	*out = b;
	return 0;
}

void bars_free(struct bars *b)
{
	if (b == NULL)
		return;
	for (uint32_t i = 0; i < b->n_series; i++)
		series_deinit(&b->series[i]);
	free(b->pool);
	arbiter_free(b->arbiter);
	history_deinit(&b->env.trades);
	history_deinit(&b->env.quotes);
	amends_deinit(&b->amends);
	free(b);
}

uint64_t bars_seq(const struct bars *b)
{
	return b->env.seq;
}

void bars_renumber(struct bars *b, uint64_t seq)
{
	b->env.seq = seq;
}

const struct bars_counts *bars_counts(const struct bars *b)
{
	return &b->env.counts;
}

size_t bars_bytes(const struct bars *b)
{
	size_t n = sizeof(*b) + b->n_series * sizeof(b->series[0]);

	for (uint32_t i = 0; i < b->n_series; i++)
		n += b->series[i].cap * sizeof(*b->series[i].slots);
	n += b->env.sp->n_price_types * sizeof(*b->pool);
	n += (b->env.trades.cap + b->env.quotes.cap) * sizeof(struct past);
	return n + (b->amends.v != NULL ? AMENDS_MAX * sizeof(*b->amends.v) : 0);
}

/* Time. */

static void refresh_due(struct bars *b)
{
	b->due_ns = INT64_MAX;
	for (uint32_t i = 0; i < b->n_series; i++)
		if (b->series[i].due_ns < b->due_ns)
			b->due_ns = b->series[i].due_ns;
}

static void advance(struct bars *b)
{
	for (uint32_t i = 0; i < b->n_series; i++)
		if (b->series[i].due_ns <= b->env.log_ns)
			series_advance(&b->series[i], &b->env);
	refresh_due(b);
}

static void reach(struct bars *b, int64_t ns)
{
	if (ns > b->env.log_ns)
		b->env.log_ns = ns;
	if (b->due_ns <= b->env.log_ns)
		advance(b);
	if (b->amends.n > 0)
		bars_expire(b);
}

int64_t bars_due(const struct bars *b)
{
	int64_t oldest_ns = b->env.faulted ? INT64_MAX : amends_oldest_ns(&b->amends);

	if (oldest_ns == INT64_MAX)
		return b->env.faulted ? INT64_MAX : b->due_ns;
	oldest_ns += b->env.params->bars.revision_window_ns + 1;
	return oldest_ns < b->due_ns ? oldest_ns : b->due_ns;
}

static void say_fault(struct bars *b)
{
	series_status(&b->env, SYMBOL_FAULT, 0,
		      "out of memory for its bars; stands still until resumed");
}

void bars_clock(struct bars *b, uint64_t pos, int64_t now_ns, int64_t recv_ns,
		const struct out *out)
{
	if (b->env.faulted || now_ns > TIME_MAX || now_ns < TIME_MIN)
		return;
	if (now_ns >= b->due_ns)
		bars_pool_close(b);
	b->env.pos = pos;
	b->env.recv_ns = recv_ns;
	b->env.out = out;
	if (b->arbiter != NULL)
		bars_source_time(b, now_ns);
	reach(b, now_ns);
	if (b->env.faulted)
		say_fault(b);
	b->env.out = NULL;
}

void bars_reached(struct bars *b, int64_t now_ns)
{
	if (now_ns > b->env.log_ns && now_ns <= TIME_MAX)
		b->env.log_ns = now_ns;
}

void bars_restart(struct bars *b)
{
	bars_pool_close(b);
	b->env.faulted = false;
	for (uint32_t i = 0; i < b->n_series; i++)
		series_restart(&b->series[i]);
	refresh_due(b);
}

/* Ticks. */

static bool is_quote(const struct record *r)
{
	return r->bid_e9 != VALUE_NULL || r->ask_e9 != VALUE_NULL;
}

/* The first tick with a price, or with both sides of a quote, decides for the symbol.
 */
static void decide(struct bars *b, const struct record *r)
{
	uint8_t price_type;
	uint32_t n = 0;

	if (r->price_e9 != VALUE_NULL)
		price_type = PRICE_LAST;
	else if (r->bid_e9 != VALUE_NULL && r->ask_e9 != VALUE_NULL)
		price_type = PRICE_MID;
	else
		return;
	for (uint32_t i = 0; i < b->n_series; i++) {
		struct series *s = &b->series[i];

		if (s->price_type == PRICE_AUTO) {
			if (has_price_type(b->env.sp, price_type))
				continue; /* it has one of this type anyway */
			s->price_type = price_type;
		}
		b->series[n++] = *s;
	}
	b->n_series = n;
	bars_note_wants(b);
}

/* The slow rest of adding: bars that were emitted, or that a push made due. */
void bars_settle(struct bars *b, struct series *s, struct slot *slot,
		 enum bar_cause cause)
{
	series_changed(s, &b->env, slot, cause);
	if (s->due_ns < b->due_ns || b->due_ns <= b->env.log_ns)
		refresh_due(b);
}

static void add(struct bars *b, struct series *s, const struct past *p)
{
	struct slot *slot = series_open_slot(s, p->key.event_ns);

	if (likely(slot != NULL)) {
		slot_add(slot, p);
		return;
	}
	slot = series_slot(s, &b->env, p->key.event_ns, true);
	if (slot == NULL) {
		b->env.counts.late_dropped++;
		return;
	}
	slot_add(slot, p);
	if (slot->emitted && slot->late_ticks < UINT16_MAX)
		slot->late_ticks++;
	bars_settle(b, s, slot, CAUSE_LATE_TRADE);
}

static struct past trade_of(const struct bars *b, const struct record *r)
{
	return (struct past){
		.key = {r->event_ns, r->source_seq, b->env.pos},
		.price_e9 = r->price_e9,
		.size_e8 = r->size_e8,
		.source_id = r->source_id,
		.flags = (uint8_t)(record_flags(r) & TICK_MAY_NOT),
	};
}

static void add_trade(struct bars *b, const struct record *r, bool unused)
{
	struct past p = trade_of(b, r);

	p.unused = unused;

	if (b->amends.n > 0 && r->source_seq != 0 && amends_apply(&b->amends, &p))
		b->env.counts.amended++;
	if (history_add(&b->env.trades, &p) == NULL)
		b->env.counts.history_lost++;
	if (unused || p.withdrawn)
		return;
	for (uint32_t i = 0; i < b->n_series; i++)
		if (b->series[i].price_type == PRICE_LAST)
			add(b, &b->series[i], &p);
}

/* What a series makes of a quote; VALUE_NULL: nothing. */
static int64_t quote_price(uint8_t price_type, const struct past *q)
{
	int64_t bid_e9 = q->price_e9, ask_e9 = q->size_e8;

	switch ((enum price_type)price_type) {
	case PRICE_MID:
		if (bid_e9 == VALUE_NULL || ask_e9 == VALUE_NULL)
			return VALUE_NULL;
		return (bid_e9 & ask_e9) + ((bid_e9 ^ ask_e9) >> 1);
	case PRICE_BID:
		return bid_e9;
	case PRICE_ASK:
		return ask_e9;
	case PRICE_LAST:
	case PRICE_AUTO:
		break;
	}
	return VALUE_NULL;
}

static void apply_quote(struct bars *b, struct slot *slot, const struct past *q,
			int64_t price_e9)
{
	struct past p = *q;

	p.price_e9 = price_e9;
	p.size_e8 = 0;
	if (price_e9 != VALUE_NULL)
		slot_add(slot, &p);
	slot->crossed |= spread_crossed(q);
	if (b->env.sp->spread && spread_add(&slot->spread, q, &b->env.quotes,
					    slot->span.start_ns) == SPREAD_LOST)
		b->env.counts.spread_lost++;
}

static void add_quote_to(struct bars *b, struct series *s, const struct past *q)
{
	int64_t price_e9 = quote_price(s->price_type, q);
	struct slot *slot = series_open_slot(s, q->key.event_ns);

	if (price_e9 == VALUE_NULL && !b->env.sp->spread)
		return;
	if (likely(slot != NULL)) {
		apply_quote(b, slot, q, price_e9);
		return;
	}
	slot = series_slot(s, &b->env, q->key.event_ns, price_e9 != VALUE_NULL);
	if (slot == NULL) {
		if (price_e9 != VALUE_NULL)
			b->env.counts.late_dropped++;
		else if (s->begun && q->key.event_ns < s->next.start_ns)
			b->env.counts.late_quotes++;
		return;
	}
	apply_quote(b, slot, q, price_e9);
	if (slot->emitted && slot->late_ticks < UINT16_MAX)
		slot->late_ticks++;
	bars_settle(b, s, slot, CAUSE_LATE_TRADE);
}

static struct past quote_of(const struct bars *b, const struct record *r)
{
	return (struct past){
		.key = {r->event_ns, r->source_seq, b->env.pos},
		.price_e9 = r->bid_e9,
		.size_e8 = r->ask_e9,
		.source_id = r->source_id,
	};
}

static void keep_quote(struct bars *b, const struct past *q)
{
	if (!b->env.sp->spread)
		return;
	if (history_add(&b->env.quotes, q) == NULL)
		b->env.counts.history_lost++;
	if (tick_key_before(&b->last_quote, &q->key))
		b->last_quote = q->key;
}

static void add_quote(struct bars *b, const struct record *r, bool unused)
{
	struct past q = quote_of(b, r);

	q.unused = unused;
	for (uint32_t i = 0; i < b->n_series && !unused; i++)
		add_quote_to(b, &b->series[i], &q);
	/* Last: a bar that this quote opened has taken the older ones from there. */
	keep_quote(b, &q);
}

/* The usual tick: all there is to do is to add it up. */
static bool pool(struct bars *b, const struct record *r)
{
	struct past trade = trade_of(b, r), quote = quote_of(b, r);
	bool is_trade = r->price_e9 != VALUE_NULL, spread = b->env.sp->spread;

	if (is_quote(r) && spread && !tick_key_before(&b->last_quote, &quote.key))
		return false;
	for (uint32_t k = 0; k < b->n_pools; k++) {
		struct slot *slot = &b->pool[k];
		int64_t price_e9 = quote_price(b->pool_type[k], &quote);

		if (is_trade && b->pool_type[k] == PRICE_LAST)
			slot_add(slot, &trade);
		if (is_quote(r) && (price_e9 != VALUE_NULL || spread))
			apply_quote(b, slot, &quote, price_e9);
	}
	if (is_trade && (b->wants & WANTS_TRADES) &&
	    history_add(&b->env.trades, &trade) == NULL)
		b->env.counts.history_lost++;
	if (is_quote(r))
		keep_quote(b, &quote);
	b->pooled = true;
	return true;
}

static bool may_pool(const struct bars *b, const struct record *r)
{
	return r->event_ns >= b->pool_start_ns && r->event_ns < b->pool_end_ns &&
	       r->event_ns < b->due_ns && b->amends.n == 0 &&
	       !(r->action_flags & ACTION_RARE);
}

static void apply(struct bars *b, const struct record *r)
{
	bool unused;

	if (r->event_ns >= b->env.log_ns)
		b->env.source_id = r->source_id;
	if (likely(may_pool(b, r)) && pool(b, r)) {
		if (r->event_ns > b->env.log_ns)
			b->env.log_ns = r->event_ns;
		return;
	}
	bars_pool_close(b);
	if (r->event_ns > b->env.log_ns || b->amends.n > 0)
		reach(b, r->event_ns);
	if (r->action_flags & ACTION_RARE) {
		if (record_flags(r) & (TICK_HALT | TICK_RESUMED))
			bars_halt(b, r);
		if (record_action(r) != TICK_NEW) {
			bars_amend(b, r);
			return;
		}
	}
	unused = !session_holds(&b->session, r->event_ns);
	b->env.counts.out_of_session += unused;
	if (b->undecided && !unused)
		decide(b, r);
	if (r->price_e9 != VALUE_NULL && (b->wants & WANTS_TRADES))
		add_trade(b, r, unused);
	if (is_quote(r))
		add_quote(b, r, unused);
	if (!unused)
		bars_pool_open(b, r->event_ns);
}

/* An amendment of another source's trade does not make that source the chosen one. */
static void apply_chosen(struct bars *b, const struct record *r)
{
	uint16_t source_id = b->env.source_id;

	apply(b, r);
	if (b->arbiter != NULL && record_action(r) != TICK_NEW)
		b->env.source_id = source_id;
}

void bars_tick(struct bars *b, const struct item *it, const struct out *out)
{
	const struct record *r = &it->rec;

	b->env.counts.ticks++;
	if (b->env.faulted) {
		b->env.counts.faulted++;
		return;
	}
	if (r->event_ns > TIME_MAX || r->event_ns < TIME_MIN) {
		b->env.counts.time_unusable++;
		return;
	}
	b->env.pos = it->pos;
	b->env.recv_ns = r->recv_ns;
	b->env.out = out;
	if (!bars_source_takes(b, r)) {
		b->env.counts.other_source++;
		b->env.out = NULL;
		return;
	}
	apply_chosen(b, r);
	if (b->env.faulted)
		say_fault(b);
	b->env.out = NULL;
}
