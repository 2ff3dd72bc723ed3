/*
 * pub - publishing with acknowledgement.  A batch is one ingest request, kept
 * byte for byte until its outcome is known: whatever happens on the way, the
 * same bytes are sent again, and the daemon takes each sequence once.
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/pub_parts.h"
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAME(field)                                                                    \
	_Static_assert(offsetof(struct tickbus_tick, field) ==                         \
			       offsetof(struct ingest_tick, field),                    \
		       "the public tick is the wire's")
_Static_assert(sizeof(struct tickbus_tick) == sizeof(struct ingest_tick), "same");
SAME(price_e9);
SAME(ref_seq);
SAME(cond);
SAME(type);
SAME(symbol);
#undef SAME
_Static_assert(sizeof(struct tickbus_run) == sizeof(struct ingest_run) &&
		       offsetof(struct tickbus_run, result) ==
			       offsetof(struct ingest_run, outcome),
	       "the public run is the wire's");

int tickbus_tick_init(struct tickbus_tick *tick, const char *symbol, int64_t event_ns)
{
	size_t len = strnlen(symbol, SYMBOL_MAX + 1);

	if (len > 0 && !symbol_valid(symbol, len))
		return err_set(-EINVAL, "'%.40s' is no symbol", symbol);
	ingest_tick_init((struct ingest_tick *)(void *)tick);
	memcpy(tick->symbol, symbol, len);
	tick->event_ns = event_ns;
	return 0;
}

static int start_batch(struct tickbus_pub *p)
{
	p->batch.len = 0;
	return ingest_writer_init(&p->writer, &p->batch, p->producer, p->source,
				  p->first_seq);
}

int tickbus_pub_open(const struct tickbus_options *options, const char *producer,
		     const char *source, uint64_t first_seq, struct tickbus_pub **out)
{
	struct tickbus_pub *p;
	int rc;

	if (first_seq == 0)
		return err_set(-EINVAL, "the first sequence is 1 or more");
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(-ENOMEM, "no memory for a publisher");
	rc = options_init(&p->options, options);
	if (rc < 0)
		goto fail;
	if (producer)
		(void)snprintf(p->producer, sizeof(p->producer), "%s", producer);
	else
		(void)snprintf(p->producer, sizeof(p->producer), "pid%ld-%llx",
			       (long)getpid(), (unsigned long long)clock_wall_ns());
	if (producer && strlen(producer) > INGEST_PRODUCER_MAX) {
		rc = err_set(-EINVAL, "the producer's name is too long");
		goto fail;
	}
	(void)snprintf(p->source, sizeof(p->source), "%s", source);
	if (strlen(source) > SOURCE_MAX) {
		rc = err_set(-EINVAL, "the source's name is too long");
		goto fail;
	}
	p->first_seq = first_seq;
	rc = start_batch(p);
	if (rc < 0)
		goto fail;
	reqsock_init(&p->sock, p->options.url[TICKBUS_INGEST]);
	*out = p;
	return 0;
fail:
	tickbus_pub_close(p);
	return rc;
}

void tickbus_pub_close(struct tickbus_pub *pub)
{
	if (pub == NULL)
		return;
	reqsock_close(&pub->sock);
	buf_free(&pub->batch);
	buf_free(&pub->runs);
	free(pub);
}

int tickbus_pub_add(struct tickbus_pub *pub, const struct tickbus_tick *tick)
{
	if (ingest_writer_add(&pub->writer,
			      (const struct ingest_tick *)(const void *)tick))
		return TICKBUS_FULL;
	return 0;
}

uint64_t tickbus_pub_next_seq(const struct tickbus_pub *pub)
{
	return pub->first_seq + pub->writer.n;
}

const char *tickbus_pub_producer(const struct tickbus_pub *pub)
{
	return pub->producer;
}

void pub_keep(struct tickbus_pub *p, const struct ingest_reply_root *r,
	      struct tickbus_ack *out)
{
	memcpy(p->text, r->text, INGEST_TEXT_MAX);
	out->epoch = r->epoch;
	out->last_pos = r->last_pos;
	out->first_seq = p->first_seq;
	out->accepted = r->accepted;
	out->duplicate = r->duplicate;
	out->rejected = r->rejected;
	out->is_synced = r->durability == INGEST_FULLY_SYNCED;
	out->runs = (const void *)p->runs.data;
	out->n_runs = p->runs.len / sizeof(struct ingest_run);
	out->text = p->text;
}

/* 0, TICKBUS_REFUSED, or an errno worth a resend. */
int pub_judge(const struct ingest_reply_root *r, uint64_t n)
{
	int len = (int)symbol_field_len(r->text, INGEST_TEXT_MAX);

	switch (r->status) {
	case INGEST_STATUS_OK:
		if ((uint64_t)r->accepted + r->duplicate + r->rejected == n)
			return 0;
		return err_set(-EPROTO, "the reply does not cover the batch");
	case INGEST_STATUS_MALFORMED:
		return err_set(TICKBUS_REFUSED, "refused: %.*s", len, r->text);
	case INGEST_STATUS_NO_SPACE:
		return err_set(-ENOSPC, "the daemon's disk is full: %.*s", len,
			       r->text);
	case INGEST_STATUS_BUSY:
	case INGEST_STATUS_STOPPING:
		return err_set(-EAGAIN, "the daemon is %s: %.*s",
			       ingest_status_name(r->status), len, r->text);
	default:
		return err_set(-EIO, "the daemon failed: %.*s", len, r->text);
	}
}

static int read_reply(struct tickbus_pub *p, const void *data, size_t len,
		      struct tickbus_ack *out, int64_t *retry_ms)
{
	struct ingest_reply_view v;
	struct ingest_run run;

	if (ingest_reply_open(data, len, &v) != 0)
		return err_set(-EPROTO, "the daemon's reply is malformed");
	p->runs.len = 0;
	for (uint32_t i = 0; i < v.n_runs; i++) {
		ingest_reply_run(&v, i, &run);
		buf_add(&p->runs, &run, sizeof(run));
	}
	pub_keep(p, &v.root, out);
	if (v.root.retry_ms)
		*retry_ms = v.root.retry_ms;
	return pub_judge(&v.root, p->writer.n);
}

/* One round trip; *@out_retry_ms is the daemon's wish, or 100 without an answer. */
static int send_once(struct tickbus_pub *p, const struct pub_question *q,
		     int timeout_ms, struct tickbus_ack *out, int64_t *out_retry_ms)
{
	struct splink_msg *reply = NULL;
	int rc = reqsock_ask(&p->sock, q->data, q->len, timeout_ms, &reply);

	*out_retry_ms = 100;
	if (rc < 0)
		return rc;
	rc = q->read(p, reply->data + REQSOCK_ID_LEN, reply->len - REQSOCK_ID_LEN, out,
		     out_retry_ms);
	free(reply);
	return rc;
}

int pub_ask(struct tickbus_pub *p, const struct pub_question *q,
	    struct tickbus_ack *out)
{
	int64_t until_ns = clock_mono_ns() + p->options.timeout_ms * NS_PER_MS;
	uint32_t resends = 0;
	int rc;

	for (;; resends++) {
		int64_t left_ms = (until_ns - clock_mono_ns()) / NS_PER_MS;
		/* Several tries fit the time: a reply may be lost, or a socket dead. */
		int64_t try_ms = p->options.timeout_ms / 3;
		int64_t retry_ms;

		if (try_ms > left_ms)
			try_ms = left_ms;
		rc = send_once(p, q, try_ms > 1 ? (int)try_ms : 1, out, &retry_ms);
		if (rc >= 0 || rc == -EINVAL || rc == -EPROTO)
			break;
		/* A try that has no time for its answer would leave unknown what the
		   daemon has just said. */
		if (clock_mono_ns() +
			    (retry_ms + p->options.timeout_ms / 10) * NS_PER_MS >=
		    until_ns)
			break;
		if (rc != -ETIMEDOUT)
			(void)poll(NULL, 0, (int)retry_ms);
	}
	out->resends = resends;
	return rc;
}

int tickbus_pub_flush(struct tickbus_pub *pub, struct tickbus_ack *out)
{
	const struct pub_question q = {pub->batch.data, pub->batch.len, read_reply};
	int rc;

	*out = (struct tickbus_ack){.text = "", .first_seq = pub->first_seq};
	if (pub->writer.n == 0)
		return 0;
	rc = pub_ask(pub, &q, out);
	if (rc < 0)
		return rc;
	pub->first_seq += pub->writer.n;
	(void)start_batch(pub);
	return rc;
}

int tickbus_pub_batch(struct tickbus_pub *pub, const struct tickbus_tick *ticks,
		      size_t n, struct tickbus_ack *out)
{
	if (n > INGEST_TICKS_MAX - pub->writer.n)
		return err_set(TICKBUS_FULL, "a batch holds %u ticks",
			       INGEST_TICKS_MAX);
	for (size_t i = 0; i < n; i++)
		(void)tickbus_pub_add(pub, &ticks[i]);
	return tickbus_pub_flush(pub, out);
}
