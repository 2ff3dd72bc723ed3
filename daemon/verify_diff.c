/*
 * verify_diff - see verify_diff.h.  Both events are printed as JSON and walked side by
 * side: names and the way values are shown are those that a reader knows already.
 */
#include "daemon/verify_diff.h"
#include "base/buf.h"
#include "proto/event_json.h"
#include "proto/json_scan.h"
#include "proto/timeframe.h"
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 4

void verify_face_of(enum event_kind kind, const void *event, struct verify_face *out)
{
	const struct event_tier2 *m = event;
	struct event_head head;
	const char *name = event_symbol(kind, event);

	memcpy(&head, event, sizeof(head));
	*out = (struct verify_face){.kind = kind, .seq = head.seq, .pos = head.pos};
	if (kind == EVENT_TIER2)
		(void)snprintf(out->symbol, sizeof(out->symbol), "%.*s/%s",
			       UNIVERSE_MAX, name, timeframe_name(m->timeframe_s));
	else
		(void)snprintf(out->symbol, sizeof(out->symbol), "%.*s", SYMBOL_MAX,
			       name);
}

/* A matrix whose counts do not fit its length is shown without its tail. */
static void print(struct buf *out, enum event_kind kind, const void *event, size_t len)
{
	const struct event_json_ctx ctx = {.epoch = 0, .publish_ns = VALUE_NULL};
	struct event_tier2 head;
	const struct tier2_member *members;

	if (kind != EVENT_TIER2) {
		out->len = event_json_any((char *)buf_reserve(out, EVENT_JSON_MAX),
					  kind, event, &ctx);
		return;
	}
	memcpy(&head, event, sizeof(head));
	if (head.n_included > head.n_members || frame_matrix_bytes(&head) != len)
		head.n_members = head.n_included = 0;
	members = (const void *)((const struct event_tier2 *)event + 1);
	event_json_tier2(out, &head, members,
			 (const double *)(members + head.n_members), &ctx);
}

struct differ {
	char *field; /* VERIFY_FIELD_MAX */
	char *text;  /* VERIFY_TEXT_MAX */
};

static bool differs(const struct differ *d, const char *path, unsigned depth,
		    const struct json_token *a, const struct json_token *b);

static bool open(const struct json_token *t, struct json_scan *out)
{
	*out = (struct json_scan){.at = t->text + 1, .end = t->text + t->len - 1};
	return t->type == JSON_OBJECT || t->type == JSON_ARRAY;
}

/* The next member of both; false at the end of either. */
static bool next_pair(struct json_scan s[2], bool is_object, bool began,
		      struct json_token key[2], struct json_token value[2])
{
	for (int i = 0; i < 2; i++) {
		json_scan_blank(&s[i]);
		if (s[i].at == s[i].end || (began && !json_scan_char(&s[i], ',')))
			return false;
		if (is_object && !json_scan_key(&s[i], &key[i]))
			return false;
		if (!json_scan_value(&s[i], &value[i]))
			return false;
	}
	return true;
}

static bool inside_differs(const struct differ *d, const char *path, unsigned depth,
			   const struct json_token *a, const struct json_token *b)
{
	struct json_token key[2], value[2];
	struct json_scan s[2];
	char name[VERIFY_FIELD_MAX];
	bool is_object = a->type == JSON_OBJECT;

	if (!open(a, &s[0]) || !open(b, &s[1]))
		return false;
	for (unsigned i = 0; next_pair(s, is_object, i > 0, key, value); i++) {
		if (is_object)
			(void)snprintf(name, sizeof(name), "%s%s%.*s", path,
				       path[0] == '\0' ? "" : ".", (int)key[0].len,
				       key[0].text);
		else
			(void)snprintf(name, sizeof(name), "%s[%u]", path, i);
		if (differs(d, name, depth + 1, &value[0], &value[1]))
			return true;
	}
	return false;
}

static bool differs(const struct differ *d, const char *path, unsigned depth,
		    const struct json_token *a, const struct json_token *b)
{
	if (a->type == b->type && a->len == b->len &&
	    memcmp(a->text, b->text, a->len) == 0)
		return false;
	if (a->type == b->type && depth < DEPTH_MAX &&
	    inside_differs(d, path, depth, a, b))
		return true;
	(void)snprintf(d->field, VERIFY_FIELD_MAX, "%s", path);
	(void)snprintf(d->text, VERIFY_TEXT_MAX,
		       "%s is %.*s in the store and %.*s recomputed from the log", path,
		       (int)(a->len < 120 ? a->len : 120), a->text,
		       (int)(b->len < 120 ? b->len : 120), b->text);
	return true;
}

void verify_diff(enum event_kind kind, const void *stored, size_t stored_len,
		 const void *derived, size_t derived_len, char field[VERIFY_FIELD_MAX],
		 char text[VERIFY_TEXT_MAX])
{
	const struct differ d = {field, text};
	const uint8_t *x = stored, *y = derived;
	struct buf a = {0}, b = {0};
	struct json_token ta, tb;
	struct json_scan sa, sb;
	size_t at = 0;

	print(&a, kind, stored, stored_len);
	print(&b, kind, derived, derived_len);
	sa = (struct json_scan){.at = (const char *)a.data,
				.end = (const char *)a.data + a.len};
	sb = (struct json_scan){.at = (const char *)b.data,
				.end = (const char *)b.data + b.len};
	if (!json_scan_value(&sa, &ta) || !json_scan_value(&sb, &tb) ||
	    !differs(&d, "", 0, &ta, &tb)) {
		while (at < stored_len && at < derived_len && x[at] == y[at])
			at++;
		(void)snprintf(field, VERIFY_FIELD_MAX, "byte %zu", at);
		(void)snprintf(text, VERIFY_TEXT_MAX,
			       "byte %zu of its block differs between the store and "
			       "what is recomputed from the log",
			       at);
	}
	buf_free(&a);
	buf_free(&b);
}
