/* news_producer - see news_producer.h. */
#include "daemon/news_producer.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mailbox.h"
#include "proto/article.h"
#include "proto/json_scan.h"
#include <stdio.h>
#include <string.h>

#define AGAIN_NS    (200 * NS_PER_MS)
#define BATCH_MAX   1000u
#define BATCH_BYTES (256u << 10)
#define HEAD_MAX    (1u << 20) /* bytes that have left, before the rest is moved */

enum news_reply { REPLY_NONE = 0, REPLY_DONE, REPLY_AGAIN, REPLY_STOPPING };

/* ---- what the log says ---- */

static bool enter(struct json_scan *s, const struct json_token *t, enum json_type type)
{
	if (t->type != type)
		return false;
	*s = (struct json_scan){.at = t->text + 1, .end = t->text + t->len};
	return true;
}

/* The next member of an object that was entered. */
static bool member(struct json_scan *s, struct json_token *key,
		   struct json_token *value)
{
	(void)json_scan_char(s, ',');
	return !json_scan_char(s, '}') && json_scan_key(s, key) &&
	       json_scan_value(s, value);
}

/* The reason of the last run that has one. */
static void read_runs(const struct json_token *runs, char *why, size_t cap)
{
	struct json_scan list, s;
	struct json_token run, key, value;
	size_t len;

	if (!enter(&list, runs, JSON_ARRAY))
		return;
	while (!json_scan_char(&list, ']') && json_scan_value(&list, &run)) {
		(void)json_scan_char(&list, ',');
		if (!enter(&s, &run, JSON_OBJECT))
			return;
		while (member(&s, &key, &value))
			if (json_scan_is(&key, "reason") &&
			    json_scan_text(&value, why, cap - 1, &len))
				why[len] = '\0';
	}
}

static enum news_reply read_reply(struct news_producer *p, const void *text, size_t len)
{
	struct json_scan s = {.at = text, .end = (const char *)text + len};
	struct json_token root, key, value;
	bool is_ok = false, is_stopping = false;

	p->said = (struct news_counts){0};
	p->said_why[0] = '\0';
	if (!json_scan_value(&s, &root) || !enter(&s, &root, JSON_OBJECT))
		return REPLY_AGAIN;
	while (member(&s, &key, &value)) {
		if (json_scan_is(&key, "status")) {
			is_ok = json_scan_is(&value, "ok");
			is_stopping = json_scan_is(&value, "stopping");
		} else if (json_scan_is(&key, "accepted")) {
			(void)json_scan_u64(&value, &p->said.accepted);
		} else if (json_scan_is(&key, "duplicate")) {
			(void)json_scan_u64(&value, &p->said.duplicate);
		} else if (json_scan_is(&key, "rejected")) {
			(void)json_scan_u64(&value, &p->said.refused);
		} else if (json_scan_is(&key, "runs")) {
			read_runs(&value, p->said_why, sizeof(p->said_why));
		}
	}
	return is_ok ? REPLY_DONE : is_stopping ? REPLY_STOPPING : REPLY_AGAIN;
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
