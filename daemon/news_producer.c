/* news_producer - see news_producer.h. */
#include "daemon/news_producer.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mailbox.h"
#include "proto/article.h"
#include "proto/event.h"
#include <stdio.h>
#include <string.h>

#define AGAIN_NS    (200 * NS_PER_MS)
#define BATCH_MAX   1000u
#define BATCH_BYTES (256u << 10)
#define HEAD_MAX    (1u << 20) /* bytes that have left, before the rest is moved */

enum news_reply { REPLY_NONE = 0, REPLY_DONE, REPLY_AGAIN, REPLY_STOPPING };

/* ---- what the log says ---- */

static enum news_reply read_reply(struct news_producer *p, const void *text, size_t len)
{
	struct ingest_reply r = {0};
	enum news_reply said = REPLY_AGAIN;

	if (ingest_reply_read(text, len, &r) == 0) {
		p->said = (struct news_counts){r.root.accepted, r.root.duplicate,
					       r.root.rejected};
		if (r.root.status == INGEST_STATUS_OK)
			said = REPLY_DONE;
		else if (r.root.status == INGEST_STATUS_STOPPING)
			said = REPLY_STOPPING;
	}
	for (size_t at = 0; at < r.runs.len; at += sizeof(struct ingest_run)) {
		const struct ingest_run *run = (const void *)(r.runs.data + at);

		if (run->outcome == INGEST_REJECTED)
			(void)snprintf(p->said_why, sizeof(p->said_why), "%s",
				       reject_name((enum reject_reason)run->reason));
	}
	ingest_reply_deinit(&r);
	return said;
}

/* On the store thread. */
static void on_reply(struct intake_caller *c, const void *reply, size_t len)
{
	struct news_producer *p = (struct news_producer *)c;

	atomic_store(&p->reply, (int)read_reply(p, reply, len));
	p->wake(p->wake_arg);
}

static void take_request(struct store_thread *st, void *arg)
{
	struct news_producer *p = arg;

	role_assert_store();
	intake_request(store_intake(st), p->request.data, p->request.len, &p->caller);
}

/* ---- the queue ---- */

void news_producer_init(struct news_producer *p, struct store_thread *store,
			const char *producer, const char *source)
{
	*p = (struct news_producer){.store = store};
	p->caller.reply = on_reply;
	(void)snprintf(p->producer, sizeof(p->producer), "%s", producer);
	(void)snprintf(p->source, sizeof(p->source), "%s", source);
}

void news_producer_deinit(struct news_producer *p)
{
	buf_free(&p->queue);
	buf_free(&p->request);
}

void news_producer_add_json(struct news_producer *p, const char *text, size_t len)
{
	buf_add(&p->queue, text, len);
	buf_add(&p->queue, "", 1);
	p->n_queued++;
}

void news_producer_add(struct news_producer *p, const struct hist_article *a)
{
	struct buf text = {0};

	article_write(&text, a);
	news_producer_add_json(p, buf_text(&text), text.len);
	buf_free(&text);
}

size_t news_producer_waiting(const struct news_producer *p)
{
	return p->n_queued + p->n_flying;
}

/* From the queue into a request; what has left the queue is moved away in time. */
static void gather(struct news_producer *p)
{
	struct jsonw w;

	if (p->n_queued == 0)
		return;
	p->request.len = 0;
	jsonw_init(&w, &p->request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "producer", p->producer);
	jsonw_str(&w, "source", p->source);
	jsonw_array(&w, "news");
	while (p->n_queued > 0 && p->n_flying < BATCH_MAX &&
	       p->request.len < BATCH_BYTES) {
		const char *one = (const char *)p->queue.data + p->head;
		size_t len = strlen(one);

		jsonw_raw(&w, NULL, one, len);
		p->head += len + 1;
		p->n_queued--;
		p->n_flying++;
	}
	jsonw_end(&w);
	jsonw_end(&w);
	p->is_unsent = true;
	if (p->n_queued == 0) {
		p->queue.len = p->head = 0;
	} else if (p->head > HEAD_MAX) {
		p->queue.len -= p->head;
		memmove(p->queue.data, p->queue.data + p->head, p->queue.len);
		p->head = 0;
	}
}

static void take_reply(struct news_producer *p, int64_t now_ns)
{
	switch (atomic_exchange(&p->reply, REPLY_NONE)) {
	case REPLY_DONE:
		p->counts.accepted += p->said.accepted;
		p->counts.duplicate += p->said.duplicate;
		p->counts.refused += p->said.refused;
		if (p->said.refused > 0)
			memcpy(p->why, p->said_why, sizeof(p->why));
		p->n_flying = 0;
		break;
	case REPLY_AGAIN:
		p->is_unsent = true;
		p->again_ns = now_ns + AGAIN_NS;
		break;
	case REPLY_STOPPING:
		p->is_stopping = true;
		break;
	default:
		break;
	}
}

int64_t news_producer_step(struct news_producer *p, int64_t now_ns)
{
	take_reply(p, now_ns);
	if (p->is_stopping)
		return INT64_MAX;
	if (p->n_flying == 0)
		gather(p);
	if (!p->is_unsent)
		return INT64_MAX;
	if (now_ns < p->again_ns)
		return p->again_ns;
	p->is_unsent = false; /* before the post: its reply may come at once */
	if (store_post(p->store, take_request, p) == MAILBOX_FULL) {
		p->is_unsent = true;
		p->again_ns = now_ns + AGAIN_NS;
		return p->again_ns;
	}
	return INT64_MAX;
}
