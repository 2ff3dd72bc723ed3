/*
 * subscription - dirty marks, cursors and exact counting of losses.
 *
 * No event is missed: a worker appends (releasing the buffer's `next`) and then
 * sets the symbol's mark; the reader takes the mark and then reads up to `next`.
 * Both touch the mark with a read-modify-write, so they are ordered: either the
 * reader's taking comes later and acquires the append, or the worker's setting
 * comes later and the reader finds the mark again.
 *
 * Losses are counted by sequence, not by place in the buffer: expect[symbol][k]
 * is the sequence that the k-th wanted kind must show next.  A reader that is
 * overtaken learns what it lost from the next event of the kind or, if none
 * comes, from the buffer's mark when it has read to the end.
 */
#include "bus/subscription.h"
#include "base/err.h"
#include "bus/stats.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TURN           64 /* events of one symbol before the next has its turn */
#define CONFLATE_TRIES 8
#define NOT_YET        UINT64_MAX /* a cursor before sub_begin() */
#define NO_SYMBOL      UINT32_MAX

struct sub {
	struct sub_env env;
	struct filter filter; /* owned; never changed after sub_new() */
	enum sub_policy policy;
	uint32_t n_kinds;           /* wanted */
	uint8_t index[EVENT_KINDS]; /* of a wanted kind in expect[] */
	_Atomic uint64_t *dirty;    /* owned; one bit per symbol */
	size_t words;
	_Atomic uint64_t *cursor; /* owned; written by the reader alone */
	uint64_t *expect;         /* owned; [symbol * n_kinds + index[kind]] */
	uint8_t *was_lapped;      /* owned; losses to be looked for */
	uint32_t current;         /* symbol being read */
	uint32_t turn;            /* events of it in this turn */
	uint32_t scan;            /* symbol whose turn is next */
	struct sub_counts counts;
};

static bool wants(const struct sub *s, unsigned kind)
{
	return (s->filter.kinds & FILTER_KIND(kind)) != 0;
}

static uint64_t *expected(struct sub *s, uint32_t symbol, unsigned kind)
{
	return &s->expect[(size_t)symbol * s->n_kinds + s->index[kind]];
}

static void count(_Atomic uint64_t *c, uint64_t n)
{
	atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static void count_lapped(struct sub *s, uint32_t symbol, unsigned kind, uint64_t n)
{
	s->counts.lapped += n;
	count(&s->env.tally->lapped[kind], n);
	count(&s->env.tally->symbol_lapped[symbol], n);
	stats_add(STAT_BUS_LAPPED, n);
}

static void count_conflated(struct sub *s, uint32_t symbol, unsigned kind, uint64_t n)
{
	s->counts.conflated += n;
	count(&s->env.tally->conflated[kind], n);
	count(&s->env.tally->symbol_conflated[symbol], n);
	stats_add(STAT_BUS_CONFLATED, n);
}

int sub_new(const struct sub_env *env, const struct filter *filter,
	    enum sub_policy policy, struct sub **out)
{
	size_t n = env->symbols_max;
	struct sub *s;
	int rc;

	if ((filter->kinds & FILTER_KINDS_ALL) == 0)
		return err_set(-EINVAL, "a subscription to no kind of event");
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(-ENOMEM, "no memory for a subscription");
	s->env = *env;
	s->policy = policy;
	s->current = NO_SYMBOL;
	s->words = (n + 63) / 64;
	rc = filter_copy(&s->filter, filter);
	if (rc < 0)
		goto fail;
	s->filter.kinds &= FILTER_KINDS_ALL;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (wants(s, k))
			s->index[k] = (uint8_t)s->n_kinds++;

	s->dirty = calloc(s->words, sizeof(*s->dirty));
	s->cursor = malloc(n * sizeof(*s->cursor));
	s->expect = calloc(n * s->n_kinds, sizeof(*s->expect));
	s->was_lapped = calloc(n, sizeof(*s->was_lapped));
	if (!s->dirty || !s->cursor || !s->expect || !s->was_lapped) {
		rc = err_set(-ENOMEM, "no memory for a subscription to %zu symbols", n);
		goto fail;
	}
	for (size_t i = 0; i < n; i++)
		atomic_init(&s->cursor[i], NOT_YET);
	*out = s;
	return 0;
fail:
	sub_free(s);
	return rc;
}

void sub_free(struct sub *s)
{
	if (!s)
		return;
	filter_deinit(&s->filter);
	free(s->dirty);
	free(s->cursor);
	free(s->expect);
	free(s->was_lapped);
	free(s);
}

static uint64_t cursor_get(const struct sub *s, uint32_t symbol)
{
	return atomic_load_explicit(&s->cursor[symbol], memory_order_relaxed);
}

static void cursor_set(struct sub *s, uint32_t symbol, uint64_t place)
{
	atomic_store_explicit(&s->cursor[symbol], place, memory_order_release);
}

static void stand_at(struct sub *s, uint32_t symbol, const struct symbuf_mark *m)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (wants(s, k))
			*expected(s, symbol, k) = m->seq[k] + 1;
	cursor_set(s, symbol, m->next);
}

void sub_begin(struct sub *s)
{
	for (uint32_t i = 0; i < s->env.symbols_max; i++) {
		struct symbuf_mark m;

		if (!filter_has_symbol(&s->filter, i))
			continue;
		/* The owner is in the way for the length of one copy. */
		while (!symbuf_mark(s->env.buf, i, &m))
			(void)sched_yield();
		stand_at(s, i, &m);
	}
}

static void set_dirty(struct sub *s, uint32_t symbol)
{
	atomic_fetch_or_explicit(&s->dirty[symbol / 64], UINT64_C(1) << (symbol % 64),
				 memory_order_acq_rel);
}

void sub_mark(struct sub *s, enum event_kind kind, uint32_t symbol)
{
	/* A blocking reader must step over unwanted kinds too, or they block it. */
	if (filter_has(&s->filter, kind, symbol) ||
	    (s->policy == POLICY_BLOCK && filter_has_symbol(&s->filter, symbol)))
		set_dirty(s, symbol);
}

/** Take the mark of the next symbol in turn; NO_SYMBOL when there is none. */
static uint32_t next_dirty(struct sub *s)
{
	size_t w = s->scan / 64;
	uint64_t mask = UINT64_MAX << (s->scan % 64);

	/* The first word is looked at twice: from the turn on, and up to it. */
	for (size_t i = 0; i <= s->words; i++, mask = UINT64_MAX) {
		uint64_t bits =
			mask & atomic_load_explicit(&s->dirty[w], memory_order_relaxed);

		if (bits) {
			uint64_t bit = bits & -bits;
			uint32_t symbol =
				(uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);

			(void)atomic_fetch_and_explicit(&s->dirty[w], ~bit,
							memory_order_acq_rel);
			s->scan = symbol + 1 == s->env.symbols_max ? 0 : symbol + 1;
			return symbol;
		}
		w = w + 1 == s->words ? 0 : w + 1;
	}
	return NO_SYMBOL;
}

static int tell_lapped(struct sub *s, uint32_t symbol, unsigned kind, uint64_t lost,
		       struct symbuf_event *out, uint64_t *out_lost)
{
	count_lapped(s, symbol, kind, lost);
	out->symbol_id = symbol;
	out->kind = (uint8_t)kind;
	*out_lost = lost;
	return SUB_LAPPED;
}

/** At the end of a buffer that overtook us: were the last of a kind lost? */
static int settle(struct sub *s, uint32_t symbol, struct symbuf_event *out,
		  uint64_t *out_lost)
{
	struct symbuf_mark m;

	if (!s->was_lapped[symbol])
		return SUB_EMPTY;
	if (!symbuf_mark(s->env.buf, symbol, &m) || m.next != cursor_get(s, symbol)) {
		set_dirty(s, symbol); /* it moves on; ask again at its next end */
		return SUB_EMPTY;
	}
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		uint64_t lost;

		if (!wants(s, k))
			continue;
		lost = m.seq[k] + 1 - *expected(s, symbol, k);
		if (lost == 0)
			continue;
		*expected(s, symbol, k) += lost;
		return tell_lapped(s, symbol, k, lost, out, out_lost);
	}
	s->was_lapped[symbol] = 0;
	return SUB_EMPTY;
}

static int read_next(struct sub *s, uint32_t symbol, struct symbuf_event *out,
		     uint64_t *out_lost)
{
	for (;;) {
		uint64_t at = cursor_get(s, symbol);
		uint64_t *expect;
		int rc = symbuf_read(s->env.buf, symbol, &at, out);

		if (rc == SYMBUF_EMPTY)
			return settle(s, symbol, out, out_lost);
		if (rc == SYMBUF_LAPPED) {
			s->was_lapped[symbol] = 1;
			cursor_set(s, symbol, at);
			continue;
		}
		if (!wants(s, out->kind)) {
			cursor_set(s, symbol, at);
			continue;
		}
		expect = expected(s, symbol, out->kind);
		if (out->seq > *expect) {
			uint64_t lost = out->seq - *expect;

			*expect = out->seq;
			return tell_lapped(s, symbol, out->kind, lost, out, out_lost);
		}
		*expect = out->seq + 1;
		cursor_set(s, symbol, at);
		return 0;
	}
}

/** The newest wanted event below @m->next; SYMBUF_EMPTY when none is held. */
static int find_newest(struct sub *s, uint32_t symbol, const struct symbuf_mark *m,
		       struct symbuf_event *out)
{
	uint64_t depth = symbuf_depth_max(s->env.buf);
	uint64_t from = cursor_get(s, symbol);

	if (m->next - from > depth)
		from = m->next - depth;
	for (uint64_t at = m->next; at > from; at--) {
		if (symbuf_at(s->env.buf, symbol, at - 1, out) != 0)
			return SYMBUF_LAPPED;
		if (wants(s, out->kind))
			return 0;
	}
	return SYMBUF_EMPTY;
}

/** Skip all that was expected below @m, but for the event that is @given. */
static void skip_to(struct sub *s, uint32_t symbol, const struct symbuf_mark *m,
		    const struct symbuf_event *given)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		uint64_t n;

		if (!wants(s, k))
			continue;
		n = m->seq[k] + 1 - *expected(s, symbol, k);
		if (given->kind == k)
			n--;
		if (n)
			count_conflated(s, symbol, k, n);
	}
	stand_at(s, symbol, m);
}

static int read_newest(struct sub *s, uint32_t symbol, struct symbuf_event *out,
		       uint64_t *out_lost)
{
	for (unsigned i = 0; i < CONFLATE_TRIES; i++) {
		struct symbuf_mark m;
		int rc;

		if (!symbuf_mark(s->env.buf, symbol, &m))
			continue;
		if (m.next == cursor_get(s, symbol))
			return SUB_EMPTY;
		rc = find_newest(s, symbol, &m, out);
		if (rc == SYMBUF_LAPPED)
			continue;
		if (rc == 0) {
			skip_to(s, symbol, &m, out);
			return 0;
		}
		/* Only unwanted kinds are held; did wanted ones go with the rest? */
		s->was_lapped[symbol] = 1;
		cursor_set(s, symbol, m.next);
		return settle(s, symbol, out, out_lost);
	}
	set_dirty(s, symbol); /* it is being written right now: at the next call */
	return SUB_EMPTY;
}

static int read_symbol(struct sub *s, struct symbuf_event *out, uint64_t *out_lost)
{
	if (s->policy == POLICY_CONFLATE)
		return read_newest(s, s->current, out, out_lost);
	return read_next(s, s->current, out, out_lost);
}

/** After TURN events of one symbol the others have theirs. */
static void end_turn(struct sub *s)
{
	set_dirty(s, s->current);
	s->current = NO_SYMBOL;
}

int sub_read(struct sub *s, struct symbuf_event *out, uint64_t *out_lost)
{
	/* Each round ends a symbol that had nothing; there are so many of them. */
	for (uint32_t i = 0; i <= s->env.symbols_max; i++) {
		int rc;

		if (s->current == NO_SYMBOL) {
			s->current = next_dirty(s);
			s->turn = 0;
		}
		if (s->current == NO_SYMBOL)
			return SUB_EMPTY;
		rc = read_symbol(s, out, out_lost);
		if (rc == SUB_EMPTY) {
			s->current = NO_SYMBOL;
			continue;
		}
		if (++s->turn == TURN)
			end_turn(s);
		s->counts.read += rc == 0;
		return rc;
	}
	return SUB_EMPTY;
}

const struct sub_counts *sub_counts(const struct sub *s)
{
	return &s->counts;
}

bool sub_is_behind(const struct sub *s, uint32_t symbol, uint64_t published)
{
	uint64_t at;

	if (!filter_has_symbol(&s->filter, symbol))
		return false;
	at = atomic_load_explicit(&s->cursor[symbol], memory_order_acquire);
	return at != NOT_YET && published - at >= symbuf_depth_max(s->env.buf);
}

enum sub_policy sub_policy(const struct sub *s)
{
	return s->policy;
}
