/*
 * admin_commands_archive - how the archive is, and what it is to do.  The answers come
 * from its threads, by the mailbox that the store's answers take.
 */
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/daemon_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELPERS_TEXT 512

/* A call on its way: its words come back to the loop. */
struct archive_call {
	struct daemon_question back; /* the first: what is freed at the end */
	struct admin_call *call;
	bool is_ok;
	bool has_sum;
	uint64_t files, rows, bytes, bad, rewritten;
	char text[HELPERS_TEXT];
};

ON_LOOP static bool is_off(struct daemon *d, struct admin_call *call)
{
	if (d->carrier != NULL)
		return false;
	admin_fail(
		call, "no_archive",
		"this daemon keeps no archive: set archive.dir in the configuration");
	return true;
}

static void came_back(struct daemon *d, void *arg)
{
	struct archive_call *c = arg;
	struct jsonw *w;

	role_assert_loop();
	if (!c->is_ok) {
		admin_fail(c->call, "failed", c->text);
		return;
	}
	w = admin_result(c->call);
	jsonw_str(w, "dir", d->config.archive.dir);
	if (c->has_sum) {
		jsonw_u64(w, "files", c->files);
		jsonw_u64(w, "rows", c->rows);
		jsonw_u64(w, "bytes", c->bytes);
		jsonw_u64(w, "rewritten", c->rewritten);
		jsonw_u64(w, "bad", c->bad);
		jsonw_str(w, "first_bad", c->text);
	}
	admin_done(c->call);
}

static void was_answered(void *arg, const struct json *doc, const void *bulk,
			 size_t bulk_len)
{
	struct archive_call *c = arg;
	const char *text =
		"the archive's helper did not answer; its reason is in the log";

	(void)bulk;
	(void)bulk_len;
	if (doc != NULL) {
		c->is_ok = json_bool(json_get(doc, "ok"), false);
		c->has_sum = true;
		(void)json_u64(json_get(doc, "files"), &c->files);
		(void)json_u64(json_get(doc, "rows"), &c->rows);
		if (json_u64(json_get(doc, "bytes"), &c->bytes) < 0)
			(void)json_u64(json_get(doc, "bytes_after"), &c->bytes);
		(void)json_u64(json_get(doc, "bad"), &c->bad);
		(void)json_u64(json_get(doc, "rewritten"), &c->rewritten);
		text = json_str(json_get(doc, c->is_ok ? "first_bad" : "error"), "");
	}
	(void)snprintf(c->text, sizeof(c->text), "%s", text);
	daemon_answered(&c->back);
}

static void was_flushed(void *arg, int rc)
{
	struct archive_call *c = arg;

	c->is_ok = rc == 0;
	if (rc < 0)
		(void)snprintf(c->text, sizeof(c->text), "%s", err_text());
	daemon_answered(&c->back);
}

ON_LOOP static struct archive_call *begin(struct daemon *d, struct admin_call *call)
{
	struct archive_call *c;

	if (is_off(d, call))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		admin_fail(call, "busy", "out of memory; ask again");
		return NULL;
	}
	c->back = (struct daemon_question){.d = d, .answer = came_back, .arg = c};
	c->call = call;
	return c;
}

ON_LOOP static void give_up(struct archive_call *c)
{
	admin_fail(c->call, "busy", "the archive has too much to do; ask again");
	free(c);
}

ON_LOOP static void ask(struct daemon *d, struct admin_call *call, const char *doc)
{
	struct archive_call *c = begin(d, call);

	if (c != NULL && d->archive.ask(d->archive.to, doc, strlen(doc), NULL, 0,
					was_answered, c) < 0)
		give_up(c);
}

void admin_archive_verify(struct daemon *d, const struct json *request,
			  struct admin_call *call)
{
	(void)request;
	ask(d, call, "{\"do\":\"verify\"}");
}

void admin_archive_compact(struct daemon *d, const struct json *request,
			   struct admin_call *call)
{
	(void)request;
	ask(d, call, "{\"do\":\"compact\"}");
}

static void hurry(struct store_thread *st, void *arg)
{
	struct daemon *d = arg;

	(void)st;
	role_assert_store();
	past_handover_hurry(d->handover);
}

void admin_archive_flush(struct daemon *d, const struct json *request,
			 struct admin_call *call)
{
	struct archive_call *c = begin(d, call);

	(void)request;
	if (c == NULL)
		return;
	(void)store_post(d->store, hurry, d);
	if (archive_flush(d->archive_thread, was_flushed, c) != 0)
		give_up(c);
}

void admin_archive_status(struct daemon *d, const struct json *request,
			  struct admin_call *call)
{
	struct archive_carrier_status helper;
	struct archive_thread_status rows;
	struct jsonw *w = admin_result(call);

	(void)request;
	if (is_off(d, call))
		return;
	archive_carrier_status(d->carrier, &helper);
	archive_thread_status(d->archive_thread, &rows);
	jsonw_str(w, "dir", d->config.archive.dir);
	jsonw_u64(w, "rows_reached", handover_reached(d->rows));
	jsonw_u64(w, "position", store_committed(d->store));
	jsonw_i64(w, "helper", helper.pid);
	jsonw_u64(w, "starts", helper.starts);
	jsonw_u64(w, "deaths", helper.deaths);
	jsonw_u64(w, "questions", helper.questions);
	jsonw_u64(w, "handovers", rows.handovers);
	jsonw_u64(w, "failures", rows.failures);
	if (rows.done_ns == 0)
		jsonw_null(w, "last");
	else
		jsonw_time(w, "last", rows.done_ns);
	jsonw_str(w, "why", rows.why[0] != '\0' ? rows.why : helper.why);
	admin_done(call);
}
