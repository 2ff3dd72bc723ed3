/* live_producer - see live_producer.h. */
#include "daemon/live_producer.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "proto/ingest.h"
#include <stdio.h>
#include <string.h>

#define AGAIN_NS (200 * NS_PER_MS)

enum live_reply { REPLY_NONE = 0, REPLY_DONE, REPLY_AGAIN, REPLY_STOPPING };

/* On the store thread. */
static void on_reply(struct intake_caller *c, const void *reply, size_t len)
{
	struct live_producer *p = (struct live_producer *)c;
	struct ingest_reply_view v;
	int said = REPLY_DONE;

	if (ingest_reply_open(reply, len, &v) == 0) {
		atomic_store(&p->rejected, v.root.rejected);
		if (v.root.status == INGEST_STATUS_STOPPING)
			said = REPLY_STOPPING;
		else if (v.root.retry_ms > 0)
			said = REPLY_AGAIN;
	}
	atomic_store(&p->reply, said);
	p->wake(p->wake_arg);
}

static void take_request(struct store_thread *st, void *arg)
{
	struct live_producer *p = arg;

	role_assert_store();
	intake_request(store_intake(st), p->request.data, p->request.len, &p->caller);
}

void live_producer_init(struct live_producer *p, struct store_thread *store,
			const char *producer, const char *source, bool any_age)
{
	*p = (struct live_producer){.store = store, .seq = 1, .good_ns = INT64_MIN};
	p->caller.reply = on_reply;
	p->caller.any_age = any_age;
	(void)snprintf(p->producer, sizeof(p->producer), "%s", producer);
	(void)snprintf(p->source, sizeof(p->source), "%s", source);
}

void live_producer_deinit(struct live_producer *p)
{
	buf_free(&p->queue);
	buf_free(&p->request);
}

void live_producer_seq(struct live_producer *p, uint64_t seq_last)
{
	p->seq = seq_last + 1;
}

void live_producer_add(struct live_producer *p, const struct feed_tick *f)
{
	struct ingest_tick t;

	ingest_tick_of(&t, &f->rec, f->symbol);
	buf_add(&p->queue, &t, sizeof(t));
}

size_t live_producer_waiting(const struct live_producer *p)
{
	return p->queue.len / sizeof(struct ingest_tick) - p->head + p->n_flying;
}

/* From the queue into a request; what has left the queue is moved away in time. */
static void gather(struct live_producer *p)
{
	const struct ingest_tick *all = (const void *)p->queue.data;
	size_t n = p->queue.len / sizeof(*all);
	struct ingest_writer w;

	p->request.len = 0;
	p->flying_ns = INT64_MIN;
	if (p->head == n ||
	    ingest_writer_init(&w, &p->request, p->producer, p->source, p->seq) != 0)
		return;
	while (p->head < n && ingest_writer_add(&w, &all[p->head]) == 0) {
		if (all[p->head].event_ns > p->flying_ns)
			p->flying_ns = all[p->head].event_ns;
		p->head++;
		p->n_flying++;
	}
	p->is_unsent = p->n_flying > 0;
	if (p->head == n) {
		p->queue.len = p->head = 0;
	} else if (p->head > LIVE_PRODUCER_LOW) {
		p->queue.len -= p->head * sizeof(*all);
		memmove(p->queue.data, &all[p->head], p->queue.len);
		p->head = 0;
	}
}

static void take_reply(struct live_producer *p, int64_t now_ns)
{
	int64_t wall = clock_wall_ns();
	unsigned rejected;

	switch (atomic_exchange(&p->reply, REPLY_NONE)) {
	case REPLY_DONE:
		rejected = atomic_load(&p->rejected);
		p->seq += p->n_flying;
		p->accepted += p->n_flying - rejected;
		p->refused += rejected;
		/* A time of the future must not make a hole look filled. */
		if (p->flying_ns > wall)
			p->flying_ns = wall;
		if (p->flying_ns > p->good_ns)
			p->good_ns = p->flying_ns;
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

int64_t live_producer_step(struct live_producer *p, int64_t now_ns)
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
