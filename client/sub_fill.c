/*
 * sub_fill - history and holes, fetched page by page.
 *
 * Pages that follow each other leave nothing out: so whatever of a stream a page
 * shows to be missing is not held any more, and a hole that pages have passed
 * (next_pos beyond the event that showed it) is as full as it will ever be.  Before
 * that catch-up has just not come so far: it is asked again until it gets no
 * further for as long as our patience.
 *
 * The next page is asked for before the one at hand is read.
 *
 * Pages of a history or a kind may themselves show a hole: events that the kill switch
 * withheld when the page before was made.  They are fetched by their numbers, and then
 * the page is asked for once more.
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include <errno.h>
#include <stdlib.h>

#define RETRY_MS 50

/* Catch-up has shown a sign of life: patience begins anew. */
static void be_patient(struct tickbus_sub *sub)
{
	sub->pages.until_ns = clock_mono_ns() + sub->options.patience_ms * NS_PER_MS;
}

static void begin(struct tickbus_sub *sub, enum sub_fill fill)
{
	struct sub_pages *p = &sub->pages;

	sub->fill = fill;
	fetch_drop(&p->fetch); /* of a fill that this one takes the place of */
	p->count = p->hash = p->seen_pos = 0;
	p->retry_at_ns = 0;
	p->is_begun = false;
	be_patient(sub);
}

void sub_fill_history(struct tickbus_sub *sub)
{
	begin(sub, FILL_HISTORY);
}

void sub_fill_hole(struct tickbus_sub *sub, const struct stream *st, uint64_t last_seq,
		   uint64_t pos)
{
	struct sub_pages *p = &sub->pages;

	begin(sub, FILL_HOLE);
	p->hole = (struct catchup_stream){.from_seq = st->last_seq + 1,
					  .to_seq = last_seq,
					  .timeframe_s = st->timeframe_s,
					  .kind = st->kind};
	memcpy(p->hole.symbol, st->symbol, SYMBOL_MAX);
	p->hole_pos = pos;
	p->next = (struct catchup_root){.kinds = 1u << st->kind,
					.from_type = CATCHUP_FROM_SEQ};
}

int sub_fill_instead(struct tickbus_sub *sub, const struct stream *st,
		     const struct event_head *h)
{
	struct sub_pages *p = &sub->pages;

	p->back = sub->fill;
	p->back_root = p->now;
	p->back_pos = p->hole_pos;
	sub_fill_hole(sub, st, h->seq - 1, h->pos);
	p->is_open = false;
	sub_source_clear(&p->frame);
	return SUB_IDLE;
}

void sub_fill_back(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;

	if (p->back == FILL_NONE)
		return;
	begin(sub, p->back);
	p->back = FILL_NONE;
	p->next = p->back_root;
	p->hole_pos = p->back_pos;
	p->count = p->next.count;
	p->hash = p->next.hash;
	p->is_begun = true; /* what is cut off at its beginning was told */
}

void sub_fill_kind(struct tickbus_sub *sub, enum event_kind kind, uint64_t pos)
{
	struct sub_pages *p = &sub->pages;

	begin(sub, FILL_KIND);
	p->kind = kind;
	p->hole_pos = pos;
	p->met = (struct catchup_stream){0};
	p->next = (struct catchup_root){.kinds = 1u << kind,
					.from_type = CATCHUP_FROM_POS,
					.from = sub->beat[kind].good_pos + 1};
}

/* History asks for the symbols wanted; beyond the limit all come and we filter. */
static void add_wanted(const struct tickbus_sub *sub, struct buf *streams,
		       uint32_t *out_n)
{
	if (sub->wanted.n > CATCHUP_STREAMS_MAX)
		return;
	for (size_t i = 0; i < sub->wanted.cap; i++) {
		struct catchup_stream s = {.kind = CATCHUP_ANY_KIND};

		if (!sub->wanted.slots[i].is_used)
			continue;
		memcpy(s.symbol, sub->wanted.slots[i].symbol, SYMBOL_MAX);
		buf_add(streams, &s, sizeof(s));
		++*out_n;
	}
}

static int ask(struct tickbus_sub *sub)
{
	struct catchup_request req = {.what = CATCHUP_EVENTS, .root = sub->pages.next};
	struct buf streams = {0}, out = {0};
	int rc;

	if (sub->fill == FILL_HOLE) {
		buf_add(&streams, &sub->pages.hole, sizeof(sub->pages.hole));
		req.n_streams = 1;
	} else {
		add_wanted(sub, &streams, &req.n_streams);
	}
	req.streams = (void *)streams.data;
	catchup_request_write(&req, &out);
	rc = fetch_begin(&sub->pages.fetch, out.data, out.len);
	buf_free(&streams);
	buf_free(&out);
	return rc;
}

static void retry_later(struct tickbus_sub *sub)
{
	sub->pages.retry_at_ns = clock_mono_ns() + RETRY_MS * NS_PER_MS;
	sub_wake_at(sub, sub->pages.retry_at_ns);
}

/* What a page's status means: 0 or < 0. */
static int judge(const struct catchup_page_root *root)
{
	int len = (int)symbol_field_len(root->text, sizeof(root->text));

	switch (root->status) {
	case CATCHUP_OK:
	case CATCHUP_GONE: /* what is missing shows in the pages themselves */
		return 0;
	case CATCHUP_BUSY:
		return err_set(-EAGAIN, "catch-up is busy: %.*s", len, root->text);
	default:
		return err_set(-EPROTO, "catch-up refused: %.*s", len, root->text);
	}
}

/* Where the page after the one at hand begins. */
static void set_next(struct sub_pages *p)
{
	const struct catchup_page_root *root = &p->page.root;

	p->next.from_type = root->next_from;
	p->next.from = root->next_pos;
	p->next.skip = root->next_skip;
	p->next.count = root->count;
	p->next.hash = root->hash;
}

static int open_page(struct tickbus_sub *sub, struct splink_msg *msg)
{
	struct sub_pages *p = &sub->pages;
	int rc = catchup_page_open(msg->data + REQSOCK_ID_LEN,
				   msg->len - REQSOCK_ID_LEN, &p->page);

	rc = rc ? err_set(-EPROTO, "catch-up sent no page") : judge(&p->page.root);
	if (rc < 0) {
		free(msg);
		return rc;
	}
	sub_source_clear(&p->frame);
	p->frame.msg = msg;
	p->frame.is_loaded = true;
	p->is_open = true;
	if (sub->epoch == 0)
		sub->epoch = p->page.root.epoch;
	p->is_snapshot = p->next.from_type == CATCHUP_FROM_SNAPSHOT;
	if (p->page.root.next_pos > p->seen_pos) {
		p->seen_pos = p->page.root.next_pos;
		be_patient(sub);
	}
	return 0;
}

/* No page came.  Try again while patience lasts; a refusal stays one. */
static int on_failure(struct tickbus_sub *sub, int rc)
{
	bool is_final = rc == -EPROTO || clock_mono_ns() >= sub->pages.until_ns ||
			(rc == -ETIMEDOUT && sub->fill == FILL_HISTORY);

	if (!is_final) {
		retry_later(sub);
		return SUB_IDLE;
	}
	if (sub->fill != FILL_HISTORY)
		return SUB_HOLE_OVER;
	be_patient(sub); /* whoever calls again tries again */
	return rc;
}

/* The first page of a history may say that what was asked for begins too early. */
static bool is_cut_off(const struct tickbus_sub *sub, uint8_t from_type)
{
	const struct sub_pages *p = &sub->pages;

	return sub->fill == FILL_HISTORY && !p->is_begun &&
	       p->page.root.status == CATCHUP_GONE &&
	       (from_type == CATCHUP_FROM_POS || from_type == CATCHUP_FROM_TIME);
}

int sub_fill_step(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;
	uint8_t from_type = p->next.from_type;
	struct splink_msg *msg = NULL;
	int rc = fetch_poll(&p->fetch, &msg);

	if (rc == FETCH_NONE) {
		if (clock_mono_ns() < p->retry_at_ns)
			return SUB_IDLE;
		rc = ask(sub);
		return rc < 0 ? on_failure(sub, rc) : SUB_IDLE;
	}
	if (rc == FETCH_RUNNING)
		return SUB_IDLE;
	if (rc == 0)
		rc = open_page(sub, msg);
	if (rc < 0)
		return on_failure(sub, rc);
	rc = is_cut_off(sub, from_type) ? SUB_GONE : SUB_PAGE;
	p->now = p->next;
	set_next(p);
	if (!p->page.root.done)
		(void)ask(sub); /* if it fails, sub_fill_step() asks */
	return rc;
}

void sub_fill_sum(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;

	p->count++;
	p->hash = catchup_hash(p->hash, p->frame.frame.kind, &p->frame.event.head);
}

/* Did everything arrive that catch-up gave?  0, or -EBADMSG and its word is taken. */
static int check_sum(struct tickbus_sub *sub)
{
	const struct catchup_page_root *root = &sub->pages.page.root;
	struct sub_pages *p = &sub->pages;
	int rc = 0;

	if (p->count != root->count || p->hash != root->hash) {
		sub->counts.sum_breaks++;
		rc = err_set(-EBADMSG,
			     "catch-up gave %llu events with hash %016llx, what came "
			     "is %llu with %016llx: ask for that part again",
			     (unsigned long long)root->count,
			     (unsigned long long)root->hash,
			     (unsigned long long)p->count, (unsigned long long)p->hash);
	}
	p->count = root->count;
	p->hash = root->hash;
	return rc;
}

static bool is_filled(const struct tickbus_sub *sub)
{
	const struct catchup_stream *h = &sub->pages.hole;
	const struct stream *st = streams_find(&sub->streams, (enum event_kind)h->kind,
					       h->symbol, h->timeframe_s);

	return st->last_seq >= h->to_seq;
}

/* After the last page there is for now. */
static int end_hole(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;
	if (p->page.root.next_pos > p->hole_pos || clock_mono_ns() >= p->until_ns ||
	    (sub->fill == FILL_HOLE && is_filled(sub)))
		return SUB_HOLE_OVER;
	retry_later(sub);
	return SUB_IDLE;
}

int sub_fill_turn(struct tickbus_sub *sub)
{
	struct sub_pages *p = &sub->pages;
	bool done = p->page.root.done;
	int rc = check_sum(sub);

	sub_meet_held(sub);
	p->is_open = false;
	p->is_begun = true;
	sub_source_clear(&p->frame);
	if (rc < 0 || !done)
		return rc < 0 ? rc : SUB_IDLE;
	if (sub->fill != FILL_HISTORY)
		return end_hole(sub);
	sub->base_pos = p->page.root.next_pos;
	sub_beat_begin(sub);
	return TICKBUS_LIVE;
}
