/* store_access - see store_access.h. */
#include "daemon/store_access.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/parker.h"
#include <stdio.h>

#define FULL_NS (2 * NS_PER_MS) /* the box is full: the live path comes first */

static void run(struct store_piece *p, struct tickstore *ts)
{
	p->rc = p->fn(ts, p->arg);
	if (p->rc < 0)
		(void)snprintf(p->text, sizeof(p->text), "%s", err_text());
}

void store_piece_run(struct store_piece *p, struct tickstore *ts)
{
	run(p, ts);
	(void)pthread_mutex_lock(&p->lock);
	p->is_done = true;
	(void)pthread_cond_signal(&p->done);
	(void)pthread_mutex_unlock(&p->lock);
}

void store_access_start(const struct store_access *a, struct store_piece *p,
			store_piece_fn fn, void *arg)
{
	struct parker room;

	*p = (struct store_piece){.access = a, .fn = fn, .arg = arg};
	if (a->store != NULL) {
		run(p, a->store);
		return;
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->done, NULL);
	parker_init(&room);
	while (!a->post(a->to, p)) {
		parker_prepare(&room);
		parker_wait(&room, FULL_NS);
	}
}

int store_access_wait(struct store_piece *p)
{
	if (p->access->store == NULL) {
		(void)pthread_mutex_lock(&p->lock);
		while (!p->is_done)
			(void)pthread_cond_wait(&p->done, &p->lock);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_cond_destroy(&p->done);
		(void)pthread_mutex_destroy(&p->lock);
	}
	return p->rc < 0 ? err_set(p->rc, "%s", p->text) : p->rc;
}

int store_access_run(const struct store_access *a, store_piece_fn fn, void *arg)
{
	struct store_piece p;

	store_access_start(a, &p, fn, arg);
	return store_access_wait(&p);
}

struct article_read {
	uint64_t pos;
	struct buf *out;
};

static int read_article(struct tickstore *ts, void *arg)
{
	struct article_read *r = arg;
	const void *text;
	size_t len;
	int rc;

	role_assert_store();
	rc = tickstore_article(ts, r->pos, &text, &len);
	if (rc == 0)
		buf_add(r->out, text, len);
	return rc;
}

int store_access_article(const struct store_access *a, uint64_t pos, struct buf *out)
{
	struct article_read r = {pos, out};

	out->len = 0;
	return store_access_run(a, read_article, &r);
}
