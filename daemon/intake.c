/* intake - see intake.h. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/intake_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int intake_new(const struct intake_env *env, struct intake **out)
{
	struct intake *in = calloc(1, sizeof(*in));
	struct store_status status;

	role_assert_store(); /* called before its thread begins */
	if (in == NULL)
		return err_set(-ENOMEM, "out of memory for the intake");
	in->env = *env;
	in->clock_ns = in->clock_staged_ns = in->clock_safe_ns = INT64_MIN;
	in->waiting = calloc(GROUP_REQUESTS, sizeof(*in->waiting));
	if (in->waiting == NULL) {
		free(in);
		return err_set(-ENOMEM, "out of memory for the intake");
	}
	tickstore_status(env->store, &status);
	in->epoch = status.epoch;
	atomic_store(&in->committed, status.last_pos);
	*out = in;
	return 0;
}

void intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; i < GROUP_REQUESTS; i++)
		ingest_reply_deinit(&in->waiting[i].reply);
	free(in->waiting);
	buf_free(&in->out);
	free(in);
}

void intake_clock(struct intake *in, int64_t ns)
{
	if (ns > in->clock_safe_ns)
		in->clock_safe_ns = ns;
	if (ns > in->clock_staged_ns)
		in->clock_staged_ns = ns;
	if (ns > in->clock_ns)
		in->clock_ns = ns;
}

size_t intake_pending(const struct intake *in)
{
	return in->n_records + in->n_waiting;
}

bool intake_full(const struct intake *in)
{
	return in->n_waiting >= GROUP_REQUESTS || in->n_records >= GROUP_RECORDS;
}

void intake_stop(struct intake *in)
{
	in->stopping = true;
}

ON_STORE static void send(struct intake *in, struct waiting *w)
{
	w->reply.root.durability =
		in->env.durability_full ? INGEST_FULLY_SYNCED : INGEST_NORMAL;
	w->reply.root.epoch = in->epoch;
	in->out.len = 0;
	ingest_reply_write(&w->reply, w->as_json, &in->out);
	w->caller->reply(w->caller, in->out.data, in->out.len);
	ingest_reply_reset(&w->reply);
}

ON_STORE static void refuse(struct intake *in, struct waiting *w,
			    enum ingest_status status, const char *text,
			    uint32_t retry_ms)
{
	ingest_reply_reset(&w->reply);
	ingest_reply_set(&w->reply, status, text);
	w->reply.root.retry_ms = retry_ms;
	send(in, w);
}

enum reject_reason intake_symbol(struct intake *in, const char *name, size_t len,
				 uint32_t *out_id)
{
	int is_new;

	if (symtab_find(in->env.symbols, name, len, out_id) == 0)
		return REJECT_NONE;
	if (in->env.symbols_listed)
		return REJECT_SYMBOL_UNKNOWN;
	if (symtab_add(in->env.symbols, name, len, out_id, &is_new) != 0)
		return REJECT_SYMBOL_LIMIT;
	return REJECT_NONE;
}

/* The clock and the time window; the rest was judged by ingest_check(). */
static enum reject_reason judge_time(struct intake *in, const struct ingest_tick *t)
{
	int64_t old =
		atomic_load_explicit(&in->env.window->too_old_ns, memory_order_relaxed);
	int64_t ahead =
		atomic_load_explicit(&in->env.window->future_ns, memory_order_relaxed);
	/* One tick from the far future would close every bar of its symbol. */
	int64_t now = in->env.clock_wall ? in->recv_ns : in->clock_ns;

	if (t->type == RECORD_CLOCK) {
		if (in->env.clock_wall)
			return REJECT_CLOCK_NOT_ALLOWED;
		return t->event_ns < in->clock_ns ? REJECT_CLOCK_BACKWARDS
						  : REJECT_NONE;
	}
	if (now == INT64_MIN)
		return REJECT_NONE; /* the feed has not said yet what time it is */
	if (old > 0 && !in->any_age && t->event_ns < now - old)
		return REJECT_TIME_TOO_OLD;
	return ahead > 0 && t->event_ns > now + ahead ? REJECT_TIME_IN_FUTURE
						      : REJECT_NONE;
}

void intake_quarantine(struct intake *in, const struct ingest_request *req,
		       uint32_t producer, enum reject_reason reason)
{
	size_t len = req->raw_len < INGEST_RAW_MAX ? req->raw_len : INGEST_RAW_MAX;

	(void)tickstore_quarantine_add(in->env.store, in->recv_ns, (uint32_t)reason,
				       producer, req->raw, len);
}

/* Counted once the answer is final: what is refused for lack of space comes again. */
ON_STORE static void count(const struct ingest_reply *reply)
{
	const struct ingest_run *runs = (const void *)reply->runs.data;
	size_t n = reply->runs.len / sizeof(*runs);

	stats_add(STAT_TICKS_ACCEPTED, reply->root.accepted);
	stats_add(STAT_TICKS_DUPLICATE, reply->root.duplicate);
	for (size_t i = 0; reply->root.rejected > 0 && i < n; i++)
		if (runs[i].outcome == INGEST_REJECTED)
			stats_add_reject((enum reject_reason)runs[i].reason, runs[i].n);
}

int intake_transact(struct intake *in)
{
	uint64_t first_pos = 0, last_pos = 0;
	int64_t begin = clock_mono_ns();
	int rc =
		tickstore_commit(in->env.store, clock_wall_ns(), &first_pos, &last_pos);

	if (rc == 0) {
		in->last_pos = last_pos;
		atomic_store_explicit(&in->committed, last_pos, memory_order_release);
		in->clock_safe_ns = in->clock_staged_ns;
		stats_add(STAT_COMMITS, 1);
		stats_add(STAT_COMMIT_NS, (uint64_t)(clock_mono_ns() - begin));
	}
	return rc == STORE_EMPTY ? 0 : rc;
}

/* Append the run of accepted ticks gathered so far; its outcomes go in order. */
ON_STORE static int flush_run(struct intake *in, uint32_t producer,
			      struct ingest_reply *reply)
{
	uint32_t at = 0;

	while (at < in->run_n) {
		uint32_t n = in->run_n - at, room = tickstore_room(in->env.store);
		uint64_t pos;
		int rc;

		if (room == 0) {
			/* The segment is full: commit it; this request is answered
			 * later. */
			rc = intake_transact(in);
			if (rc < 0)
				return rc;
			continue;
		}
		if (n > room)
			n = room;
		rc = tickstore_append(in->env.store, producer, in->run_seq + at,
				      &in->run[at], n, &pos);
		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < n; i++) {
			ingest_reply_add(reply, INGEST_ACCEPTED, REJECT_NONE, pos + i);
			if (in->run[at + i].type == RECORD_CLOCK)
				in->clock_staged_ns = in->run[at + i].event_ns;
		}
		in->n_records += n;
		at += n;
	}
	in->run_n = 0;
	return 0;
}

/* Is this tick good?  Fills the next record of the run if it is. */
ON_STORE static enum reject_reason judge(struct intake *in,
					 const struct ingest_request *req,
					 uint16_t source_id,
					 const struct ingest_tick *t, int rc)
{
	enum reject_reason why = rc == INGEST_BAD ? req->bad_reason : ingest_check(t);
	uint32_t symbol_id = 0;

	if (why == REJECT_NONE)
		why = judge_time(in, t);
	if (why == REJECT_NONE && t->type == RECORD_TICK)
		why = intake_symbol(in, t->symbol,
				    symbol_field_len(t->symbol, SYMBOL_MAX),
				    &symbol_id);
	if (why != REJECT_NONE)
		return why;
	if (t->type == RECORD_CLOCK)
		in->clock_ns = t->event_ns;
	ingest_record(t, symbol_id, source_id, in->recv_ns, &in->run[in->run_n]);
	return REJECT_NONE;
}

/* 0, or the commit error that ended it: then nothing more of it was taken. */
ON_STORE static int take_all(struct intake *in, struct ingest_request *req,
			     uint32_t producer, uint16_t source_id,
			     struct ingest_reply *reply)
{
	struct ingest_tick t;
	uint64_t seq = req->first_seq;
	int rc, got;

	for (; (got = ingest_next(req, &t)) != INGEST_END; seq++) {
		int dup = tickstore_seq_check(in->env.store, producer, seq);
		enum reject_reason why = dup == STORE_SEQ_BAD ? REJECT_MALFORMED
					 : dup == 0 ? judge(in, req, source_id, &t, got)
						    : REJECT_NONE;

		if (dup == 0 && why == REJECT_NONE) {
			if (in->run_n == 0)
				in->run_seq = seq;
			if (++in->run_n < RUN_MAX)
				continue;
		}
		rc = flush_run(in, producer, reply);
		if (rc < 0)
			return rc;
		if (why != REJECT_NONE) {
			intake_quarantine(in, req, producer, why);
			ingest_reply_add(reply, INGEST_REJECTED, why, 0);
			if (dup == 0)
				tickstore_seq_spend(in->env.store, producer, seq);
		} else if (dup == STORE_DUPLICATE) {
			ingest_reply_add(reply, INGEST_DUPLICATE, REJECT_NONE, 0);
		}
	}
	return flush_run(in, producer, reply);
}

/* The producer and the source of a request; a sentence when a table is full. */
ON_STORE static const char *identify(struct intake *in,
				     const struct ingest_request *req,
				     uint32_t *producer, uint32_t *source_id)
{
	int is_new;

	if (symtab_add(in->env.sources, req->source, strlen(req->source), source_id,
		       &is_new) != 0)
		return "the limit of sources is reached (limits.sources_max)";
	if (tickstore_producer(in->env.store, req->producer, strlen(req->producer),
			       producer) != 0)
		return "the limit of producers is reached (limits.producers_max)";
	return NULL;
}

void intake_request(struct intake *in, const void *data, size_t len,
		    struct intake_caller *caller)
{
	struct waiting *w = &in->waiting[in->n_waiting];
	struct ingest_request req;
	uint32_t producer = 0, source_id = 0;
	const char *why;
	int rc = ingest_open(data, len, &req);

	w->caller = caller;
	w->as_json = req.is_json;
	in->recv_ns = clock_wall_ns();
	in->any_age = caller->any_age;
	stats_add(STAT_INGEST_REQUESTS, 1);
	if (rc != 0) {
		stats_add_reject(REJECT_MALFORMED, 1);
		(void)tickstore_quarantine_add(
			in->env.store, in->recv_ns, REJECT_MALFORMED, STORE_NO_PRODUCER,
			data, len < INGEST_RAW_MAX ? len : INGEST_RAW_MAX);
		refuse(in, w, INGEST_STATUS_MALFORMED, err_text(), 0);
		return;
	}
	if (in->stopping) {
		refuse(in, w, INGEST_STATUS_STOPPING,
		       "the daemon is stopping; send again to the next one", RETRY_MS);
		return;
	}
	why = identify(in, &req, &producer, &source_id);
	if (why != NULL) {
		refuse(in, w, INGEST_STATUS_MALFORMED, why, 0);
		return;
	}
	in->n_waiting++;
	w->is_news = req.is_news;
	rc = (req.is_news ? intake_take_news : take_all)(
		in, &req, producer, (uint16_t)source_id, &w->reply);
	if (rc < 0) {
		/* Every answer of the group says so, this one's too. */
		in->run_n = 0;
		in->failed = rc;
		return;
	}
}

int intake_record(struct intake *in, const struct record *r)
{
	int rc;

	if (r->type == RECORD_CLOCK && r->event_ns < in->clock_ns)
		return 0; /* the wall stepped back: the log's clock does not */
	if (tickstore_room(in->env.store) == 0) {
		rc = intake_transact(in);
		if (rc < 0) {
			/* What the group had staged is gone: its answers must say so.
			 */
			in->failed = rc;
			return rc;
		}
	}
	rc = tickstore_append(in->env.store, STORE_NO_PRODUCER, 0, r, 1, NULL);
	if (rc < 0)
		return rc;
	if (r->type == RECORD_CLOCK)
		in->clock_ns = in->clock_staged_ns = r->event_ns;
	in->n_records++;
	return 0;
}

ON_STORE static void count_news(const struct ingest_reply *reply)
{
	stats_add(STAT_NEWS_ACCEPTED, reply->root.accepted);
	stats_add(STAT_NEWS_DUPLICATE, reply->root.duplicate);
	stats_add(STAT_NEWS_REJECTED, reply->root.rejected);
}

ON_STORE static void answer_group(struct intake *in, int rc)
{
	for (size_t i = 0; i < in->n_waiting; i++) {
		struct waiting *w = &in->waiting[i];

		if (rc == -ENOSPC || rc == -ENOMEM) {
			refuse(in, w, INGEST_STATUS_NO_SPACE,
			       "there is no space; what was not taken may be sent "
			       "again",
			       RETRY_MS);
		} else if (rc < 0) {
			refuse(in, w, INGEST_STATUS_FAILED, err_text(), RETRY_MS);
		} else {
			ingest_reply_set(&w->reply, INGEST_STATUS_OK, NULL);
			(w->is_news ? count_news : count)(&w->reply);
			w->reply.root.last_pos =
				w->reply.root.accepted > 0 ? in->last_pos : 0;
			send(in, w);
		}
	}
	in->n_waiting = 0;
	in->n_records = 0;
	in->failed = 0;
}

uint64_t intake_committed(const struct intake *in)
{
	return atomic_load_explicit(&in->committed, memory_order_acquire);
}

int intake_commit(struct intake *in)
{
	int rc = in->failed;

	if (rc == 0)
		rc = intake_transact(in);
	else
		tickstore_abort(in->env.store);
	if (rc < 0)
		in->clock_ns = in->clock_staged_ns = in->clock_safe_ns;
	if (rc == -ENOSPC || rc == -ENOMEM)
		stats_add(STAT_NO_SPACE, 1); /* before anybody hears of it */
	answer_group(in, rc);
	if (rc == -ENOSPC || rc == -ENOMEM) {
		log_warn("store", "%s; ticks are refused until there is space",
			 err_text());
		return 0;
	}
	return rc;
}
