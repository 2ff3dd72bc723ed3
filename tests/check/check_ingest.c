/*
 * check_ingest - what producers sent and heard, against the log: rules ACKED to SUMS.
 */
#include "base/hash.h"
#include "tests/check/check_parts.h"
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

static const char *who(const struct check *k, uint32_t producer)
{
	return producer == CHRONICLE_DAEMON ? "the daemon"
					    : k->c->producers[producer].name;
}

/* What must come through unchanged; recv_ns and ids are the daemon's. */
static uint64_t content(const struct record *r, const char *symbol, const char *source)
{
	char names[SYMBOL_MAX + SOURCE_MAX] = {0};
	struct record copy = *r;
	uint64_t h;

	memcpy(names, symbol, strnlen(symbol, SYMBOL_MAX));
	memcpy(names + SYMBOL_MAX, source, strnlen(source, SOURCE_MAX));
	copy.recv_ns = 0;
	copy.symbol_id = 0;
	copy.source_id = 0;
	h = hash_bytes(HASH_SEED, &copy, sizeof(copy));
	return hash_bytes(h, names, sizeof(names));
}

static bool may_be_rejected(const struct check *k, const struct ingest_tick *t,
			    int64_t sent_ns)
{
	int64_t window_ns = k->c->config.time_window_ns / 2;
	int64_t off_ns = t->event_ns - sent_ns;

	return ingest_check(t) != REJECT_NONE || t->type == RECORD_CLOCK ||
	       window_ns == 0 || off_ns > window_ns || off_ns < -window_ns;
}

static bool may_judge_again(uint8_t reason)
{
	return reason == REJECT_TIME_TOO_OLD || reason == REJECT_TIME_IN_FUTURE ||
	       reason == REJECT_CLOCK_BACKWARDS || reason == REJECT_SYMBOL_LIMIT;
}

static void take_sent(struct check *k, const struct chronicle_call *call,
		      struct ingest_request *req)
{
	struct ingest_tick t;
	uint64_t seq = req->first_seq;
	int rc;

	while ((rc = ingest_next(req, &t)) != INGEST_END) {
		struct fate *f = check_fate(k, call->producer, seq++);
		struct record r = {0};
		uint64_t hash;

		if (rc == INGEST_BAD) {
			f->may_be_rejected = true;
			continue;
		}
		if (ingest_check(&t) == REJECT_NONE)
			ingest_record(&t, 0, 0, 0, &r);
		else
			memcpy(&r, &t, sizeof(r)); /* never in the log */
		hash = content(&r, t.symbol, req->source);
		if (f->sent && f->hash != hash)
			check_breach(k, CHECK_SENT,
				     "%s sent two things as its sequence %llu",
				     who(k, f->producer), (ull)f->seq);
		f->sent = true;
		f->hash = hash;
		f->may_be_rejected |= may_be_rejected(k, &t, call->sent_ns);
	}
}

/* An acknowledged position that is not in the log: was it allowed to go? */
static void judge_loss(struct check *k, const struct chronicle_call *call,
		       const struct fate *f, uint64_t epoch, uint64_t pos)
{
	const struct chronicle_life *lost = check_lost(k, epoch, pos);
	const struct chronicle_life *life = check_life(k, call->order);
	bool power = false;

	if (lost == NULL) {
		check_breach(k, CHECK_ACKED,
			     "%s's %llu was accepted at %llu and is not there, but "
			     "at %llu",
			     who(k, f->producer), (ull)f->seq, (ull)pos,
			     (ull)f->stored_pos);
		return;
	}
	check_looked(k, CHECK_LOSS);
	for (size_t i = 0; i < k->c->n_lives; i++)
		power |= k->c->lives[i].order < lost->order &&
			 k->c->lives[i].end == CHRONICLE_POWER;
	if (!k->c->config.is_normal || !power)
		check_breach(k, CHECK_LOSS,
			     "%s's %llu at %llu was lost: durability %s, %s",
			     who(k, f->producer), (ull)f->seq, (ull)pos,
			     k->c->config.is_normal ? "normal" : "full",
			     power ? "a power cut" : "no power cut");
	else if (life != NULL &&
		 life->end_ns - call->answered_ns > k->c->config.sync_interval_ns)
		check_breach(k, CHECK_LOSS,
			     "%s's %llu at %llu was lost %lld ms after its answer",
			     who(k, f->producer), (ull)f->seq, (ull)pos,
			     (long long)(life->end_ns - call->answered_ns) / 1000000);
}

static void accepted(struct check *k, const struct chronicle_call *call, struct fate *f,
		     uint64_t epoch, uint64_t pos)
{
	check_looked(k, CHECK_ACKED);
	if (f->acked && f->acked_pos != pos &&
	    check_lost(k, f->acked_epoch, f->acked_pos) == NULL)
		check_breach(k, CHECK_ONCE, "%s's %llu was accepted at %llu and %llu",
			     who(k, f->producer), (ull)f->seq, (ull)f->acked_pos,
			     (ull)pos);
	f->acked = true;
	f->acked_pos = pos;
	f->acked_epoch = epoch;
	if (f->stored_pos != pos)
		judge_loss(k, call, f, epoch, pos);
}

static void outcome(struct check *k, const struct chronicle_call *call, uint64_t epoch,
		    struct fate *f, const struct ingest_run *run, uint32_t i)
{
	switch (run->outcome) {
	case INGEST_ACCEPTED:
		accepted(k, call, f, epoch, run->first_pos + i);
		break;
	case INGEST_REJECTED:
		f->rejected = true;
		f->reason = run->reason;
		check_looked(k, CHECK_REJECTED);
		if (f->stored_pos != 0 && !may_judge_again(run->reason))
			check_breach(k, CHECK_REJECTED,
				     "%s's %llu was refused (%s) and stands at %llu",
				     who(k, f->producer), (ull)f->seq,
				     reject_name(run->reason), (ull)f->stored_pos);
		break;
	default:
		check_looked(k, CHECK_ACKED);
		if (f->stored_pos == 0 && !f->rejected &&
		    !(f->unknown && f->may_be_rejected) &&
		    !(f->acked && check_lost(k, f->acked_epoch, f->acked_pos)))
			check_breach(k, CHECK_ACKED,
				     "%s's %llu was called a duplicate and is not in "
				     "the log",
				     who(k, f->producer), (ull)f->seq);
	}
}

static void take_runs(struct check *k, const struct chronicle_call *call,
		      const struct ingest_request *req,
		      const struct ingest_reply_view *v)
{
	uint32_t sum[3] = {0}, covered = 0;

	for (uint32_t i = 0; i < v->n_runs; i++) {
		struct ingest_run run;

		ingest_reply_run(v, i, &run);
		if (run.outcome > INGEST_REJECTED || run.first_index != covered ||
		    run.n > req->n - covered) {
			check_breach(k, CHECK_SUMS, "%s: a reply's runs are not whole",
				     who(k, call->producer));
			return;
		}
		for (uint32_t j = 0; j < run.n; j++)
			outcome(k, call, v->root.epoch,
				check_fate(k, call->producer,
					   req->first_seq + run.first_index + j),
				&run, j);
		sum[run.outcome] += run.n;
		covered += run.n;
	}
	check_looked(k, CHECK_SUMS);
	if (covered != req->n || sum[INGEST_ACCEPTED] != v->root.accepted ||
	    sum[INGEST_DUPLICATE] != v->root.duplicate ||
	    sum[INGEST_REJECTED] != v->root.rejected)
		check_breach(k, CHECK_SUMS,
			     "%s: %u ticks sent, reply says %u accepted, %u duplicate, "
			     "%u refused, its runs %u, %u, %u",
			     who(k, call->producer), req->n, v->root.accepted,
			     v->root.duplicate, v->root.rejected, sum[INGEST_ACCEPTED],
			     sum[INGEST_DUPLICATE], sum[INGEST_REJECTED]);
}

static void take_unknown(struct check *k, const struct chronicle_call *call,
			 const struct ingest_request *req)
{
	for (uint32_t i = 0; i < req->n; i++)
		check_fate(k, call->producer, req->first_seq + i)->unknown = true;
}

static void take_call(struct check *k, const struct chronicle_call *call, bool replies)
{
	const struct chronicle *c = k->c;
	struct ingest_request req;
	struct ingest_reply_view v;
	const struct chronicle_life *life = check_life(k, call->order);

	if (ingest_open(chronicle_at(c, call->request_at), call->request_len, &req) !=
	    0)
		return;
	if (!replies) {
		take_sent(k, call, &req);
		return;
	}
	if (!call->answered || ingest_reply_open(chronicle_at(c, call->reply_at),
						 call->reply_len, &v) != 0) {
		take_unknown(k, call, &req);
		return;
	}
	if (life != NULL && v.root.epoch != life->epoch)
		check_breach(k, CHECK_EPOCH, "a reply names epoch %llu instead of %llu",
			     (ull)v.root.epoch, (ull)life->epoch);
	if (v.root.status == INGEST_STATUS_OK)
		take_runs(k, call, &req, &v);
	else
		take_unknown(k, call, &req);
}

static void take_record(struct check *k, const struct chronicle_record *r,
			uint64_t *last_seq)
{
	const struct chronicle *c = k->c;
	const char *symbol = "", *source = "";
	struct fate *f;

	if (r->producer == CHRONICLE_DAEMON)
		return;
	f = check_fate(k, r->producer, r->seq);
	check_looked(k, CHECK_ONCE);
	check_looked(k, CHECK_ORDER);
	if (f->stored_pos != 0)
		check_breach(k, CHECK_ONCE, "%s's %llu stands at %llu and %llu",
			     who(k, r->producer), (ull)r->seq, (ull)f->stored_pos,
			     (ull)r->pos);
	else if (r->seq <= last_seq[r->producer])
		check_breach(k, CHECK_ORDER, "%s's %llu comes after %llu",
			     who(k, r->producer), (ull)r->seq,
			     (ull)last_seq[r->producer]);
	last_seq[r->producer] = r->seq;
	f->stored_pos = r->pos;
	if (r->rec.type == RECORD_TICK && r->rec.symbol_id < c->n_symbols)
		symbol = c->symbols[r->rec.symbol_id];
	if (r->rec.source_id < c->n_sources)
		source = c->sources[r->rec.source_id];
	check_looked(k, CHECK_SENT);
	if (!f->sent || f->hash != content(&r->rec, symbol, source))
		check_breach(k, CHECK_SENT, "position %llu is not what %s sent as %llu",
			     (ull)r->pos, who(k, r->producer), (ull)r->seq);
}

/* A request that is refused as a whole counts as one. */
static bool is_malformed(const struct check *k, const struct chronicle_call *call)
{
	struct ingest_request req;

	return call->answered && ingest_open(chronicle_at(k->c, call->request_at),
					     call->request_len, &req) != 0;
}

/* Counters sum over all lives, so they are compared where none was cut short. */
static void check_counters(struct check *k)
{
	const struct chronicle_counters *n = &k->c->counters;
	uint64_t accepted = 0, rejected[REJECT_N] = {0};

	for (size_t i = 0; i < k->c->n_calls; i++)
		rejected[REJECT_MALFORMED] += is_malformed(k, &k->c->calls[i]);
	for (size_t i = 0; i < k->fates_max; i++) {
		accepted += k->fates[i].used && k->fates[i].acked;
		if (k->fates[i].used && k->fates[i].rejected)
			rejected[k->fates[i].reason]++;
	}
	check_looked(k, CHECK_SUMS);
	if (accepted != n->accepted)
		check_breach(k, CHECK_SUMS,
			     "%llu ticks were accepted, the counter says %llu",
			     (ull)accepted, (ull)n->accepted);
	for (int r = 1; r < REJECT_N; r++)
		if (rejected[r] != n->rejected[r])
			check_breach(k, CHECK_SUMS,
				     "%llu ticks were refused as %s, the counter says "
				     "%llu",
				     (ull)rejected[r], reject_name((unsigned)r),
				     (ull)n->rejected[r]);
}

void check_ingest(struct check *k)
{
	const struct chronicle *c = k->c;
	uint64_t last_seq[CHRONICLE_PEERS_MAX] = {0};

	for (size_t i = 0; i < c->n_calls; i++)
		take_call(k, &c->calls[i], false);
	for (size_t i = 0; i < c->n_records; i++)
		take_record(k, &c->records[i], last_seq);
	for (size_t i = 0; i < c->n_calls; i++)
		take_call(k, &c->calls[i], true);
	if (c->has_counters)
		check_counters(k);
}

/* ---- positions ---- */

static bool is_reported(const struct check *k, uint64_t pos)
{
	for (size_t i = 0; i < k->c->n_lives; i++) {
		const struct chronicle_life *l = &k->c->lives[i];

		if (l->lost_first != 0 && pos >= l->lost_first && pos <= l->lost_last)
			return true;
	}
	return false;
}

void check_log(struct check *k)
{
	const struct chronicle *c = k->c;
	uint64_t expected = 1;

	for (size_t i = 0; i < c->n_records; i++) {
		uint64_t pos = c->records[i].pos;

		check_looked(k, CHECK_POSITION);
		if (pos < expected)
			check_breach(k, CHECK_POSITION, "position %llu comes twice",
				     (ull)pos);
		for (; expected < pos; expected++)
			if (!is_reported(k, expected))
				check_breach(k, CHECK_POSITION,
					     "position %llu is missing and was not "
					     "reported as lost",
					     (ull)expected);
		if (is_reported(k, pos))
			check_breach(k, CHECK_POSITION,
				     "position %llu was lost and is used again",
				     (ull)pos);
		expected = pos + 1;
	}
}
