/*
 * ingest_reply - outcomes of a request's ticks, gathered into runs.
 */
#include "base/err.h"
#include "base/jsonw.h"
#include "proto/ingest.h"
#include <assert.h>

static const char *const statuses[] = {
#define X(id, label) label,
	INGEST_STATUSES(X)
#undef X
};

const char *ingest_status_name(unsigned status)
{
	return status < INGEST_STATUS_N ? statuses[status] : "?";
}

static const char *const outcomes[] = {"accepted", "duplicate", "rejected"};

void ingest_reply_set(struct ingest_reply *r, enum ingest_status status,
		      const char *text)
{
	size_t len = text ? strnlen(text, INGEST_TEXT_MAX) : 0;

	/* A cut never splits a UTF-8 character: its followers are 10xxxxxx. */
	if (len == INGEST_TEXT_MAX && ((unsigned char)text[len] & 0xc0) == 0x80)
		while (len > 0 && ((unsigned char)text[--len] & 0xc0) == 0x80)
			;
	r->root.status = (uint8_t)status;
	memset(r->root.text, 0, sizeof(r->root.text));
	if (len > 0)
		memcpy(r->root.text, text, len);
}

static struct ingest_run *newest(struct ingest_reply *r)
{
	if (r->runs.len == 0)
		return NULL;
	return (struct ingest_run *)(void *)(r->runs.data + r->runs.len) - 1;
}

static uint32_t *counter(struct ingest_reply *r, enum ingest_outcome outcome)
{
	switch (outcome) {
	case INGEST_ACCEPTED:
		return &r->root.accepted;
	case INGEST_DUPLICATE:
		return &r->root.duplicate;
	case INGEST_REJECTED:
		break;
	}
	return &r->root.rejected;
}

void ingest_reply_add(struct ingest_reply *r, enum ingest_outcome outcome,
		      enum reject_reason reason, uint64_t pos)
{
	struct ingest_run *run = newest(r);
	struct ingest_run next = {.first_pos = outcome == INGEST_ACCEPTED ? pos : 0,
				  .n = 1,
				  .outcome = (uint8_t)outcome,
				  .reason = (uint8_t)reason};

	++*counter(r, outcome);
	if (run && run->outcome == outcome && run->reason == reason &&
	    (outcome != INGEST_ACCEPTED || run->first_pos + run->n == pos)) {
		run->n++;
		return;
	}
	next.first_index = run ? run->first_index + run->n : 0;
	assert(next.first_index < INGEST_TICKS_MAX);
	buf_add(&r->runs, &next, sizeof(next));
}

void ingest_reply_reset(struct ingest_reply *r)
{
	r->root = (struct ingest_reply_root){0};
	r->runs.len = 0;
}

void ingest_reply_deinit(struct ingest_reply *r)
{
	buf_free(&r->runs);
	*r = (struct ingest_reply){0};
}

static void write_sbe(const struct ingest_reply *r, struct buf *out)
{
	uint8_t head[sizeof(struct sbe_head)];
	uint8_t group[sizeof(struct sbe_group)];

	sbe_head_write(head, SBE_INGEST_REPLY, sizeof(r->root));
	sbe_group_write(group, sizeof(struct ingest_run),
			r->runs.len / sizeof(struct ingest_run));
	buf_add(out, head, sizeof(head));
	buf_add(out, &r->root, sizeof(r->root));
	buf_add(out, group, sizeof(group));
	buf_add(out, r->runs.data, r->runs.len);
}

static void write_json_run(struct jsonw *w, const struct ingest_run *run)
{
	jsonw_object(w, NULL);
	jsonw_u64(w, "first_index", run->first_index);
	jsonw_u64(w, "n", run->n);
	jsonw_str(w, "outcome", outcomes[run->outcome]);
	if (run->outcome == INGEST_REJECTED)
		jsonw_str(w, "reason", reject_name((enum reject_reason)run->reason));
	if (run->outcome == INGEST_ACCEPTED)
		jsonw_u64(w, "first_pos", run->first_pos);
	jsonw_end(w);
}

static void write_json(const struct ingest_reply *r, struct buf *out)
{
	const struct ingest_reply_root *root = &r->root;
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "status", ingest_status_name(root->status));
	jsonw_str(&w, "durability",
		  root->durability == INGEST_NORMAL ? "normal" : "full");
	jsonw_u64(&w, "epoch", root->epoch);
	jsonw_u64(&w, "accepted", root->accepted);
	jsonw_u64(&w, "duplicate", root->duplicate);
	jsonw_u64(&w, "rejected", root->rejected);
	jsonw_u64(&w, "last_pos", root->last_pos);
	jsonw_u64(&w, "retry_ms", root->retry_ms);
	jsonw_strn(&w, "text", root->text,
		   symbol_field_len(root->text, INGEST_TEXT_MAX));
	jsonw_array(&w, "runs");
	for (size_t at = 0; at < r->runs.len; at += sizeof(struct ingest_run))
		write_json_run(&w, (const void *)(r->runs.data + at));
	jsonw_end(&w);
	jsonw_end(&w);
}

void ingest_reply_write(const struct ingest_reply *r, bool as_json, struct buf *out)
{
	if (as_json)
		write_json(r, out);
	else
		write_sbe(r, out);
}

static int bad(const char *what)
{
	return err_set(INGEST_MALFORMED, "ingest reply: %s", what);
}

int ingest_reply_open(const void *data, size_t len, struct ingest_reply_view *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct ingest_reply_view v = {0};
	struct sbe_head h;
	struct sbe_group g;

	if (sbe_head_read(&c, &h) || h.template_id != SBE_INGEST_REPLY)
		return bad("not one");
	if (sbe_block_read(&c, h.block_length, &v.root, sizeof(v.root)) ||
	    sbe_group_read(&c, &g))
		return bad("cut short");
	if (g.block_length < sizeof(struct ingest_run) ||
	    sbe_left(&c) < (size_t)g.block_length * g.n)
		return bad("a run is cut short");
	v.n_runs = g.n;
	v.runs = c.at;
	v.stride = g.block_length;
	*out = v;
	return 0;
}

void ingest_reply_run(const struct ingest_reply_view *v, size_t i,
		      struct ingest_run *out)
{
	assert(i < v->n_runs);
	memcpy(out, v->runs + i * v->stride, sizeof(*out));
}
