/*
 * catchup_json - pages for people and scripts: the same frames, printed.
 */
#include "base/err.h"
#include "base/jsonw.h"
#include "proto/catchup.h"
#include "proto/timeframe.h"
#include <stdio.h>

static void put_stream(struct jsonw *w, uint8_t kind, const char symbol[SYMBOL_MAX],
		       uint32_t timeframe_s, const char *key, uint64_t seq)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "kind", event_kind_word((enum event_kind)kind));
	jsonw_strn(w, "symbol", symbol, symbol_field_len(symbol, SYMBOL_MAX));
	if (timeframe_s)
		jsonw_str(w, "timeframe", timeframe_name(timeframe_s));
	jsonw_u64(w, key, seq);
	jsonw_end(w);
}

static void put_gone(struct jsonw *w, const struct catchup_page_view *v)
{
	struct catchup_gone g;

	jsonw_array(w, "gone");
	for (size_t i = 0; i < v->n_gone; i++) {
		catchup_page_gone_at(v, i, &g);
		put_stream(w, g.kind, g.symbol, g.timeframe_s, "first_held_seq",
			   g.first_held_seq);
	}
	jsonw_end(w);
}

static void put_held(struct jsonw *w, const struct catchup_page_view *v)
{
	struct catchup_held h;

	jsonw_array(w, "held");
	for (size_t i = 0; i < v->n_held; i++) {
		catchup_page_held_at(v, i, &h);
		put_stream(w, h.kind, h.symbol, h.timeframe_s, "first_seq",
			   h.first_seq);
	}
	jsonw_end(w);
}

static void put_hash(struct jsonw *w, uint64_t hash)
{
	char text[20];

	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
	jsonw_str(w, "hash", text);
}

static void put_root(struct jsonw *w, const struct catchup_page_root *root)
{
	jsonw_str(w, "status", catchup_status_name(root->status));
	jsonw_strn(w, "text", root->text,
		   symbol_field_len(root->text, sizeof(root->text)));
	jsonw_u64(w, "epoch", root->epoch);
	jsonw_u64(w, "live_pos", root->live_pos);
	jsonw_u64(w, "first_held_pos", root->first_held_pos);
	jsonw_u64(w, "next_pos", root->next_pos);
	jsonw_u64(w, "next_skip", root->next_skip);
	jsonw_str(w, "next_from",
		  root->next_from == CATCHUP_FROM_SNAPSHOT ? "snapshot" : "pos");
	jsonw_u64(w, "count", root->count);
	put_hash(w, root->hash);
	jsonw_bool(w, "done", root->done);
}

static void put_matrix(struct jsonw *w, const struct frame_view *v,
		       const struct event_json_ctx *ctx)
{
	struct buf whole = {0}, line = {0};
	size_t need = frame_matrix_copy(v, NULL, 0);
	struct tier2_member *members;
	double *triangle;

	(void)frame_matrix_copy(v, buf_reserve(&whole, need), need);
	members = (void *)(whole.data + sizeof(v->matrix));
	triangle = (void *)(members + v->matrix.n_members);
	event_json_tier2(&line, &v->matrix, members, triangle, ctx);
	jsonw_raw(w, NULL, (const char *)line.data, line.len);
	buf_free(&line);
	buf_free(&whole);
}

static const char *source_of(enum event_kind kind, const void *event,
			     catchup_source_fn source, void *arg)
{
	if (source == NULL)
		return NULL;
	if (kind == EVENT_TICK)
		return source(arg, ((const struct event_tick *)event)->source_id);
	if (kind == EVENT_STATUS)
		return source(arg, ((const struct event_status *)event)->source_id);
	if (kind == EVENT_NEWS)
		return source(arg, ((const struct event_news *)event)->source_id);
	return NULL;
}

static int put_frame(struct jsonw *w, const void *frame, size_t len,
		     catchup_source_fn source, void *arg)
{
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
		struct event_status status;
	} event;
	char line[EVENT_JSON_MAX];
	struct event_json_ctx ctx;
	struct frame_view v;
	int rc = frame_open(frame, len, &v);

	if (rc == FRAME_OTHER)
		return 0; /* a kind of the future: not ours to print */
	if (rc)
		return CATCHUP_MALFORMED;
	ctx = (struct event_json_ctx){.epoch = v.root.epoch,
				      .publish_ns = v.root.publish_ns};
	if (v.kind == EVENT_TIER2) {
		put_matrix(w, &v, &ctx);
		return 0;
	}
	if (v.kind == EVENT_HEARTBEAT)
		return err_set(CATCHUP_MALFORMED, "catch-up: a heartbeat in a page");
	while (frame_next(&v, &event) == 0) {
		ctx.source = source_of(v.kind, &event, source, arg);
		jsonw_raw(w, NULL, line, event_json_any(line, v.kind, &event, &ctx));
	}
	return 0;
}

int catchup_page_json(const void *page, size_t len, catchup_source_fn source, void *arg,
		      struct buf *out)
{
	struct catchup_page_view v;
	size_t start = out->len, frame_len;
	const void *frame;
	struct jsonw w;
	int rc = catchup_page_open(page, len, &v);

	if (rc)
		return rc;
	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	put_root(&w, &v.root);
	put_gone(&w, &v);
	put_held(&w, &v);
	jsonw_array(&w, "events");
	while (rc == 0 && catchup_page_next(&v, &frame, &frame_len) == 0)
		rc = put_frame(&w, frame, frame_len, source, arg);
	if (rc) {
		out->len = start;
		return rc;
	}
	jsonw_end(&w);
	jsonw_end(&w);
	return 0;
}

static void dict_json(const struct catchup_dict_page_root *root,
		      const struct catchup_name *names, size_t n, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "dictionary",
		  root->which == CATCHUP_SOURCES ? "sources" : "symbols");
	jsonw_u64(&w, "epoch", root->epoch);
	jsonw_u64(&w, "next_id", root->next_id);
	jsonw_bool(&w, "done", root->done);
	jsonw_array(&w, "names");
	for (size_t i = 0; i < n; i++) {
		jsonw_object(&w, NULL);
		jsonw_u64(&w, "id", names[i].id);
		jsonw_strn(&w, "name", names[i].name,
			   symbol_field_len(names[i].name, sizeof(names[i].name)));
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_end(&w);
}

void catchup_dict_write(const struct catchup_dict_page_root *root,
			const struct catchup_name *names, size_t n, bool as_json,
			struct buf *out)
{
	if (as_json) {
		dict_json(root, names, n, out);
		return;
	}
	sbe_head_add(out, SBE_DICT_PAGE, root, sizeof(*root));
	sbe_group_add(out, sizeof(*names), n);
	buf_add(out, names, n * sizeof(*names));
}
