/*
 * admin_commands_store - the way to the store thread and back (struct question), and
 * what is asked there but for records: pause, resume, counts, refused ticks.
 */
#include "base/clock.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/admin_commands_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- there and back ---- */

void question_fail(struct question *q, int rc)
{
	q->rc = rc;
	(void)snprintf(q->text, sizeof(q->text), "%s", err_text());
}

bool question_has_result(struct question *q)
{
	if (q->rc >= 0)
		return true;
	admin_fail(q->call, "failed", q->text);
	return false;
}

void question_free(struct question *q)
{
	buf_free(&q->rows);
	free(q);
}

struct question *question_new(struct daemon *d, struct admin_call *call)
{
	return question_new_in(d, call, sizeof(struct question));
}

void *question_new_in(struct daemon *d, struct admin_call *call, size_t size)
{
	struct question *q = calloc(1, size);

	if (q == NULL) {
		admin_fail(call, "busy", "out of memory; ask again");
		return NULL;
	}
	q->call = call;
	q->d = d;
	q->symbols_max = d->config.limits.symbols_max;
	return q;
}

void question_ask(struct daemon *d, struct question *q, daemon_ask_fn there,
		  daemon_answer_fn back)
{
	if (daemon_ask(d, there, back, q) == 0)
		return;
	admin_fail(q->call, "busy", "the store thread has too much to do; ask again");
	question_free(q);
}

/* ---- control records: pause, resume, and the kill switch's ---- */

int control_append(struct store_thread *st, uint64_t verb, uint32_t symbol_id,
		   uint64_t source_seq, uint64_t *out_pos)
{
	const struct record r = {.type = RECORD_CONTROL,
				 .event_ns = clock_wall_ns(),
				 .recv_ns = clock_wall_ns(),
				 RECORD_NO_VALUES,
				 .source_seq = source_seq,
				 .ref_seq = verb,
				 .symbol_id = symbol_id};
	struct store_status log;
	uint64_t was = 0;
	int rc = intake_record(store_intake(st), &r);

	/* What intake_record() commits to make room does not hold this record. */
	tickstore_status(store_log(st), &log);
	was = log.last_pos;
	if (rc == 0)
		rc = intake_commit(store_intake(st));
	if (rc < 0)
		return rc;
	tickstore_status(store_log(st), &log);
	*out_pos = log.last_pos;
	if (log.last_pos ==
	    was) /* refused for lack of space, which intake has reported */
		return err_set(-ENOSPC, "there is no space for the record");
	stats_add(STAT_CONTROL_RECORDS, 1);
	return 0;
}

static void ask_control(struct store_thread *st, void *arg)
{
	struct question *q = arg;
	int rc;

	role_assert_store();
	rc = control_append(st, q->verb, q->symbol_id, 0, &q->pos);
	if (rc < 0)
		question_fail(q, rc);
}

static void answer_control(struct daemon *d, void *arg)
{
	struct question *q = arg;

	role_assert_loop();
	if (question_has_result(q)) {
		struct jsonw *w = admin_result(q->call);

		admin_name(w, "symbol", symtab_name(d->symbols, q->symbol_id),
			   SYMTAB_NAME_MAX);
		jsonw_str(w, "state", q->verb == CONTROL_PAUSE ? "paused" : "live");
		jsonw_u64(w, "position", q->pos);
		admin_done(q->call);
	}
	question_free(q);
}

void control_symbol(struct daemon *d, uint32_t symbol_id, uint64_t verb,
		    struct admin_call *call)
{
	struct question *q = question_new(d, call);

	if (q == NULL)
		return;
	q->symbol_id = symbol_id;
	q->verb = verb;
	question_ask(d, q, ask_control, answer_control);
}

ON_LOOP static void control(struct daemon *d, const struct json *request,
			    struct admin_call *call, enum control_verb verb)
{
	const char *symbol = json_str(json_get(request, "symbol"), "");
	uint32_t id;

	if (symtab_find(d->symbols, symbol, strlen(symbol), &id) != 0) {
		admin_fail(call, symbol[0] == '\0' ? "bad_request" : "not_found",
			   symbol[0] == '\0' ? "symbol is missing"
					     : "there is no such symbol");
		return;
	}
	control_symbol(d, id, verb, call);
}

void admin_pause(struct daemon *d, const struct json *request, struct admin_call *call)
{
	control(d, request, call, CONTROL_PAUSE);
}

void admin_resume(struct daemon *d, const struct json *request, struct admin_call *call)
{
	control(d, request, call, CONTROL_RESUME);
}

/* ---- counts and refusals ---- */

static void ask_count(struct store_thread *st, void *arg)
{
	struct question *q = arg;

	role_assert_store();
	tickstore_status(store_log(st), &q->log);
}

static void answer_count(struct daemon *d, void *arg)
{
	struct question *q = arg;
	uint64_t first = q->log.first_pos, last = q->log.last_pos;
	struct jsonw *w;

	role_assert_loop();
	w = admin_result(q->call);
	jsonw_u64(w, "count", first == 0 ? 0 : last - first + 1);
	jsonw_u64(w, "first_pos", first);
	jsonw_u64(w, "last_pos", last);
	jsonw_u64(w, "durable_pos", q->log.durable_pos);
	jsonw_u64(w, "epoch", d->epoch);
	jsonw_u64(w, "duplicates", q->log.duplicates);
	jsonw_u64(w, "producers", q->log.producers);
	jsonw_u64(w, "database_bytes", q->log.db_bytes);
	admin_done(q->call);
	question_free(q);
}

void admin_log_count(struct daemon *d, const struct json *request,
		     struct admin_call *call)
{
	struct question *q = question_new(d, call);

	(void)request;
	if (q != NULL)
		question_ask(d, q, ask_count, answer_count);
}

/* Refused ticks are foreign bytes: text as text, SBE as hex digits. */
static void put_foreign(struct jsonw *w, const char *text, size_t len)
{
	char hex[2 * STORE_QUARANTINE_TEXT + 1] = "";

	if (memchr(text, '\0', len) == NULL) {
		jsonw_strn(w, "text", text, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (uint8_t)text[i]);
	jsonw_str(w, "hex", hex);
}

ON_STORE static void put_refusal(struct store_thread *st, struct jsonw *w,
				 const struct store_refusal *r)
{
	size_t len = r->len < sizeof(r->text) ? r->len : sizeof(r->text);

	jsonw_object(w, NULL);
	jsonw_u64(w, "id", r->id);
	jsonw_time(w, "recv_time", r->recv_ns);
	jsonw_str(w, "reason",
		  r->reason < REJECT_N ? reject_name((enum reject_reason)r->reason)
				       : "?");
	if (r->producer != STORE_NO_PRODUCER)
		jsonw_str(w, "producer",
			  tickstore_producer_name(store_log(st), r->producer));
	put_foreign(w, r->text, len);
	jsonw_end(w);
}

ON_STORE static void read_quarantine(struct store_thread *st, struct question *q)
{
	struct store_refusal *rows = calloc(q->n + 1, sizeof(*rows));
	struct jsonw w;
	uint32_t n = 0;
	int rc;

	if (rows == NULL) {
		question_fail(q,
			      err_set(-ENOMEM, "out of memory for the refused ticks"));
		return;
	}
	rc = tickstore_quarantine_list(store_log(st), q->from, (uint32_t)q->n, rows,
				       &n);
	if (rc < 0)
		question_fail(q, rc);
	jsonw_init(&w, &q->rows);
	jsonw_array(&w, NULL);
	for (uint32_t i = 0; rc >= 0 && i < n; i++)
		put_refusal(st, &w, &rows[i]);
	jsonw_end(&w);
	q->pos = rc >= 0 && n > 0 ? rows[n - 1].id : q->from;
	q->is_done = n < q->n;
	free(rows);
}

static void ask_quarantine(struct store_thread *st, void *arg)
{
	role_assert_store();
	read_quarantine(st, arg);
}

static void answer_quarantine(struct daemon *d, void *arg)
{
	struct question *q = arg;

	role_assert_loop();
	(void)d;
	if (question_has_result(q)) {
		struct jsonw *w = admin_result(q->call);

		jsonw_raw(w, "refused", (const char *)q->rows.data, q->rows.len);
		jsonw_u64(w, "next_after", q->pos);
		jsonw_bool(w, "done", q->is_done);
		admin_done(q->call);
	}
	question_free(q);
}

void admin_quarantine(struct daemon *d, const struct json *request,
		      struct admin_call *call)
{
	struct question *q;
	uint64_t n, after;

	if (!admin_number(request, "n", 100, call, &n) ||
	    !admin_number(request, "after", 0, call, &after))
		return;
	q = question_new(d, call);
	if (q == NULL)
		return;
	q->n = n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	q->from = after;
	question_ask(d, q, ask_quarantine, answer_quarantine);
}
