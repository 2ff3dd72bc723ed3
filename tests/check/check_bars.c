/*
 * check_bars - bars a second time, the slow way: rules REVISION, BARS, CONSERVE.
 *
 * The definition (semantics A.1) for bars of last prices without a session.  L, the log
 * time of a symbol, is the greatest event time of its ticks and of the clock records
 * since its first trade.  A trade belongs to the bar of its event time unless that bar
 * is final (L >= bar_end + window) or lies before a first bar that was published (L >=
 * bar_end + grace).  Open and close are the trades with the smallest and the greatest
 * (event time, source sequence, position).
 *
 * A cancel or correction is applied if the bar is not final and exactly one trade has
 * its number; where that is not so (a vendor's duplicate, an amendment ahead of its
 * trade, or a second one) the bar is not compared.
 */
#include "tests/check/check_parts.h"
#include <stdlib.h>
#include <string.h>

#define NS INT64_C(1000000000)

typedef unsigned long long ull;

struct trade {
	const struct chronicle_record *r;
	int64_t price_e9, size_e8;
	int64_t at_ns; /* L when it came */
	bool taken;
	bool withdrawn;
	bool unclear;
	uint8_t amended;
};

/* One timeframe of one symbol; bars are found by walking its trades. */
struct ref {
	struct check *k;
	uint32_t symbol_id;
	int64_t step_ns;
	int64_t first_ns; /* start of the first bar */
	bool begun;
	bool has_amends; /* cancels or corrections, anywhere in the log */
	int64_t log_ns;
	struct trade *trades; /* owned; by event time once all are walked */
	size_t n_trades;
	int64_t newest_ns; /* start of the newest bar that was published */
};

struct ref_bar {
	int64_t open_e9, high_e9, low_e9, close_e9;
	__int128 volume;
	uint64_t n_counted, n_last, n_range, n_all;
	bool unclear;
};

static int64_t floor_to(int64_t ns, int64_t step_ns)
{
	int64_t q = ns / step_ns;

	return (q * step_ns > ns ? q - 1 : q) * step_ns;
}

static bool is_taken(struct ref *f, int64_t event_ns)
{
	const struct chronicle_config *cfg = &f->k->c->config;
	int64_t start_ns = floor_to(event_ns, f->step_ns);
	bool is_final = start_ns + f->step_ns + cfg->revision_window_ns <= f->log_ns;

	if (!f->begun) {
		if (is_final)
			return false;
		f->begun = true;
		f->first_ns = start_ns;
		return true;
	}
	if (start_ns < f->first_ns) {
		if (is_final || f->first_ns + f->step_ns + cfg->grace_ns <= f->log_ns)
			return false;
		f->first_ns = start_ns;
		return true;
	}
	return !is_final;
}

/* The trade that an amendment names; unclear ones are marked. */
static void amend(struct ref *f, const struct chronicle_record *r)
{
	const struct chronicle_config *cfg = &f->k->c->config;
	struct trade *found = NULL;
	bool twice = false;

	for (size_t i = 0; i < f->n_trades; i++) {
		struct trade *t = &f->trades[i];

		if (t->r->rec.source_seq != r->rec.ref_seq ||
		    t->r->rec.source_id != r->rec.source_id)
			continue;
		twice |= found != NULL;
		found = t;
		t->unclear |= t->r->pos > r->pos || t->amended > 0;
		t->amended++;
		if (t->r->pos > r->pos)
			return;
	}
	for (size_t i = 0; twice && i < f->n_trades; i++)
		f->trades[i].unclear |=
			f->trades[i].r->rec.source_seq == r->rec.ref_seq;
	if (found == NULL || twice || !found->taken ||
	    floor_to(found->r->rec.event_ns, f->step_ns) + f->step_ns +
			    cfg->revision_window_ns <=
		    f->log_ns)
		return;
	if ((r->rec.action_flags & 3) == TICK_CANCEL) {
		found->withdrawn = true;
	} else if (r->rec.price_e9 != VALUE_NULL) {
		found->price_e9 = r->rec.price_e9;
		found->size_e8 = r->rec.size_e8;
	}
}

/* Was this trade's number amended before it came?  Then nothing is claimed. */
static bool is_amended_before(const struct ref *f, const struct chronicle_record *r)
{
	const struct chronicle *c = f->k->c;

	for (size_t i = 0;
	     f->has_amends && i < c->n_records && c->records[i].pos < r->pos; i++) {
		const struct record *x = &c->records[i].rec;

		if (x->type == RECORD_TICK && x->symbol_id == f->symbol_id &&
		    (x->action_flags & 3) != TICK_NEW &&
		    x->source_id == r->rec.source_id && r->rec.source_seq != 0 &&
		    x->ref_seq == r->rec.source_seq)
			return true;
	}
	return false;
}

static void tick(struct ref *f, const struct chronicle_record *r)
{
	struct trade *t;

	if (r->rec.event_ns > f->log_ns)
		f->log_ns = r->rec.event_ns;
	if ((r->rec.action_flags & 3) != TICK_NEW) {
		amend(f, r);
		return;
	}
	if (r->rec.price_e9 == VALUE_NULL)
		return;
	t = &f->trades[f->n_trades++];
	*t = (struct trade){.r = r,
			    .price_e9 = r->rec.price_e9,
			    .size_e8 = r->rec.size_e8,
			    .taken = is_taken(f, r->rec.event_ns),
			    .unclear = is_amended_before(f, r)};
}

static void walk(struct ref *f)
{
	const struct chronicle *c = f->k->c;

	f->log_ns = INT64_MIN / 2;
	for (size_t i = 0; i < c->n_records; i++)
		f->has_amends |= c->records[i].rec.type == RECORD_TICK &&
				 c->records[i].rec.symbol_id == f->symbol_id &&
				 (c->records[i].rec.action_flags & 3) != TICK_NEW;
	for (size_t i = 0; i < c->n_records; i++) {
		const struct record *r = &c->records[i].rec;

		if (r->type == RECORD_CLOCK && r->event_ns > f->log_ns)
			f->log_ns = r->event_ns;
		if (r->type != RECORD_TICK || r->symbol_id != f->symbol_id)
			continue;
		tick(f, &c->records[i]);
	}
}

static bool before(const struct chronicle_record *a, const struct chronicle_record *b)
{
	if (a->rec.event_ns != b->rec.event_ns)
		return a->rec.event_ns < b->rec.event_ns;
	if (a->rec.source_seq != b->rec.source_seq)
		return a->rec.source_seq < b->rec.source_seq;
	return a->pos < b->pos;
}

static int by_time(const void *a, const void *b)
{
	const struct trade *x = a, *y = b;

	return before(x->r, y->r) ? -1 : before(y->r, x->r);
}

static size_t first_from(const struct ref *f, int64_t ns)
{
	size_t from = 0, to = f->n_trades;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (f->trades[mid].r->rec.event_ns < ns)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static struct ref_bar add_up(const struct ref *f, int64_t start_ns)
{
	const struct chronicle_record *open = NULL, *close = NULL;
	struct ref_bar b = {0};

	for (size_t i = first_from(f, start_ns); i < f->n_trades; i++) {
		const struct trade *t = &f->trades[i];
		unsigned may_not = (unsigned)t->r->rec.action_flags >> 2;

		if (floor_to(t->r->rec.event_ns, f->step_ns) != start_ns)
			break;
		if (!t->taken)
			continue;
		b.unclear |= t->unclear;
		if (t->withdrawn)
			continue;
		b.n_all++;
		if (!(may_not & TICK_NO_LAST)) {
			if (open == NULL || before(t->r, open)) {
				open = t->r;
				b.open_e9 = t->price_e9;
			}
			if (close == NULL || before(close, t->r)) {
				close = t->r;
				b.close_e9 = t->price_e9;
			}
			b.n_last++;
		}
		if (!(may_not & TICK_NO_RANGE)) {
			if (b.n_range == 0 || t->price_e9 > b.high_e9)
				b.high_e9 = t->price_e9;
			if (b.n_range == 0 || t->price_e9 < b.low_e9)
				b.low_e9 = t->price_e9;
			b.n_range++;
		}
		if (!(may_not & TICK_NO_VOLUME)) {
			b.volume += t->size_e8 == VALUE_NULL ? 0 : t->size_e8;
			b.n_counted++;
		}
	}
	return b;
}

static bool same_bar(const struct ref_bar *b, const struct event_bar *e)
{
	__int128 volume = (__int128)e->volume_hi << 64 | e->volume_lo;

	return e->open_e9 == (b->n_last > 0 ? b->open_e9 : VALUE_NULL) &&
	       e->close_e9 == (b->n_last > 0 ? b->close_e9 : VALUE_NULL) &&
	       e->high_e9 == (b->n_range > 0 ? b->high_e9 : VALUE_NULL) &&
	       e->low_e9 == (b->n_range > 0 ? b->low_e9 : VALUE_NULL) &&
	       e->trade_count == b->n_counted && volume == b->volume;
}

/* ---- against what was published ---- */

struct sum {
	uint64_t n_published, n_made;
	size_t bars;
	bool unclear;
};

static void compare(struct ref *f, const struct event_bar *e, struct sum *sum)
{
	struct ref_bar b = add_up(f, e->bar_start_ns);

	sum->unclear |= b.unclear;
	sum->n_published += e->trade_count;
	sum->bars++;
	check_looked(f->k, CHECK_BARS);
	if (!b.unclear && !same_bar(&b, e))
		check_breach(
			f->k, CHECK_BARS,
			"%.32s %us at %lld.%03lld: %lld %lld %lld %lld of %llu, the "
			"log makes %lld %lld %lld %lld of %llu",
			e->symbol, e->timeframe_s, (long long)(e->bar_start_ns / NS),
			(long long)(e->bar_start_ns % NS / 1000000),
			(long long)e->open_e9, (long long)e->high_e9,
			(long long)e->low_e9, (long long)e->close_e9,
			(ull)e->trade_count, (long long)b.open_e9, (long long)b.high_e9,
			(long long)b.low_e9, (long long)b.close_e9, (ull)b.n_counted);
}

static bool is_of(const struct sorted *s, const struct ref *f)
{
	const struct event_bar *e = s->event;

	return s->e->kind == EVENT_BAR && e->symbol_id == f->symbol_id &&
	       e->timeframe_s * NS == f->step_ns && e->price_type == PRICE_LAST;
}

/* Every bar has revisions 0, 1 ... and ends with a final one. */
static void revisions(struct ref *f, const struct event_bar **last, size_t n,
		      const struct event_bar *e)
{
	const struct event_bar *was = NULL;

	/* First words come in order of time: only older bars need looking for. */
	for (size_t i = n; e->bar_start_ns <= f->newest_ns && i > 0 && was == NULL; i--)
		if (last[i - 1]->bar_start_ns == e->bar_start_ns)
			was = last[i - 1];
	check_looked(f->k, CHECK_REVISION);
	if (e->revision != (was ? was->revision + 1 : 0))
		check_breach(f->k, CHECK_REVISION,
			     "%.32s %us %lld: revision %u after %d", e->symbol,
			     e->timeframe_s, (long long)(e->bar_start_ns / NS),
			     e->revision, was ? (int)was->revision : -1);
	if (was != NULL && was->flags & BAR_FINAL)
		check_breach(f->k, CHECK_REVISION,
			     "%.32s %us %lld: revision %u after the final one",
			     e->symbol, e->timeframe_s,
			     (long long)(e->bar_start_ns / NS), e->revision);
}

static void check_series(struct ref *f)
{
	const struct check *k = f->k;
	const struct event_bar **all = calloc(k->n_unique + 1, sizeof(*all));
	struct sum sum = {0};
	size_t n = 0;

	if (all == NULL)
		abort();
	for (size_t i = 0; i < k->n_unique; i++) {
		const struct event_bar *e = k->unique[i].event;

		if (!is_of(&k->unique[i], f))
			continue;
		revisions(f, all, n, e);
		if (e->bar_start_ns > f->newest_ns)
			f->newest_ns = e->bar_start_ns;
		all[n++] = e;
		if (e->flags & BAR_FINAL)
			compare(f, e, &sum);
	}
	for (size_t i = 0; i < f->n_trades; i++) {
		const struct trade *t = &f->trades[i];

		sum.n_made += t->taken && !t->withdrawn &&
			      !(t->r->rec.action_flags >> 2 & TICK_NO_VOLUME);
	}
	check_looked(f->k, CHECK_CONSERVE);
	if (!sum.unclear && sum.n_made != sum.n_published)
		check_breach(
			f->k, CHECK_CONSERVE,
			"symbol %u, %lld s: %llu trades of the log are in %zu final "
			"bars, which count %llu",
			f->symbol_id, (long long)(f->step_ns / NS), (ull)sum.n_made,
			sum.bars, (ull)sum.n_published);
	free(all);
}

/* A paused symbol's ticks make nothing: its bars are left to rule DERIVED. */
static bool was_paused(const struct chronicle *c, uint32_t symbol_id)
{
	for (size_t i = 0; i < c->n_records; i++)
		if (c->records[i].rec.type == RECORD_CONTROL &&
		    c->records[i].rec.ref_seq == CONTROL_PAUSE &&
		    c->records[i].rec.symbol_id == symbol_id)
			return true;
	return false;
}

void check_bars(struct check *k)
{
	const struct chronicle *c = k->c;

	for (uint32_t s = 0; s < c->n_symbols; s++) {
		for (uint32_t t = 0; t < c->config.n_timeframes && !was_paused(c, s);
		     t++) {
			struct ref f = {.k = k,
					.symbol_id = s,
					.step_ns = c->config.timeframes_s[t] * NS,
					.newest_ns = INT64_MIN};

			f.trades = calloc(c->n_records + 1, sizeof(*f.trades));
			if (f.trades == NULL)
				abort();
			walk(&f);
			qsort(f.trades, f.n_trades, sizeof(*f.trades), by_time);
			check_series(&f);
			free(f.trades);
		}
	}
}
