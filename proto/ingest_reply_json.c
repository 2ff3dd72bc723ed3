/* ingest_reply_json - a reply in JSON, read back: what producers of articles hear. */
#include "base/err.h"
#include "proto/ingest.h"
#include "proto/json_scan.h"

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

static uint32_t small(const struct json_token *t)
{
	uint64_t v = 0;

	return json_scan_u64(t, &v) && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static uint8_t outcome_of(const struct json_token *t)
{
	return json_scan_is(t, "accepted")    ? INGEST_ACCEPTED
	       : json_scan_is(t, "duplicate") ? INGEST_DUPLICATE
					      : INGEST_REJECTED;
}

/* A reason that this program does not know yet is MALFORMED: refused all the same. */
static uint8_t reason_of(const struct json_token *t)
{
	for (unsigned i = 0; i < REJECT_N; i++)
		if (json_scan_is(t, reject_name((enum reject_reason)i)))
			return (uint8_t)i;
	return REJECT_MALFORMED;
}

static void read_run(const struct json_token *object, struct ingest_run *out)
{
	struct json_scan s;
	struct json_token key, value;

	*out = (struct ingest_run){.outcome = INGEST_REJECTED};
	if (!enter(&s, object, JSON_OBJECT))
		return;
	while (member(&s, &key, &value)) {
		if (json_scan_is(&key, "first_index"))
			out->first_index = small(&value);
		else if (json_scan_is(&key, "n"))
			out->n = small(&value);
		else if (json_scan_is(&key, "outcome"))
			out->outcome = outcome_of(&value);
		else if (json_scan_is(&key, "reason"))
			out->reason = reason_of(&value);
		else if (json_scan_is(&key, "first_pos"))
			(void)json_scan_u64(&value, &out->first_pos);
	}
}

static void read_runs(const struct json_token *list, struct buf *out)
{
	struct json_scan s;
	struct json_token one;
	struct ingest_run run;

	if (!enter(&s, list, JSON_ARRAY))
		return;
	while (!json_scan_char(&s, ']') && json_scan_value(&s, &one)) {
		read_run(&one, &run);
		buf_add(out, &run, sizeof(run));
		(void)json_scan_char(&s, ',');
	}
}

static void read_text(const struct json_token *t, char out[INGEST_TEXT_MAX])
{
	size_t len;

	if (t->type != JSON_STRING || !json_scan_text(t, out, INGEST_TEXT_MAX, &len))
		memset(out, 0, INGEST_TEXT_MAX);
}

static bool read_status(const struct json_token *t, struct ingest_reply_root *root)
{
	for (unsigned i = 0; i < INGEST_STATUS_N; i++) {
		if (!json_scan_is(t, ingest_status_name(i)))
			continue;
		root->status = (uint8_t)i;
		return true;
	}
	return false;
}

static void read_number(const struct json_token *key, const struct json_token *value,
			struct ingest_reply_root *root)
{
	if (json_scan_is(key, "epoch"))
		(void)json_scan_u64(value, &root->epoch);
	else if (json_scan_is(key, "last_pos"))
		(void)json_scan_u64(value, &root->last_pos);
	else if (json_scan_is(key, "accepted"))
		root->accepted = small(value);
	else if (json_scan_is(key, "duplicate"))
		root->duplicate = small(value);
	else if (json_scan_is(key, "rejected"))
		root->rejected = small(value);
	else if (json_scan_is(key, "retry_ms"))
		root->retry_ms = small(value);
}

int ingest_reply_read(const char *text, size_t len, struct ingest_reply *out)
{
	struct json_scan s = {.at = text, .end = text + len};
	struct json_token root, key, value;
	bool has_status = false;

	ingest_reply_reset(out);
	if (!json_scan_value(&s, &root) || !enter(&s, &root, JSON_OBJECT))
		return err_set(INGEST_MALFORMED, "the reply is no JSON object");
	while (member(&s, &key, &value)) {
		if (json_scan_is(&key, "status"))
			has_status = read_status(&value, &out->root);
		else if (json_scan_is(&key, "durability"))
			out->root.durability = json_scan_is(&value, "normal")
						       ? INGEST_NORMAL
						       : INGEST_FULLY_SYNCED;
		else if (json_scan_is(&key, "text"))
			read_text(&value, out->root.text);
		else if (json_scan_is(&key, "runs"))
			read_runs(&value, &out->runs);
		else
			read_number(&key, &value, &out->root);
	}
	return has_status ? 0
			  : err_set(INGEST_MALFORMED, "the reply has no known status");
}
