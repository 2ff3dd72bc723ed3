/* page_live - see page_live.h. */
#include "daemon/page_live.h"
#include "base/clock.h"
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/board.h"
#include "daemon/job_progress_board.h"
#include <stdlib.h>
#include <string.h>

#define FRAME_MS   250u
#define TOP_FRAMES 4u  /* what `top` says is told in every so manieth frame */
#define JOBS_MAX   16u /* jobs whose progress is told, the newest of those that run */

struct reader {
	struct http_stream *stream; /* NULL: free */
	bool wants_all;             /* new, or it missed a frame */
};

struct page_live {
	struct daemon *daemon; /* borrowed */
	struct board *board;   /* owned */
	uv_timer_t timer;
	struct reader readers[PAGE_READERS_MAX];
	unsigned n_readers;
	unsigned n_frames;
	uint64_t jobs_told; /* their changes, when they were last told to all */
	struct buf top;     /* the answer of `top`, of up to TOP_FRAMES ago */
	struct buf frame;   /* "data: {...}\n\n" */
};

static void on_timer(uv_timer_t *t);

int page_live_new(struct daemon *d, struct page_live **out)
{
	const struct board_env env = {.bus = d->bus,
				      .symbols = d->symbols,
				      .sources = d->sources,
				      .publisher = d->publisher,
				      .symbols_max = d->config.limits.symbols_max,
				      .wall = d->config.live.clock == CONFIG_WALL};
	struct page_live *p = calloc(1, sizeof(*p));
	int rc;

	if (p == NULL)
		return err_set(-ENOMEM, "out of memory for the page");
	p->daemon = d;
	p->jobs_told = UINT64_MAX;
	rc = board_new(&env, &p->board);
	if (rc < 0) {
		free(p);
		return rc;
	}
	(void)uv_timer_init(&d->loop, &p->timer);
	p->timer.data = p;
	*out = p;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	struct page_live *p = h->data;

	role_assert_loop();
	board_free(p->board);
	buf_free(&p->top);
	buf_free(&p->frame);
	free(p);
}

void page_live_close(struct page_live *p)
{
	if (p == NULL)
		return;
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

unsigned page_live_readers(const struct page_live *p)
{
	return p == NULL ? 0 : p->n_readers;
}

struct board *page_live_board(struct page_live *p)
{
	return p == NULL ? NULL : p->board;
}

/* ---- frames ---- */

static void take_top(void *arg, const void *line, size_t len)
{
	struct page_live *p = arg;

	p->top.len = 0;
	buf_add(&p->top, line, len);
}

/* A row: id, symbols in all, done, failed, cancelled. */
ON_LOOP static void put_jobs(const struct job_progress_running *r, struct jsonw *w)
{
	jsonw_object(w, "jobs");
	jsonw_u64(w, "set", r->set);
	jsonw_array(w, "running");
	for (size_t i = 0; i < r->n && i < JOBS_MAX; i++) {
		const struct job_progress *j = &r->jobs[i];

		jsonw_array(w, NULL);
		jsonw_u64(w, NULL, j->id);
		jsonw_u64(w, NULL, j->total);
		jsonw_u64(w, NULL, j->done);
		jsonw_u64(w, NULL, j->failed);
		jsonw_u64(w, NULL, j->cancelled);
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_end(w);
}

/* A whole frame has all of it, so that a new page is not empty for a second. */
ON_LOOP static void make_frame(struct page_live *p, bool full, bool has_top)
{
	struct job_progress_running jobs;
	int64_t now_ns = clock_wall_ns();
	struct jsonw w;

	p->frame.len = 0;
	buf_add(&p->frame, "data: ", 6);
	jsonw_init(&w, &p->frame);
	jsonw_object(&w, NULL);
	jsonw_i64(&w, "now_ms", now_ns / NS_PER_MS);
	jsonw_bool(&w, "full", full);
	if (has_top)
		jsonw_raw(&w, "top", (const char *)p->top.data, p->top.len);
	if (job_progress_board_running(p->daemon->progress, &jobs) &&
	    (full || jobs.changes != p->jobs_told))
		put_jobs(&jobs, &w);
	board_rows(p->board, &w, full, now_ns);
	jsonw_end(&w);
	buf_add(&p->frame, "\n\n", 2);
}

/* To the readers whose bit is in @mask; who cannot take it wants all at the next. */
ON_LOOP static void give(struct page_live *p, bool full, bool has_top, uint32_t mask)
{
	if (mask == 0)
		return;
	make_frame(p, full, has_top);
	for (size_t i = 0; i < PAGE_READERS_MAX; i++) {
		struct reader *r = &p->readers[i];

		if ((mask >> i & 1) != 0)
			r->wants_all = !http_stream_push(r->stream, p->frame.data,
							 p->frame.len);
	}
}

static void on_timer(uv_timer_t *t)
{
	struct page_live *p = t->data;
	bool is_due = p->n_frames++ % TOP_FRAMES == 0;
	struct job_progress_running jobs;
	uint32_t all = 0, changes = 0;

	role_assert_loop();
	for (size_t i = 0; i < PAGE_READERS_MAX; i++) {
		if (p->readers[i].stream != NULL && p->readers[i].wants_all)
			all |= UINT32_C(1) << i;
		else if (p->readers[i].stream != NULL)
			changes |= UINT32_C(1) << i;
	}
	if (is_due)
		admin_ask(daemon_admin, p->daemon, "top", NULL, take_top, p);
	/* The full ones first: they see the changes without taking them away. */
	give(p, true, true, all);
	give(p, false, is_due, changes);
	if (job_progress_board_running(p->daemon->progress, &jobs))
		p->jobs_told = jobs.changes;
}

/* ---- readers ---- */

static void on_gone(void *arg, struct http_stream *s)
{
	struct page_live *p = arg;

	role_assert_loop();
	for (size_t i = 0; i < PAGE_READERS_MAX; i++) {
		if (p->readers[i].stream == s) {
			p->readers[i].stream = NULL;
			p->n_readers--;
		}
	}
	if (p->n_readers == 0)
		(void)uv_timer_stop(&p->timer);
}

void page_live_join(struct page_live *p, struct http_request *r)
{
	static const char full[] = "too many pages are open; close one\n";
	struct reader *place = NULL;

	for (size_t i = 0; i < PAGE_READERS_MAX && place == NULL; i++) {
		if (p->readers[i].stream == NULL)
			place = &p->readers[i];
	}
	if (place == NULL) {
		http_answer(r, 503, "text/plain; charset=utf-8", full, strlen(full));
		return;
	}
	place->stream = http_stream_open(r, "text/event-stream", on_gone, p);
	if (place->stream == NULL)
		return;
	place->wants_all = true;
	if (p->n_readers == 0)
		p->n_frames = 0; /* the last answer is old */
	if (p->n_readers++ == 0)
		(void)uv_timer_start(&p->timer, on_timer, 0, FRAME_MS);
}
