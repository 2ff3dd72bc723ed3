/* live_producer - see live_producer.h. */
#include "daemon/live_producer.h"
#include "base/clock.h"
#include <string.h>

/* On the store thread. */
static enum sender_reply read_reply(struct log_sender *s, const void *reply, size_t len)
{
	struct live_producer *p = (struct live_producer *)s;
	struct ingest_reply_view v;

	if (ingest_reply_open(reply, len, &v) != 0)
		return SENDER_DONE;
	atomic_store(&p->rejected, v.root.rejected);
	if (v.root.status == INGEST_STATUS_STOPPING)
		return SENDER_STOPPING;
	return v.root.retry_ms > 0 ? SENDER_AGAIN : SENDER_DONE;
}

void live_producer_init(struct live_producer *p, struct store_thread *store,
			const char *producer, const char *source, bool any_age)
{
	*p = (struct live_producer){.seq = 1, .good_ns = INT64_MIN};
	log_sender_init(&p->sender, store, producer, source, read_reply);
	p->sender.caller.any_age = any_age;
}

void live_producer_deinit(struct live_producer *p)
{
	buf_free(&p->queue);
	log_sender_deinit(&p->sender);
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
	return p->queue.len / sizeof(struct ingest_tick) - p->head + p->sender.n_flying;
}

/* From the queue into a request; what has left the queue is moved away in time. */
static void gather(struct live_producer *p)
{
	const struct ingest_tick *all = (const void *)p->queue.data;
	size_t n = p->queue.len / sizeof(*all);
	struct log_sender *out = &p->sender;
	struct ingest_writer w;

	out->request.len = 0;
	p->flying_ns = INT64_MIN;
	if (p->head == n || ingest_writer_init(&w, &out->request, out->producer,
					       out->source, p->seq) != 0)
		return;
	while (p->head < n && ingest_writer_add(&w, &all[p->head]) == 0) {
		if (all[p->head].event_ns > p->flying_ns)
			p->flying_ns = all[p->head].event_ns;
		p->head++;
		out->n_flying++;
	}
	out->is_unsent = out->n_flying > 0;
	if (p->head == n) {
		p->queue.len = p->head = 0;
	} else if (p->head > LIVE_PRODUCER_LOW) {
		p->queue.len -= p->head * sizeof(*all);
		memmove(p->queue.data, &all[p->head], p->queue.len);
		p->head = 0;
	}
}

static void settle(struct live_producer *p)
{
	int64_t wall = clock_wall_ns();
	unsigned rejected = atomic_load(&p->rejected);

	p->seq += p->sender.n_flying;
	p->accepted += p->sender.n_flying - rejected;
	p->refused += rejected;
	/* A time of the future must not make a hole look filled. */
	if (p->flying_ns > wall)
		p->flying_ns = wall;
	if (p->flying_ns > p->good_ns)
		p->good_ns = p->flying_ns;
	p->sender.n_flying = 0;
}

int64_t live_producer_step(struct live_producer *p, int64_t now_ns)
{
	if (log_sender_take(&p->sender, now_ns))
		settle(p);
	if (log_sender_is_free(&p->sender))
		gather(p);
	return log_sender_post(&p->sender, now_ns);
}
