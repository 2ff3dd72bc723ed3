/*
 * live_past - what a feed asks the store thread (live_parts.h): at the start its
 * ledger, its producers' sequences and the ticks that its holes could bring again,
 * later on to keep the ledger.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/live_parts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SEARCH_RECORDS                                                                 \
	65536 /* of the log that one turn of the store thread looks at                 \
	       */
#define SAVE_NS      (5 * NS_PER_S)
#define SAVE_SOON_NS (250 * NS_PER_MS)
#define AGAIN_NS     NS_PER_S

/* ---- on the store thread ---- */

static void answer(struct past *p, int rc)
{
	p->rc = rc;
	if (rc < 0)
		(void)snprintf(p->why, sizeof(p->why), "%s", err_text());
	atomic_store(&p->has_answer, true);
	live_wake(p->thread);
}

static void read_ledger(struct store_thread *st, void *arg)
{
	struct past *p = arg;
	struct tickstore *log;
	const void *data;
	size_t len;
	int rc = 0;

	role_assert_store();
	log = store_log(st);
	for (int i = 0; i < 2 && rc == 0; i++) {
		uint32_t id;

		rc = tickstore_producer(log, p->producer[i], strlen(p->producer[i]),
					&id);
		if (rc == 0)
			p->seq_last[i] = tickstore_seq_last(log, id);
		else if (rc > 0)
			rc = err_set(-ENOSPC, "there are too many producers already "
					      "(limits.producers)");
	}
	p->ledger.len = 0;
	if (rc == 0)
		rc = tickstore_meta_get(log, p->key, &data, &len);
	if (rc == 0)
		buf_add(&p->ledger, data, len);
	answer(p, rc == STORE_NONE ? 0 : rc);
}

static void note_ticks(struct past *p, const struct record *recs, uint32_t n,
		       uint32_t source_id)
{
	const struct symtab *symbols = p->thread->env.symbols;

	for (uint32_t i = 0; i < n; i++) {
		const struct record *r = &recs[i];
		struct past_tick t;

		if (r->type != RECORD_TICK || r->source_id != source_id ||
		    r->event_ns < p->from_ns)
			continue;
		t.id = known_id(symtab_name(symbols, r->symbol_id), r);
		t.event_ns = r->event_ns;
		buf_add(&p->ticks, &t, sizeof(t));
	}
}

static void search_log(struct store_thread *st, void *arg)
{
	struct past *p = arg;
	const struct record *recs;
	uint32_t source_id = 0, n, seen = 0;
	struct tickstore *log;
	int rc = 0;

	role_assert_store();
	log = store_log(st);
	p->ticks.len = 0;
	if (symtab_find(p->thread->env.sources, p->source, strlen(p->source),
			&source_id) != 0) {
		p->is_end = true; /* nobody has sent any */
		answer(p, 0);
		return;
	}
	if (p->pos == 0)
		rc = tickstore_find_time(log, p->from_ns, &p->pos);
	while (rc == 0 && seen < SEARCH_RECORDS) {
		rc = tickstore_peek(log, p->pos, &p->pos, &recs, &n);
		if (rc == STORE_GONE) {
			rc = 0; /* it was retired meanwhile: go on at the oldest */
			continue;
		}
		if (rc != 0)
			break;
		if (n > SEARCH_RECORDS)
			n = SEARCH_RECORDS;
		note_ticks(p, recs, n, source_id);
		p->pos += n;
		seen += n;
	}
	p->is_end = rc == STORE_END;
	answer(p, rc == STORE_END ? 0 : rc);
}

static void save_ledger(struct store_thread *st, void *arg)
{
	struct past *p = arg;

	role_assert_store();
	answer(p, tickstore_meta_put(store_log(st), p->key, p->ledger.data,
				     p->ledger.len));
}

/* ---- on the LIVE thread ---- */

void live_past_init(struct live_feed *f)
{
	struct past *p = &f->past;

	p->thread = f->thread;
	(void)snprintf(p->key, sizeof(p->key), "live.%s", f->config->name);
	(void)snprintf(p->producer[0], sizeof(p->producer[0]), "%s", f->config->name);
	(void)snprintf(p->producer[1], sizeof(p->producer[1]), "%s:refill",
		       f->config->name);
	(void)snprintf(p->source, sizeof(p->source), "%s", f->config->source);
}

void live_past_deinit(struct live_feed *f)
{
	buf_free(&f->past.ledger);
	buf_free(&f->past.ticks);
}

static void ask(struct live_feed *f, store_job_fn job)
{
	f->past.is_asking = store_post(f->thread->env.store, job, &f->past) == 0;
}

static void take_ledger(struct live_feed *f)
{
	struct past *p = &f->past;
	int64_t to;

	live_producer_seq(&f->live, p->seq_last[0]);
	live_producer_seq(&f->refilled, p->seq_last[1]);
	if (p->ledger.len > 0 &&
	    ledger_load(f->ledger, p->ledger.data, p->ledger.len) < 0)
		log_err("live",
			"%s: %s; its holes of earlier lives are not known and are not "
			"filled",
			f->config->name, err_text());
	/* What may come again: from the oldest hole, or from where it was good. */
	p->from_ns = ledger_good_ns(f->ledger);
	if (ledger_open_hull(f->ledger, &p->from_ns, &to) &&
	    ledger_good_ns(f->ledger) < p->from_ns)
		p->from_ns = ledger_good_ns(f->ledger);
	/* Of articles the log itself knows which it has. */
	p->phase = p->from_ns == INT64_MIN || f->config->news ? PAST_READ : PAST_TICKS;
	p->from_ns -= p->phase == PAST_TICKS ? f->config->overlap_ns : 0;
}

static void take_ticks(struct live_feed *f)
{
	struct past *p = &f->past;
	const struct past_tick *t = (const void *)p->ticks.data;
	size_t n = p->ticks.len / sizeof(*t);

	for (size_t i = 0; i < n; i++)
		known_seed(f->known, t[i].id, t[i].event_ns);
	if (!p->is_end)
		return;
	p->phase = PAST_READ;
	buf_free(&p->ticks);
}

static void take_answer(struct live_feed *f, int64_t now_ns)
{
	struct past *p = &f->past;

	p->is_asking = false;
	if (p->is_saving) {
		p->is_saving = false;
		if (p->rc < 0) {
			log_warn("live", "%s: the ledger could not be saved: %s",
				 f->config->name, p->why);
			f->is_ledger_dirty = true;
		}
		return;
	}
	if (p->rc < 0) {
		/* Without it no hole could be told: rather no feed than a wrong one. */
		log_err("live", "%s: %s; trying again", f->config->name, p->why);
		p->due_ns = now_ns + AGAIN_NS;
		return;
	}
	if (p->phase == PAST_LEDGER)
		take_ledger(f);
	else
		take_ticks(f);
}

void live_past_step(struct live_feed *f, int64_t now_ns)
{
	struct past *p = &f->past;

	if (p->is_asking && !atomic_exchange(&p->has_answer, false))
		return;
	if (p->is_asking)
		take_answer(f, now_ns);
	if (now_ns < p->due_ns)
		return;
	if (p->phase == PAST_UNREAD)
		p->phase = PAST_LEDGER;
	if (p->phase == PAST_LEDGER)
		ask(f, read_ledger);
	else if (p->phase == PAST_TICKS)
		ask(f, search_log);
}

void live_past_save(struct live_feed *f, int64_t now_ns, bool at_once)
{
	struct past *p = &f->past;
	int64_t good_ns = ledger_good_ns(f->ledger);
	bool has_moved = good_ns != f->saved_good_ns;

	if (p->phase != PAST_READ || p->is_asking)
		return;
	if (!at_once && !(f->is_ledger_dirty && now_ns - f->saved_ns >= SAVE_SOON_NS) &&
	    !(has_moved && now_ns - f->saved_ns >= SAVE_NS))
		return;
	if (!f->is_ledger_dirty && !has_moved)
		return;
	p->ledger.len = 0;
	ledger_save(f->ledger, &p->ledger);
	ask(f, save_ledger);
	if (!p->is_asking)
		return;
	p->is_saving = true;
	f->is_ledger_dirty = false;
	f->saved_ns = now_ns;
	f->saved_good_ns = good_ns;
}
