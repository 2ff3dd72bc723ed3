/*
 * admin_commands_log - records of the log, printed.
 *
 * A tick's sequence is counted from the tick index; where that would take longer than
 * COUNT_RECORDS_MAX records, it is given as 0.
 */
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "proto/event_json.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_RECORDS_MAX 262144u

static const char *verb_name(uint64_t verb)
{
	static const char *const names[] = {"?", "pause", "resume", "config",
					    "restart"};

	return verb < sizeof(names) / sizeof(names[0]) ? names[verb] : "?";
}

/* A record that is no tick. */
static void put_other(struct jsonw *w, const struct question *q, uint64_t pos,
		      const struct record *r)
{
	char hex[24];

	jsonw_object(w, NULL);
	jsonw_u64(w, "pos", pos);
	jsonw_str(w, "type",
		  r->type == RECORD_CLOCK     ? "clock"
		  : r->type == RECORD_CONTROL ? "control"
		  : r->type == RECORD_NEWS    ? "news"
					      : "source");
	jsonw_time(w, "time", r->event_ns);
	jsonw_time(w, "recv_time", r->recv_ns);
	if (r->source_id != 0)
		admin_name(w, "source", symtab_name(q->d->sources, r->source_id),
			   SYMTAB_NAME_MAX);
	if (r->type == RECORD_CONTROL) {
		jsonw_str(w, "verb", verb_name(r->ref_seq));
		if (r->ref_seq == CONTROL_PAUSE || r->ref_seq == CONTROL_RESUME)
			admin_name(w, "symbol",
				   symtab_name(q->d->symbols, r->symbol_id),
				   SYMTAB_NAME_MAX);
		(void)snprintf(hex, sizeof(hex), "%016llx",
			       (unsigned long long)r->source_seq);
		if (r->source_seq != 0)
			jsonw_str(w, "value", hex);
	}
	jsonw_end(w);
}

static void put_tick(struct jsonw *w, const struct question *q, uint64_t pos,
		     uint64_t seq, const struct record *r)
{
	const char *source = symtab_name(q->d->sources, r->source_id);
	const struct event_json_ctx ctx = {.epoch = q->d->epoch,
					   .publish_ns = VALUE_NULL,
					   .source = source[0] != '\0' ? source : NULL};
	struct event_tick e = {.head = {seq, pos, r->event_ns, r->recv_ns},
			       .price_e9 = r->price_e9,
			       .size_e8 = r->size_e8,
			       .bid_e9 = r->bid_e9,
			       .ask_e9 = r->ask_e9,
			       .bid_size_e8 = r->bid_size_e8,
			       .ask_size_e8 = r->ask_size_e8,
			       .source_seq = r->source_seq,
			       .ref_seq = r->ref_seq,
			       .symbol_id = r->symbol_id,
			       .source_id = r->source_id,
			       .action = (uint8_t)record_action(r),
			       .flags = (uint8_t)record_flags(r)};
	char line[EVENT_JSON_MAX];

	memcpy(e.cond, r->cond, sizeof(e.cond));
	memcpy(e.symbol, symtab_name(q->d->symbols, r->symbol_id), SYMBOL_MAX);
	jsonw_raw(w, NULL, line, event_json_tick(line, &e, &ctx));
}

/* Where to begin counting: *@out_pos <= q->from, with @seq the counts before it. */
ON_STORE static bool counts_before(const struct question *q, uint64_t *seq,
				   uint64_t *out_pos)
{
	uint64_t at = 0;

	*out_pos = q->from;
	if (tick_index_at(q->d->tick_index, q->from - 1, seq, &at) != 0 ||
	    at + 1 < q->log.first_pos || q->from - at > COUNT_RECORDS_MAX)
		return false;
	*out_pos = at + 1;
	return true;
}

/* The rows from q->from to q->to; a negated errno when the log cannot be read. */
ON_STORE static int walk(struct store_thread *st, struct question *q, struct jsonw *w,
			 uint64_t *seq)
{
	uint64_t pos;
	bool counting = counts_before(q, seq, &pos);

	while (pos <= q->to) {
		const struct record *recs;
		uint32_t n;
		int rc = tickstore_peek(store_log(st), pos, &pos, &recs, &n);

		if (rc == STORE_GONE)
			continue; /* @pos is the first one held now */
		if (rc != 0)
			return rc < 0 ? rc : 0;
		for (uint32_t i = 0; i < n && pos <= q->to; i++, pos++) {
			const struct record *r = &recs[i];
			uint64_t number = 0;

			if (r->type == RECORD_TICK && r->symbol_id < q->symbols_max)
				number = ++seq[r->symbol_id];
			if (pos < q->from)
				continue;
			if (r->type == RECORD_TICK)
				put_tick(w, q, pos, counting ? number : 0, r);
			else
				put_other(w, q, pos, r);
		}
	}
	return 0;
}

/* Cut the range to what is held and to the rows of one answer. */
static void clip(struct question *q)
{
	if (q->from_end) {
		q->to = q->log.last_pos;
		q->from = q->to > q->n ? q->to - q->n + 1 : 1;
	}
	if (q->from < q->log.first_pos)
		q->from = q->log.first_pos;
	if (q->from == 0)
		q->from = 1;
	if (q->to > q->log.last_pos)
		q->to = q->log.last_pos;
	if (q->to >= q->from && q->to - q->from >= ADMIN_ROWS_MAX)
		q->to = q->from + ADMIN_ROWS_MAX - 1;
}

void admin_log_read(struct store_thread *st, struct question *q)
{
	uint64_t wanted = q->to;
	uint64_t *seq = calloc(q->symbols_max, sizeof(*seq));
	struct jsonw w;
	int rc = 0;

	if (seq == NULL) {
		question_fail(q, err_set(-ENOMEM, "out of memory for the records"));
		return;
	}
	tickstore_status(store_log(st), &q->log);
	clip(q);
	jsonw_init(&w, &q->rows);
	jsonw_array(&w, NULL);
	rc = walk(st, q, &w, seq);
	jsonw_end(&w);
	free(seq);
	if (rc < 0)
		question_fail(q, rc);
	q->pos = q->to >= q->from ? q->to + 1 : q->from;
	q->is_done = q->from_end || q->to >= wanted || q->to >= q->log.last_pos;
}

static void ask_range(struct store_thread *st, void *arg)
{
	role_assert_store();
	admin_log_read(st, arg);
}

static void answer_range(struct daemon *d, void *arg)
{
	struct question *q = arg;

	role_assert_loop();
	(void)d;
	if (question_has_result(q)) {
		struct jsonw *w = admin_result(q->call);

		jsonw_raw(w, "records", (const char *)q->rows.data, q->rows.len);
		jsonw_u64(w, "first_pos", q->log.first_pos);
		jsonw_u64(w, "last_pos", q->log.last_pos);
		jsonw_u64(w, "next_pos", q->pos);
		jsonw_bool(w, "done", q->is_done);
		admin_done(q->call);
	}
	question_free(q);
}

void admin_log_range(struct daemon *d, const struct json *request,
		     struct admin_call *call)
{
	struct question *q;
	uint64_t from, to;

	if (!admin_number(request, "from", 1, call, &from) ||
	    !admin_number(request, "to", UINT64_MAX - 1, call, &to))
		return;
	if (to < from) {
		admin_fail(call, "bad_request", "the range ends before it begins");
		return;
	}
	q = question_new(d, call);
	if (q == NULL)
		return;
	q->from = from;
	q->to = to;
	question_ask(d, q, ask_range, answer_range);
}

void admin_log_tail(struct daemon *d, const struct json *request,
		    struct admin_call *call)
{
	struct question *q;
	uint64_t n;

	if (!admin_number(request, "n", 10, call, &n))
		return;
	q = question_new(d, call);
	if (q == NULL)
		return;
	q->n = n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	q->from_end = true;
	question_ask(d, q, ask_range, answer_range);
}
