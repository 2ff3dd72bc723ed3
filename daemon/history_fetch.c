/*
 * history_fetch - from FEED to HISTORY: a page is copied as the store wants it and
 * posted; the thread that waits for pages holds FEED back while it has enough of them.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/history_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 16
#define BYTES_MAX ((size_t)16 << 20)

/* One question under way: what FEED knows of it. */
struct question {
	struct history_thread *thread;
	uint32_t slot;
	uint32_t generation;
	char name[SYMBOL_MAX + 1];
	const char *symbols[1];
};

/* One answer under way. */
struct parcel {
	struct history_thread *thread;
	struct jobs_news news;
	size_t bytes; /* counted */
};

bool history_is_full(void *thread)
{
	struct history_thread *t = thread;

	return atomic_load(&t->pages) >= PAGES_MAX ||
	       atomic_load(&t->page_bytes) >= BYTES_MAX;
}

static void parcel_free(struct parcel *p)
{
	buf_free(&p->news.bars);
	buf_free(&p->news.articles);
	buf_free(&p->news.actions);
	free(p);
}

static int take_parcel(struct history_thread *t, void *arg)
{
	struct parcel *p = arg;

	role_assert_history();
	/* Questions that FEED ends because it stops have not failed. */
	if (atomic_load(&t->is_quiet) && p->news.state != FETCH_PAGE)
		return 0;
	return jobs_take(t->jobs, &p->news, clock_wall_ns());
}

/* Written or not: its memory is free, and FEED may go on. */
static void drop_parcel(void *arg, int rc)
{
	struct parcel *p = arg;
	struct history_thread *t = p->thread;
	bool was_full = history_is_full(t);

	(void)rc;
	if (p->news.state == FETCH_PAGE) {
		atomic_fetch_sub(&t->pages, 1);
		atomic_fetch_sub(&t->page_bytes, p->bytes);
	}
	if (was_full && !history_is_full(t) && !atomic_load(&t->is_quiet))
		feed_thread_wake(t->feed);
	parcel_free(p);
}

/* Without the number of the symbol, which is always the first. */
static void copy_bars(const struct vendor_page *page, struct buf *out)
{
	const struct vendor_bar *from =
		(const struct vendor_bar *)(void *)page->bars.data;
	size_t n = page->bars.len / sizeof(*from);
	struct hist_bar *to =
		(struct hist_bar *)(void *)buf_reserve(out, n * sizeof(*to));

	for (size_t i = 0; i < n; i++)
		to[i] = from[i].bar;
	out->len += n * sizeof(*to);
}

static struct parcel *pack(const struct question *q, const struct fetch_news *n)
{
	struct parcel *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->thread = q->thread;
	p->news.slot = q->slot;
	p->news.generation = q->generation;
	p->news.state = n->state;
	p->news.requests = n->requests;
	p->news.problem = n->problem;
	if (n->state != FETCH_PAGE)
		return p;
	p->news.is_last = n->page->next[0] == '\0';
	memcpy(p->news.currency, n->page->currency, sizeof(p->news.currency));
	copy_bars(n->page, &p->news.bars);
	buf_add(&p->news.articles, n->page->articles.data, n->page->articles.len);
	buf_add(&p->news.actions, n->page->actions.data, n->page->actions.len);
	p->bytes = p->news.bars.cap + p->news.articles.cap + p->news.actions.cap;
	atomic_fetch_add(&p->thread->pages, 1);
	atomic_fetch_add(&p->thread->page_bytes, p->bytes);
	return p;
}

static int on_news(void *arg, const struct fetch_news *n)
{
	struct question *q = arg;
	struct history_thread *t = q->thread;
	struct parcel *p = pack(q, n);

	role_assert_feed();
	if (n->state != FETCH_PAGE)
		free(q);
	/*
	 * The box has room for all that can be under way: PAGES_MAX, an answer for each
	 * connection, and the end of each slot's question.
	 */
	if (p == NULL || history_ask(t, take_parcel, drop_parcel, p) != 0) {
		log_err("history", "an answer of a vendor was lost for want of memory; "
				   "ending the process, the next start asks again");
		abort();
	}
	return 0;
}

int history_fetch_ask(void *arg, const char *vendor, const struct vendor_ask *ask,
		      uint32_t slot, uint32_t generation, uint64_t *out_id)
{
	struct history_thread *t = arg;
	struct question *q = calloc(1, sizeof(*q));
	struct vendor_ask ours = *ask;
	int rc;

	if (q == NULL)
		return err_set(-EAGAIN, "out of memory for a question");
	*q = (struct question){.thread = t, .slot = slot, .generation = generation};
	memcpy(q->name, ask->symbols[0], strnlen(ask->symbols[0], SYMBOL_MAX));
	q->symbols[0] = q->name;
	ours.symbols = q->symbols;
	rc = feed_thread_ask(t->feed, vendor, &ours, on_news, q, out_id);
	if (rc < 0)
		free(q);
	return rc;
}

void history_fetch_cancel(void *arg, uint64_t id)
{
	struct history_thread *t = arg;

	feed_thread_cancel(t->feed, id);
}

const struct vendor_ops *history_fetch_ops(void *arg, const char *vendor)
{
	struct history_thread *t = arg;
	const struct feed_vendor *v = feed_thread_vendor(t->feed, vendor);

	return v == NULL ? NULL : v->ops;
}
