/* news_producer - see news_producer.h. */
#include "daemon/news_producer.h"
#include "base/jsonw.h"
#include "proto/article.h"
#include "proto/event.h"
#include <stdio.h>
#include <string.h>

#define BATCH_MAX   1000u
#define BATCH_BYTES (256u << 10)
#define HEAD_MAX    (1u << 20) /* bytes that have left, before the rest is moved */

/* ---- what the log says ---- */

/* On the store thread. */
static enum sender_reply read_reply(struct log_sender *s, const void *text, size_t len)
{
	struct news_producer *p = (struct news_producer *)s;
	struct ingest_reply r = {0};
	enum sender_reply said = SENDER_AGAIN;

	if (ingest_reply_read(text, len, &r) == 0) {
		p->said = (struct news_counts){r.root.accepted, r.root.duplicate,
					       r.root.rejected};
		if (r.root.status == INGEST_STATUS_OK)
			said = SENDER_DONE;
		else if (r.root.status == INGEST_STATUS_STOPPING)
			said = SENDER_STOPPING;
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

/* ---- the queue ---- */

void news_producer_init(struct news_producer *p, struct store_thread *store,
			const char *producer, const char *source)
{
	*p = (struct news_producer){.n_queued = 0};
	log_sender_init(&p->sender, store, producer, source, read_reply);
}

void news_producer_deinit(struct news_producer *p)
{
	buf_free(&p->queue);
	log_sender_deinit(&p->sender);
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
	return p->n_queued + p->sender.n_flying;
}

/* From the queue into a request; what has left the queue is moved away in time. */
static void gather(struct news_producer *p)
{
	struct log_sender *out = &p->sender;
	struct jsonw w;

	if (p->n_queued == 0)
		return;
	out->request.len = 0;
	jsonw_init(&w, &out->request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "producer", out->producer);
	jsonw_str(&w, "source", out->source);
	jsonw_array(&w, "news");
	while (p->n_queued > 0 && out->n_flying < BATCH_MAX &&
	       out->request.len < BATCH_BYTES) {
		const char *one = (const char *)p->queue.data + p->head;
		size_t len = strlen(one);

		jsonw_raw(&w, NULL, one, len);
		p->head += len + 1;
		p->n_queued--;
		out->n_flying++;
	}
	jsonw_end(&w);
	jsonw_end(&w);
	out->is_unsent = true;
	if (p->n_queued == 0) {
		p->queue.len = p->head = 0;
	} else if (p->head > HEAD_MAX) {
		p->queue.len -= p->head;
		memmove(p->queue.data, p->queue.data + p->head, p->queue.len);
		p->head = 0;
	}
}

static void settle(struct news_producer *p)
{
	p->counts.accepted += p->said.accepted;
	p->counts.duplicate += p->said.duplicate;
	p->counts.refused += p->said.refused;
	if (p->said.refused > 0)
		memcpy(p->why, p->said_why, sizeof(p->why));
	p->sender.n_flying = 0;
}

int64_t news_producer_step(struct news_producer *p, int64_t now_ns)
{
	if (log_sender_take(&p->sender, now_ns))
		settle(p);
	if (log_sender_is_free(&p->sender))
		gather(p);
	return log_sender_post(&p->sender, now_ns);
}
