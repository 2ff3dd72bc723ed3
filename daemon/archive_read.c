/*
 * archive_read - the two who are waited for: the store thread, asked for pages of the
 * log, and the helper, told (archive_parts.h).
 */
#include "base/err.h"
#include "daemon/archive_parts.h"
#include "daemon/serve_catchup.h"
#include "proto/frame.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PAGE_EVENTS 32768u
#define ROUNDS_MAX  64u                /* questions to the archive, for one page */
#define CLOCK_LOOK  4096u              /* positions, of which some are ticks */
#define RANGE_MAX   ((size_t)60 << 20) /* below PIPEFRAME_BULK_MAX */

/* One page under way; ours until it is done. */
struct page_job {
	struct daemon *d;
	uint64_t complete[EVENT_KINDS];
	struct buf request;
	struct buf page;
	struct catchup_past
		past;  /* what retention took is read back from the archive */
	bool is_clock; /* how far time and log are, and no page */
	int64_t clock_ns;
	uint64_t durable_pos; /* of the log */
	int rc;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;
};

/* The highest log time among the newest records. */
ON_STORE static int newest_time(struct tickstore *ts, uint64_t last_pos, int64_t *ns)
{
	uint64_t pos = last_pos > CLOCK_LOOK ? last_pos - CLOCK_LOOK : 1;

	while (pos <= last_pos) {
		const struct record *recs = NULL;
		uint32_t n = 0;
		int rc = tickstore_peek(ts, pos, &pos, &recs, &n);

		if (rc == STORE_GONE) /* the log holds less than that */
			continue;
		if (rc != 0)
			return rc < 0 ? rc : 0;
		for (uint32_t i = 0; i < n; i++)
			if (record_has_log_time(&recs[i]) && recs[i].event_ns > *ns)
				*ns = recs[i].event_ns;
		pos += n;
	}
	return 0;
}

ON_STORE static int look_for_page(struct store_thread *st, struct page_job *j)
{
	struct past_handover_status known;
	struct catchup_env env;

	past_handover_status(j->d->handover, &known);
	if (known.bounds.is_known)
		j->past.bounds = known.bounds;
	catchup_env_of(st, j->d, j->complete, &env);
	/* What would not survive the power is not for files that do. */
	env.until_pos = j->durable_pos;
	env.past = &j->past;
	return catchup_answer(&env, j->request.data, j->request.len, &j->page);
}

static void look(struct store_thread *st, void *arg)
{
	struct page_job *j = arg;
	struct store_status s;

	role_assert_store();
	tickstore_status(store_log(st), &s);
	j->durable_pos = s.durable_pos;
	j->rc = j->is_clock ? newest_time(store_log(st), s.last_pos, &j->clock_ns)
			    : look_for_page(st, j);
	(void)pthread_mutex_lock(&j->lock);
	j->is_done = true;
	(void)pthread_cond_signal(&j->cond);
	(void)pthread_mutex_unlock(&j->lock);
}

static void ask_for(struct page_job *j, uint64_t pos, uint32_t skip, uint32_t kinds)
{
	const struct catchup_request req = {.what = CATCHUP_EVENTS,
					    .root = {.from = pos,
						     .skip = skip,
						     .limit = PAGE_EVENTS,
						     .kinds = kinds,
						     .from_type = CATCHUP_FROM_POS}};

	j->request.len = 0;
	catchup_past_deinit(&j->past);
	j->past = (struct catchup_past){0};
	catchup_request_write(&req, &j->request);
	catchup_complete(j->d, j->complete);
}

/* ---- to the helper ---- */

struct tell {
	struct catchup_past *past; /* whose question it is; NULL: ours */
	void (*take)(void *arg, const struct json *doc);
	void *arg;
	int rc;
	char why[256];
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;
};

static void told(void *arg, const struct json *doc, const void *bulk, size_t bulk_len)
{
	struct tell *t = arg;

	(void)pthread_mutex_lock(&t->lock);
	if (doc != NULL && t->past != NULL) {
		t->rc = catchup_past_take(t->past, doc, bulk, bulk_len);
		if (t->rc < 0)
			(void)snprintf(t->why, sizeof(t->why), "%s", err_text());
	} else if (doc == NULL) {
		t->rc = -EPIPE;
		(void)snprintf(t->why, sizeof(t->why),
			       "tickbus-archive did not answer");
	} else if (!json_bool(json_get(doc, "ok"), false)) {
		t->rc = -EREMOTEIO;
		(void)snprintf(t->why, sizeof(t->why), "tickbus-archive: %s",
			       json_str(json_get(doc, "error"), "it does not say why"));
	} else if (t->take != NULL) {
		t->take(t->arg, doc);
	}
	t->is_done = true;
	(void)pthread_cond_signal(&t->cond);
	(void)pthread_mutex_unlock(&t->lock);
}

ON_ARCHIVE static int ask_helper(struct daemon *d, const struct buf *doc,
				 const struct buf *bulk, struct tell *t)
{
	int rc;

	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_cond_init(&t->cond, NULL);
	rc = d->archive.ask(d->archive.to, (const char *)doc->data, doc->len,
			    bulk == NULL ? NULL : bulk->data,
			    bulk == NULL ? 0 : bulk->len, told, t);
	if (rc < 0) {
		rc = err_set(-EAGAIN, "the archive's helper takes no questions now");
	} else {
		(void)pthread_mutex_lock(&t->lock);
		while (!t->is_done)
			(void)pthread_cond_wait(&t->cond, &t->lock);
		(void)pthread_mutex_unlock(&t->lock);
		rc = t->rc < 0 ? err_set(t->rc, "%s", t->why) : 0;
	}
	(void)pthread_cond_destroy(&t->cond);
	(void)pthread_mutex_destroy(&t->lock);
	return rc;
}

int archive_ask(struct daemon *d, const struct buf *doc, const struct buf *bulk,
		void (*take)(void *arg, const struct json *doc), void *arg)
{
	struct tell t = {.take = take, .arg = arg};

	return ask_helper(d, doc, bulk, &t);
}

static void take_added(void *arg, const struct json *doc)
{
	(void)json_u64(json_get(doc, "added"), arg);
}

int archive_tell(struct daemon *d, const struct buf *doc, const struct buf *bulk,
		 uint64_t *out_added)
{
	return archive_ask(d, doc, bulk, out_added != NULL ? take_added : NULL,
			   out_added);
}

/* ---- pages ---- */

static void begin_job(struct page_job *j)
{
	(void)pthread_mutex_init(&j->lock, NULL);
	(void)pthread_cond_init(&j->cond, NULL);
}

static void end_job(struct page_job *j)
{
	(void)pthread_cond_destroy(&j->cond);
	(void)pthread_mutex_destroy(&j->lock);
	catchup_past_deinit(&j->past);
	buf_free(&j->request);
	buf_free(&j->page);
}

/* Run the request on the store thread, once. */
ON_ARCHIVE static int run_there(struct page_job *j)
{
	j->is_done = false;
	j->page.len = 0;
	if (store_post(j->d->store, look, j) != 0)
		return err_set(-EAGAIN, "the log is too busy for the archive");
	(void)pthread_mutex_lock(&j->lock);
	while (!j->is_done)
		(void)pthread_cond_wait(&j->cond, &j->lock);
	(void)pthread_mutex_unlock(&j->lock);
	return 0;
}

ON_ARCHIVE static int fetch(struct page_job *j, struct catchup_page_view *view)
{
	int rc = run_there(j);

	for (unsigned i = 0; rc == 0 && j->rc == CATCHUP_WAITS && i < ROUNDS_MAX; i++) {
		struct tell t = {.past = &j->past};

		rc = ask_helper(j->d, &j->past.doc, NULL, &t);
		if (rc == 0)
			rc = run_there(j);
	}
	if (rc < 0)
		return rc;
	if (j->rc == CATCHUP_WAITS)
		return err_set(-EAGAIN, "the archive's past has no end of questions");
	if (j->rc < 0)
		return err_set(j->rc, "the log could not be read for the archive");
	if (catchup_page_open(j->page.data, j->page.len, view) != 0)
		return err_set(-EPROTO, "a page of catch-up cannot be read");
	if (view->root.status == CATCHUP_BUSY || view->root.status == CATCHUP_REFUSED)
		return err_set(-EAGAIN, "catch-up says %s: %.64s",
			       catchup_status_name(view->root.status), view->root.text);
	return 0;
}

static void keep_frames(struct catchup_page_view *view, struct buf *out)
{
	const void *frame;
	size_t len;

	while (catchup_page_next(view, &frame, &len) == 0) {
		uint32_t n = (uint32_t)len;

		buf_add(out, &n, sizeof(n));
		buf_add(out, frame, len);
	}
}

ON_ARCHIVE static int read_pages(struct page_job *j, uint64_t pos, size_t bytes,
				 struct archive_range *out)
{
	uint64_t at = pos;
	uint32_t skip = 0;

	do {
		struct catchup_page_view view;
		int rc;

		ask_for(j, at, skip,
			1u << EVENT_TICK | 1u << EVENT_BAR | 1u << EVENT_TIER1 |
				1u << EVENT_TIER2 | 1u << EVENT_NEWS |
				1u << EVENT_STATUS);
		rc = fetch(j, &view);
		if (rc < 0)
			return rc;
		at = view.root.next_pos;
		skip = view.root.next_skip;
		out->is_end = view.root.done != 0;
		keep_frames(&view, &out->frames);
		if (out->frames.len > RANGE_MAX)
			return err_set(-EMSGSIZE,
				       "position %llu has more events than fit a frame",
				       (unsigned long long)at);
	} while (skip != 0 || (!out->is_end && out->frames.len < bytes));
	out->to_pos = at - 1;
	return 0;
}

int archive_read(struct daemon *d, uint64_t pos, size_t bytes,
		 struct archive_range *out)
{
	struct page_job j = {.d = d};
	int rc;

	out->to_pos = pos - 1;
	out->frames.len = 0;
	begin_job(&j);
	rc = read_pages(&j, pos, bytes, out);
	end_job(&j);
	return rc;
}

int archive_clock(struct daemon *d, int64_t *ns, uint64_t *out_pos)
{
	struct page_job j = {.d = d, .is_clock = true, .clock_ns = *ns};
	int rc;

	begin_job(&j);
	rc = run_there(&j);
	if (rc == 0 && j.rc < 0)
		rc = err_set(j.rc, "the log's newest records cannot be read");
	*ns = j.clock_ns;
	*out_pos = j.durable_pos;
	end_job(&j);
	return rc;
}
