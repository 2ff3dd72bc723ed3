/* rerun - see rerun.h; it is opened and closed, saved and loaded in rerun_life.c. */
#include "base/err.h"
#include "daemon/rerun_parts.h"
#include <errno.h>
#include <string.h>

const enum event_kind rerun_kinds[SHARD_KINDS] = {EVENT_BAR, EVENT_TIER1, EVENT_STATUS};

static struct batch *filling(struct rerun *r)
{
	return &r->slots[r->n_given % SLOTS];
}

/* ---- delivery ---- */

/* Where an event stands in the canonical order: its head, then its symbol. */
struct place {
	uint64_t pos;
	uint32_t symbol_id;
};

static struct place place_of(enum event_kind kind, const uint8_t *event)
{
	struct place p;

	memcpy(&p.pos, event + offsetof(struct event_head, pos), sizeof(p.pos));
	p.symbol_id = event_symbol_id(kind, event);
	return p;
}

static bool is_before(struct place a, struct place b)
{
	return a.pos != b.pos ? a.pos < b.pos : a.symbol_id < b.symbol_id;
}

/* Every shard's events are in order already: take the least head until all are dry. */
static int merge_kind(struct rerun *r, struct batch *b, size_t k)
{
	const size_t size = event_block_size(rerun_kinds[k]);
	size_t at[RERUN_WORKERS_MAX] = {0};

	while (true) {
		const uint8_t *best = NULL;
		struct place least = {0};
		uint32_t from = 0;
		int rc;

		for (uint32_t w = 0; w < r->env.n_workers; w++) {
			const struct buf *in = &b->of[w].events[k];
			struct place p;

			if (at[w] == in->len)
				continue;
			p = place_of(rerun_kinds[k], in->data + at[w]);
			if (best == NULL || is_before(p, least)) {
				best = in->data + at[w];
				least = p;
				from = w;
			}
		}
		if (best == NULL)
			return 0;
		at[from] += size;
		rc = r->event(r->arg, rerun_kinds[k], best, size);
		if (rc != 0)
			return rc;
	}
}

static int hand_on_news(struct rerun *r, struct batch *b)
{
	const size_t size = sizeof(struct event_news);
	int rc = 0;

	for (size_t at = 0; at < b->news.len && rc == 0; at += size)
		rc = r->event(r->arg, EVENT_NEWS, b->news.data + at, size);
	b->news.len = 0;
	return rc;
}

/* Hand on what a finished batch brought, and make it empty. */
static void deliver(struct rerun *r, struct batch *b)
{
	for (size_t k = 0; k < SHARD_KINDS && r->rc == 0; k++)
		r->rc = merge_kind(r, b, k);
	if (r->rc == 0)
		r->rc = hand_on_news(r, b);
	for (uint32_t w = 0; w < r->env.n_workers; w++) {
		struct portion *p = &b->of[w];

		if (r->rc == 0 && p->cuts.len > 0)
			r->rc = tier2_feed(r->tier2, w, (const void *)p->cuts.data,
					   p->cuts.len / sizeof(struct cut_item));
		p->n = p->cuts.len = 0;
		for (size_t k = 0; k < SHARD_KINDS; k++)
			p->events[k].len = 0;
	}
	if (r->rc == 0)
		(void)tier2_step(r->tier2, SIZE_MAX);
	b->n_records = 0;
	b->closes = 0;
	r->n_delivered++;
}

/* ---- the threads ---- */

static void run_portion(struct runner *n, struct portion *p)
{
	n->now = p;
	shard_step(n->shard, p->items, p->n);
}

static void *body(void *arg)
{
	struct runner *n = arg;
	struct rerun *r = n->rerun;

	(void)pthread_mutex_lock(&r->lock);
	while (true) {
		while (n->done == r->n_given && !r->stop)
			(void)pthread_cond_wait(&r->work, &r->lock);
		if (r->stop)
			break;
		(void)pthread_mutex_unlock(&r->lock);
		run_portion(n, &r->slots[n->done % SLOTS].of[n->index]);
		(void)pthread_mutex_lock(&r->lock);
		n->done++;
		(void)pthread_cond_signal(&r->done);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

int rerun_start(struct runner *n)
{
	int rc = pthread_create(&n->thread, NULL, body, n);

	if (rc != 0)
		return err_set(-rc, "cannot start thread %u of the re-run: %s",
			       n->index, strerror(rc));
	n->has_thread = true;
	(void)pthread_setname_np(n->thread, "rerun");
	return 0;
}

static bool is_done(const struct rerun *r, uint64_t batch)
{
	for (uint32_t w = 0; w < r->env.n_workers; w++)
		if (r->runners[w].done <= batch)
			return false;
	return true;
}

/* Deliver batches in order until at most @left are under way. */
static void catch_up(struct rerun *r, uint64_t left)
{
	while (r->n_given - r->n_delivered > left) {
		(void)pthread_mutex_lock(&r->lock);
		while (!is_done(r, r->n_delivered))
			(void)pthread_cond_wait(&r->done, &r->lock);
		(void)pthread_mutex_unlock(&r->lock);
		deliver(r, &r->slots[r->n_delivered % SLOTS]);
	}
}

static void hand_over(struct rerun *r)
{
	struct batch *b = filling(r);
	const struct item mark = {.pos = b->last_pos, .flags = ITEM_MARK};

	if (b->n_records == 0)
		return;
	for (uint32_t w = 0; w < r->env.n_workers; w++)
		b->of[w].items[b->of[w].n++] = mark;
	if (r->env.n_workers == 1) {
		run_portion(&r->runners[0], &b->of[0]);
		deliver(r, b);
		r->n_given++;
		return;
	}
	(void)pthread_mutex_lock(&r->lock);
	r->n_given++;
	(void)pthread_cond_broadcast(&r->work);
	(void)pthread_mutex_unlock(&r->lock);
	catch_up(r, SLOTS - 1);
}

/* ---- in ---- */

static void add_for(struct portion *p, uint64_t pos, uint64_t seq,
		    const struct record *rec)
{
	struct item *it = &p->items[p->n++];

	it->pos = pos;
	it->seq = seq;
	it->commit_ns = 0;
	it->flags = ITEM_REPLAY;
	it->rec = *rec;
}

static void add_for_all(struct rerun *r, struct batch *b, uint64_t pos,
			const struct record *rec)
{
	for (uint32_t w = 0; w < r->env.n_workers; w++)
		add_for(&b->of[w], pos, 0, rec);
}

/* What an article says, as the dispatcher has it: from its text, in the log's order. */
static int add_news(struct rerun *r, struct batch *b, uint64_t pos,
		    const struct record *rec)
{
	struct event_news e;
	int rc = r->env.access == NULL
			 ? err_set(-EBADMSG, "there is nobody to ask for articles")
			 : store_access_article(r->env.access, pos, &r->article);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = newsroom_open(r->news, pos, rec, r->article.data, r->article.len);
	while (rc == 0 && newsroom_left(r->news) > 0) {
		newsroom_next(r->news, &e);
		buf_add(&b->news, &e, sizeof(e));
	}
	return rc;
}

static int add(struct rerun *r, uint64_t pos, const struct record *rec)
{
	struct batch *b = filling(r);
	struct record source;
	int rc = inband_check(&r->inband, pos, rec);

	if (rc < 0)
		return rc;
	if (inband_source(&r->inband, rec, &source)) {
		add_for_all(r, b, pos, &source);
		inband_source_told(&r->inband, rec);
	}
	if (rec->type == RECORD_NEWS)
		rc = add_news(r, b, pos, rec);
	else if (rec->type == RECORD_TICK)
		add_for(&b->of[rec->symbol_id % r->env.n_workers], pos,
			inband_seq(&r->inband, rec), rec);
	else
		add_for_all(r, b, pos, rec);
	if (rec->type == RECORD_CONTROL)
		newsroom_control(r->news, pos, rec);
	if (rc < 0)
		return rc;
	if (rec->type == RECORD_CLOCK)
		b->closes += symtab_count(r->env.symbols);
	inband_passed(&r->inband, pos, rec);
	b->last_pos = pos;
	b->n_records++;
	if (b->n_records == BATCH_RECORDS || b->closes >= BATCH_CLOSES)
		hand_over(r);
	return 0;
}

int rerun_feed(struct rerun *r, uint64_t pos, const struct record *recs, uint32_t n)
{
	for (uint32_t i = 0; i < n && r->rc == 0; i++) {
		int rc = add(r, pos + i, &recs[i]);

		if (rc < 0)
			r->rc = rc;
	}
	return r->rc;
}

int rerun_sync(struct rerun *r)
{
	if (r->rc == 0)
		hand_over(r);
	catch_up(r, 0);
	return r->rc;
}
