/* planted - see planted.h. */
#include "tests/check/planted.h"
#include "base/hash.h"
#include "proto/ingest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these above first. */
#include <cmocka.h>

/* ---- finding something to spoil ---- */

static void *event_at(struct chronicle *c, size_t i)
{
	return c->bytes.data + c->events[i].at;
}

/* The @n-th event of @kind that was given to @how-flagged subscribers. */
static size_t event_of(struct chronicle *c, enum event_kind kind, size_t n)
{
	for (size_t i = 0; i < c->n_events; i++)
		if (c->events[i].kind == kind && c->events[i].how & CHRONICLE_GIVEN &&
		    c->subscribers[c->events[i].subscriber].is_complete && n-- == 0)
			return i;
	fail_msg("there is no such event");
	return 0;
}

typedef void (*spoil_fn)(void *event);

/* All copies of one event: the daemon itself was wrong, not the wire. */
static void spoil(struct chronicle *c, size_t i, spoil_fn fn)
{
	size_t len = c->events[i].len;
	void *was = malloc(len);

	memcpy(was, event_at(c, i), len);
	for (size_t k = 0; k < c->n_events; k++)
		if (c->events[k].kind == c->events[i].kind && c->events[k].len == len &&
		    memcmp(event_at(c, k), was, len) == 0 && k != i)
			fn(event_at(c, k));
	fn(event_at(c, i));
	free(was);
}

/* A final bar of traded ticks. */
static size_t final_bar(struct chronicle *c)
{
	for (size_t i = 0; i < c->n_events; i++) {
		const struct event_bar *e = event_at(c, i);

		if (c->events[i].kind == EVENT_BAR && e->flags & BAR_FINAL &&
		    e->trade_count > 1)
			return i;
	}
	fail_msg("there is no final bar");
	return 0;
}

/* A matrix whose cells the checker computes. */
static size_t sampled_matrix(struct chronicle *c)
{
	for (size_t i = 0; i < c->n_events; i++) {
		const struct event_tier2 *e = event_at(c, i);

		if (c->events[i].kind == EVENT_TIER2 && e->head.seq % 3 == 0 &&
		    e->method == CORR_PEARSON && !e->psd_repaired && e->n_included > 2)
			return i;
	}
	fail_msg("there is no matrix");
	return 0;
}

static struct chronicle_record *stored(struct chronicle *c, size_t n)
{
	for (size_t i = 0; i < c->n_records; i++)
		if (c->records[i].producer != CHRONICLE_DAEMON &&
		    c->records[i].rec.type == RECORD_TICK && n-- == 0)
			return &c->records[i];
	fail_msg("there is no such record");
	return NULL;
}

/* The first run of a reply with @outcome, in place. */
/* Bend the first run of accepted ticks in a reply; it lies there as it came, unaligned.
 */
static void bend_run(struct chronicle *c, void (*bend)(struct ingest_run *r))
{
	for (size_t i = 0; i < c->n_calls; i++) {
		struct chronicle_call *call = &c->calls[i];
		struct ingest_reply_view v;

		if (!call->answered || ingest_reply_open(c->bytes.data + call->reply_at,
							 call->reply_len, &v) != 0)
			continue;
		for (uint32_t k = 0; k < v.n_runs; k++) {
			struct ingest_run r;

			ingest_reply_run(&v, k, &r);
			if (r.outcome != INGEST_ACCEPTED)
				continue;
			bend(&r);
			memcpy((void *)(uintptr_t)(v.runs + k * v.stride), &r,
			       sizeof(r));
			return;
		}
	}
	fail_msg("there is no such run");
}

/* ---- the bugs ---- */

static void lost_acknowledgement(struct chronicle *c)
{
	struct chronicle_record *r = stored(c, 20);

	r->producer = CHRONICLE_DAEMON; /* the tick is not there any more */
}

static void double_insert(struct chronicle *c)
{
	struct chronicle_record *r = stored(c, 20);
	struct chronicle_record copy = *r;

	copy.pos = c->records[c->n_records - 1].pos + 1;
	chronicle_record(c, &copy);
}

static void swapped_order(struct chronicle *c)
{
	struct chronicle_record *a = stored(c, 20), *b = NULL;

	for (size_t n = 21; b == NULL; n++)
		if (stored(c, n)->producer == a->producer)
			b = stored(c, n);
	struct chronicle_record was = *a;

	a->seq = b->seq;
	a->rec = b->rec;
	b->seq = was.seq;
	b->rec = was.rec;
}

static void more_volume(void *e)
{
	((struct event_bar *)e)->volume_lo++;
}

static void volume_off_by_one(struct chronicle *c)
{
	spoil(c, final_bar(c), more_volume);
}

static void one_trade_more(void *e)
{
	((struct event_bar *)e)->trade_count++;
}

static void tick_in_two_bars(struct chronicle *c)
{
	spoil(c, final_bar(c), one_trade_more);
}

static void one_trade_less(void *e)
{
	((struct event_bar *)e)->trade_count--;
}

static void tick_in_no_bar(struct chronicle *c)
{
	spoil(c, final_bar(c), one_trade_less);
}

static void other_close(void *e)
{
	((struct event_bar *)e)->close_e9++;
}

static void wrong_close(struct chronicle *c)
{
	spoil(c, final_bar(c), other_close);
}

static void other_high(void *e)
{
	((struct event_bar *)e)->high_e9 += 1000;
}

static void wrong_high(struct chronicle *c)
{
	spoil(c, final_bar(c), other_high);
}

static void as_first(void *e)
{
	((struct event_bar *)e)->revision = 0;
}

/* The final word comes as if nothing had been said before. */
static void revision_not_replacing(struct chronicle *c)
{
	for (size_t i = 0; i < c->n_events; i++) {
		const struct event_bar *e = event_at(c, i);

		if (c->events[i].kind == EVENT_BAR && e->revision == 1) {
			spoil(c, i, as_first);
			return;
		}
	}
	fail_msg("there is no revision");
}

static void not_final(void *e)
{
	((struct event_bar *)e)->flags ^= BAR_FINAL;
}

static void bar_never_final(struct chronicle *c)
{
	spoil(c, final_bar(c), not_final);
}

static void version_skipped(struct chronicle *c)
{
	for (size_t i = 0; i < c->n_events; i++) {
		struct event_tier2 *e = event_at(c, i);

		if (c->events[i].kind == EVENT_TIER2 && e->head.seq > 4)
			e->head.seq++;
	}
}

static void version_repeated(struct chronicle *c)
{
	for (size_t i = 0; i < c->n_events; i++) {
		struct event_tier2 *e = event_at(c, i);

		if (c->events[i].kind == EVENT_TIER2 && e->head.seq > 4)
			e->head.seq--;
	}
}

static double *cells_of(struct event_tier2 *e)
{
	struct tier2_member *m = (struct tier2_member *)(e + 1);

	return (double *)(void *)(m + e->n_members);
}

static void other_cell(void *event)
{
	struct event_tier2 *e = event;
	const struct tier2_member *m = (const struct tier2_member *)(e + 1);

	cells_of(e)[1] += cells_of(e)[1] > 0 ? -1e-6 : 1e-6;
	e->content_hash = hash_bytes(HASH_SEED, m, e->n_members * sizeof(*m));
	e->content_hash =
		hash_bytes(e->content_hash, cells_of(e),
			   event_triangle_len(e->n_included) * sizeof(double));
}

static void matrix_cell_wrong(struct chronicle *c)
{
	spoil(c, sampled_matrix(c), other_cell);
}

static void other_hash(void *e)
{
	((struct event_tier2 *)e)->content_hash++;
}

static void matrix_of_another_hash(struct chronicle *c)
{
	spoil(c, sampled_matrix(c), other_hash);
}

static void diagonal_off(void *e)
{
	cells_of(e)[0] = 0.999;
}

static void matrix_diagonal_wrong(struct chronicle *c)
{
	spoil(c, sampled_matrix(c), diagonal_off);
}

static void stale_epoch(struct chronicle *c)
{
	c->events[event_of(c, EVENT_TICK, 30)].epoch--;
}

static void drop_event(struct chronicle *c, size_t i)
{
	memmove(&c->events[i], &c->events[i + 1],
		(c->n_events - i - 1) * sizeof(*c->events));
	c->n_events--;
}

static void hole_not_filled(struct chronicle *c)
{
	drop_event(c, event_of(c, EVENT_TICK, 30));
}

static void end_not_delivered(struct chronicle *c)
{
	size_t last = 0;

	for (size_t i = 0; i < c->n_events; i++)
		if (c->events[i].kind == EVENT_TIER2 &&
		    c->events[i].how & CHRONICLE_GIVEN &&
		    c->subscribers[c->events[i].subscriber].is_complete)
			last = i;
	drop_event(c, last);
}

static void duplicate_delivered(struct chronicle *c)
{
	size_t i = event_of(c, EVENT_BAR, 30);
	const struct chronicle_event e = c->events[i];
	void *copy = malloc(e.len);

	memcpy(copy, event_at(c, i), e.len);
	chronicle_event(c, e.subscriber, CHRONICLE_GIVEN, e.epoch, EVENT_BAR, copy,
			e.len);
	free(copy);
}

static void two_contents(struct chronicle *c)
{
	((struct event_bar *)event_at(c, event_of(c, EVENT_BAR, 30)))->late_ticks++;
}

static void reject(struct ingest_run *r)
{
	r->outcome = INGEST_REJECTED;
	r->reason = REJECT_PRICE_NOT_POSITIVE;
}

static void rejected_but_stored(struct chronicle *c)
{
	bend_run(c, reject);
}

static void chain_broken(struct chronicle *c)
{
	size_t i = event_of(c, EVENT_TIER1, 30);
	size_t len = event_block_size(EVENT_TIER1);

	for (size_t k = 0; k < c->n_events; k++)
		if (c->events[k].kind == EVENT_TIER1 && k != i &&
		    memcmp(event_at(c, k), event_at(c, i), len) == 0)
			((uint8_t *)event_at(c, k))[len - 8] ^= 1;
	((uint8_t *)event_at(c, i))[len - 8] ^= 1;
}

static void heartbeat_behind(struct chronicle *c)
{
	for (size_t i = c->n_beats / 2; i < c->n_beats; i++)
		if (c->beats[i].beat.last_seq > 2) {
			c->beats[i].beat.last_seq--;
			return;
		}
	fail_msg("there is no heartbeat");
}

static void shorten(struct ingest_run *r)
{
	r->n--;
}

static void reply_sum_wrong(struct chronicle *c)
{
	bend_run(c, shorten);
}

static void move_on(struct ingest_run *r)
{
	r->first_pos++;
}

/* Two acknowledgements name one position. */
static void acknowledged_position_reused(struct chronicle *c)
{
	bend_run(c, move_on);
}

static void position_reused(struct chronicle *c)
{
	c->records[30].pos = c->records[29].pos;
}

static void other_content_stored(struct chronicle *c)
{
	stored(c, 20)->rec.bid_size_e8 ^= 4;
}

static void other_price(void *e)
{
	((struct event_tick *)e)->price_e9++;
}

static void tick_of_another_price(struct chronicle *c)
{
	spoil(c, event_of(c, EVENT_TICK, 20), other_price);
}

static void other_feature(void *e)
{
	((struct event_tier1 *)e)->bars_seen++;
}

static void feature_after_a_crash_differs(struct chronicle *c)
{
	spoil(c, event_of(c, EVENT_TIER1, 20), other_feature);
}

/* What normal durability may lose, full may not. */
static void loss_under_full(struct chronicle *c)
{
	c->config.is_normal = false;
}

static void loss_of_an_old_one(struct chronicle *c)
{
	c->config.sync_interval_ns = 0;
}

const struct planted planted_bugs[] = {
	{"lost acknowledgement", lost_acknowledgement, CHECK_ACKED, false},
	{"double insert", double_insert, CHECK_ONCE, false},
	{"swapped order", swapped_order, CHECK_ORDER, false},
	{"volume off by one", volume_off_by_one, CHECK_BARS, false},
	{"tick in two bars", tick_in_two_bars, CHECK_CONSERVE, false},
	{"tick in no bar", tick_in_no_bar, CHECK_CONSERVE, false},
	{"wrong close", wrong_close, CHECK_BARS, false},
	{"wrong high", wrong_high, CHECK_BARS, false},
	{"revision not replacing", revision_not_replacing, CHECK_REVISION, false},
	{"bar never final", bar_never_final, CHECK_CONSERVE, false},
	{"version skipped", version_skipped, CHECK_VERSION, false},
	{"version repeated", version_repeated, CHECK_SAME, false},
	{"matrix cell wrong", matrix_cell_wrong, CHECK_CELLS, false},
	{"matrix of another hash", matrix_of_another_hash, CHECK_MATRIX, false},
	{"matrix diagonal wrong", matrix_diagonal_wrong, CHECK_MATRIX, false},
	{"stale epoch", stale_epoch, CHECK_EPOCH, false},
	{"hole not filled", hole_not_filled, CHECK_GIVEN, false},
	{"end not delivered", end_not_delivered, CHECK_COMPLETE, false},
	{"duplicate delivered", duplicate_delivered, CHECK_GIVEN, false},
	{"two contents", two_contents, CHECK_SAME, false},
	{"rejected but stored", rejected_but_stored, CHECK_REJECTED, false},
	{"chain broken", chain_broken, CHECK_CHAIN, false},
	{"heartbeat behind", heartbeat_behind, CHECK_BEAT, false},
	{"reply's sum wrong", reply_sum_wrong, CHECK_SUMS, false},
	{"acknowledged position reused", acknowledged_position_reused, CHECK_ACKED,
	 false},
	{"position reused", position_reused, CHECK_POSITION, false},
	{"other content stored", other_content_stored, CHECK_SENT, false},
	{"tick of another price", tick_of_another_price, CHECK_TICKS, false},
	{"feature differs", feature_after_a_crash_differs, CHECK_DERIVED, false},
	{"loss under full", loss_under_full, CHECK_LOSS, true},
	{"loss of an old one", loss_of_an_old_one, CHECK_LOSS, true},
};

const size_t planted_n = sizeof(planted_bugs) / sizeof(planted_bugs[0]);
