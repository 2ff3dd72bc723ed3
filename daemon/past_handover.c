/* past_handover - see past_handover.h. */
#include "daemon/past_handover.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "bus/stats.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META_KEY  "past.counts"
#define BULK_MAX  ((size_t)32 << 20)
#define NS_PER_S  INT64_C(1000000000)
#define PAGES_MAX 64 /* one position may be larger than a page */

/* What came back, written by whoever brings it. */
struct came {
	bool is_one; /* else no answer came */
	bool is_ok;
	uint64_t epoch;
	uint64_t first_pos;
	uint64_t complete_pos;
	uint64_t added;
	char why[200];
};

struct past_handover {
	struct past_handover_env env;
	struct past_handover_status status;
	struct came came;     /* valid when has_come */
	atomic_bool has_come; /* release and acquire of `came` */
	bool is_asking;
	bool is_posted;
	bool is_hurried;
	bool is_anew; /* a new epoch: everything that is held is handed over again */
	int64_t not_before_ns;
	int64_t put_ns;   /* when the last put was begun */
	int64_t saved_ns; /* when counts were saved last */
	int64_t well_ns;  /* when the archive answered last */
	struct buf bulk;
	struct buf page;
};

ON_STORE static void hold(struct past_handover *h, uint64_t pos)
{
	h->status.hold_pos = pos;
	tickstore_hold_set(h->env.store, pos);
}

/* ---- counts, saved with the log ---- */

struct counts_head {
	uint64_t pos;
	uint64_t n;
};

ON_STORE static void load_counts(struct past_handover *h)
{
	struct counts_head head;
	const void *data;
	uint64_t *counts;
	size_t len;

	hold(h, 1);
	if (tickstore_meta_get(h->env.store, META_KEY, &data, &len) != 0 ||
	    len < sizeof(head))
		return;
	memcpy(&head, data, sizeof(head));
	if (head.n > h->env.symbols_max ||
	    len != sizeof(head) + head.n * sizeof(*counts))
		return;
	counts = calloc(head.n + 1, sizeof(*counts));
	if (counts == NULL)
		return;
	memcpy(counts, (const uint8_t *)data + sizeof(head), head.n * sizeof(*counts));
	tick_index_pin(h->env.ticks, head.pos, counts, (uint32_t)head.n);
	free(counts);
	hold(h, head.pos + 1);
}

/* The newest counts at or before the archive's end become those to count on from. */
ON_STORE static void save_counts(struct past_handover *h, int64_t now_ns)
{
	uint64_t *counts = calloc(h->env.symbols_max, sizeof(*counts));
	struct counts_head head = {0};
	struct buf b = {0};

	h->saved_ns = now_ns;
	if (counts == NULL ||
	    tick_index_at(h->env.ticks, h->status.bounds.complete_pos, counts,
			  &head.pos) != 0 ||
	    head.pos + 1 <= h->status.hold_pos) {
		free(counts);
		return;
	}
	head.n = h->env.symbols_max;
	while (head.n > 0 && counts[head.n - 1] == 0)
		head.n--;
	buf_add(&b, &head, sizeof(head));
	buf_add(&b, counts, head.n * sizeof(*counts));
	if (tickstore_meta_put(h->env.store, META_KEY, b.data, b.len) == 0) {
		tick_index_pin(h->env.ticks, head.pos, counts, (uint32_t)head.n);
		hold(h, head.pos + 1);
	}
	buf_free(&b);
	free(counts);
}

/* ---- answers ---- */

static void on_answer(void *arg, const struct json *doc, const void *bulk,
		      size_t bulk_len)
{
	struct past_handover *h = arg;
	struct came *c = &h->came;

	(void)bulk, (void)bulk_len;
	*c = (struct came){.is_one = doc != NULL};
	c->is_ok = json_bool(json_get(doc, "ok"), false);
	if (c->is_ok && (json_u64(json_get(doc, "epoch"), &c->epoch) < 0 ||
			 json_u64(json_get(doc, "first_pos"), &c->first_pos) < 0 ||
			 json_u64(json_get(doc, "complete_pos"), &c->complete_pos) < 0))
		c->is_ok = false;
	(void)json_u64(json_get(doc, "added"), &c->added);
	(void)snprintf(c->why, sizeof(c->why), "%s",
		       json_str(json_get(doc, "error"), "no answer came"));
	atomic_store(&h->has_come, true);
}

ON_STORE static void fail(struct past_handover *h, const char *why, int64_t now_ns)
{
	struct past_handover_status *s = &h->status;

	if (!s->is_failing)
		log_err("archive",
			"events cannot be handed over: %s; log and store keep them "
			"meanwhile",
			why);
	s->is_failing = true;
	s->failures++;
	stats_add(STAT_ARCHIVE_EVENT_FAILURES, 1);
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	s->bounds.is_known = false;
	h->not_before_ns = now_ns + h->env.retry_ns;
	if (s->hold_pos != UINT64_MAX && now_ns - h->well_ns > h->env.patience_ns) {
		log_err("archive",
			"events could not be handed over for %lld s: retention goes on "
			"without, and the archive will have a hole",
			(long long)(h->env.patience_ns / NS_PER_S));
		hold(h, UINT64_MAX);
	}
}

ON_STORE static void take_answer(struct past_handover *h, int64_t now_ns)
{
	struct past_handover_status *s = &h->status;
	const struct came *c = &h->came;

	h->is_asking = false;
	if (!c->is_one || !c->is_ok) {
		fail(h, c->why, now_ns);
		return;
	}
	if (c->epoch > h->env.epoch) {
		fail(h, "the archive knows a later epoch than the log: it is another's",
		     now_ns);
		return;
	}
	if (s->is_failing)
		log_info("archive", "events are handed over again");
	s->is_failing = false;
	s->why[0] = '\0';
	s->handed += c->added;
	s->bounds = (struct past_bounds){c->first_pos, c->complete_pos, true};
	h->is_anew = c->epoch < h->env.epoch && c->complete_pos > 0;
	h->well_ns = now_ns;
	if (s->hold_pos == UINT64_MAX)
		load_counts(h);
	if (now_ns - h->saved_ns >= h->env.save_ns)
		save_counts(h, now_ns);
}

/* ---- questions ---- */

ON_STORE static void ask(struct past_handover *h, const struct buf *doc, int64_t now_ns)
{
	const struct archive_asker *a = &h->env.asker;
	int rc = a->ask(a->to, (const char *)doc->data, doc->len, h->bulk.data,
			h->bulk.len, on_answer, h);

	if (rc < 0)
		fail(h, err_text(), now_ns);
	else
		h->is_asking = true;
}

ON_STORE static void ask_status(struct past_handover *h, int64_t now_ns)
{
	struct buf doc = {0};

	h->bulk.len = 0;
	buf_printf(&doc, "{\"do\":\"past_status\"}");
	ask(h, &doc, now_ns);
	buf_free(&doc);
}

ON_STORE static void ask_put(struct past_handover *h, uint64_t from, uint64_t to,
			     int64_t now_ns)
{
	struct store_status log;
	struct buf doc = {0};
	char id[24];
	struct jsonw w;

	tickstore_status(h->env.store, &log);
	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "put_past");
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)log.store_id);
	jsonw_str(&w, "log", id);
	jsonw_u64(&w, "epoch", h->env.epoch);
	jsonw_u64(&w, "from_pos", from);
	jsonw_u64(&w, "to_pos", to);
	jsonw_end(&w);
	h->put_ns = now_ns;
	ask(h, &doc, now_ns);
	buf_free(&doc);
}

/* Append the frames of @page to the bulk. */
static void add_frames(struct past_handover *h, struct catchup_page_view *page)
{
	const void *frame;
	size_t len;

	while (catchup_page_next(page, &frame, &len) == 0) {
		uint32_t n = (uint32_t)len;

		buf_add(&h->bulk, &n, sizeof(n));
		buf_add(&h->bulk, frame, len);
	}
}

/*
 * Pages from @from on, until they end with a whole position; *@from is moved to where
 * all kinds are held.  0; -EAGAIN: not now.
 */
ON_STORE static int collect(struct past_handover *h, uint64_t *from, uint64_t until,
			    uint64_t *next)
{
	struct catchup_request req = {
		.root = {.from_type = CATCHUP_FROM_POS, .from = *from}};

	h->bulk.len = 0;
	for (int i = 0; i < PAGES_MAX && h->bulk.len < BULK_MAX; i++) {
		struct catchup_page_view page;
		int rc;

		h->page.len = 0;
		rc = h->env.page(h->env.arg, &req, until, &h->page);
		if (rc < 0)
			return rc;
		if (catchup_page_open(h->page.data, h->page.len, &page) != 0 ||
		    page.root.status > CATCHUP_GONE)
			return err_set(-EAGAIN, "no page could be made: %.64s",
				       page.root.text);
		if (i == 0 && page.root.first_held_pos > *from) {
			*from = req.root.from = page.root.first_held_pos;
			continue;
		}
		add_frames(h, &page);
		*next = page.root.next_pos;
		if (page.root.next_skip == 0)
			return 0;
		req.root.from = page.root.next_pos;
		req.root.skip = page.root.next_skip;
	}
	return err_set(-E2BIG, "position %llu has more events than the archive takes",
		       (unsigned long long)req.root.from);
}

void past_handover_work(struct past_handover *h, int64_t now_ns)
{
	uint64_t from = h->is_anew ? 1 : h->status.bounds.complete_pos + 1;
	uint64_t next = 0;
	struct store_status log;
	int rc;

	h->is_posted = false;
	if (h->is_asking || !h->status.bounds.is_known)
		return;
	tickstore_status(h->env.store, &log);
	rc = collect(h, &from, log.durable_pos, &next);
	if (rc < 0) {
		fail(h, err_text(), now_ns);
		return;
	}
	if (next > from)
		ask_put(h, from, next - 1, now_ns);
	else
		h->is_hurried = false;
	h->not_before_ns = now_ns; /* the next page at once */
}

ON_STORE static bool is_worth_it(const struct past_handover *h, int64_t now_ns)
{
	uint64_t ahead = h->status.bounds.complete_pos;
	struct store_status log;

	tickstore_status(h->env.store, &log);
	if (log.durable_pos <= ahead && !h->is_anew)
		return false;
	return h->is_hurried || h->is_anew || log.durable_pos - ahead >= h->env.few ||
	       now_ns - h->put_ns >= h->env.wait_ns;
}

void past_handover_step(struct past_handover *h, int64_t now_ns)
{
	struct past_handover_status *s = &h->status;

	if (h->well_ns == 0)
		h->well_ns = now_ns;
	if (atomic_load(&h->has_come)) {
		take_answer(h, now_ns);
		atomic_store(&h->has_come, false);
	}
	if (h->is_asking || h->is_posted || now_ns < h->not_before_ns)
		return;
	/* Of what was handed over last nothing may follow for long: let it go, too. */
	if (s->bounds.is_known && s->hold_pos <= s->bounds.complete_pos &&
	    now_ns - h->saved_ns >= h->env.save_ns)
		save_counts(h, now_ns);
	if (!s->bounds.is_known) {
		ask_status(h, now_ns);
		return;
	}
	s->is_behind = is_worth_it(h, now_ns);
	if (s->is_behind)
		h->is_posted = h->env.post(h->env.arg);
}

void past_handover_hurry(struct past_handover *h)
{
	h->is_hurried = true;
}

void past_handover_status(const struct past_handover *h,
			  struct past_handover_status *out)
{
	*out = h->status;
}

static int64_t or (int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

int past_handover_new(const struct past_handover_env *env, struct past_handover **out)
{
	struct past_handover *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the archive's hand-over");
	h->env = *env;
	h->env.few = env->few > 0 ? env->few : 8192;
	h->env.wait_ns = or (env->wait_ns, 10 * NS_PER_S);
	h->env.save_ns = or (env->save_ns, 5 * NS_PER_S);
	h->env.retry_ns = or (env->retry_ns, NS_PER_S);
	h->env.patience_ns = or (env->patience_ns, 86400 * NS_PER_S);
	load_counts(h);
	*out = h;
	return 0;
}

void past_handover_free(struct past_handover *h)
{
	if (h == NULL)
		return;
	buf_free(&h->bulk);
	buf_free(&h->page);
	free(h);
}
