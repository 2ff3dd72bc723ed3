/* serve_catchup_past - see serve_catchup_past.h. */
#include "daemon/serve_catchup_past.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "daemon/serve_catchup_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- questions ---- */

static void question_begin(struct catchup_past *p, enum past_question what,
			   const char *word, struct jsonw *w)
{
	p->question = what;
	p->doc.len = 0;
	jsonw_init(w, &p->doc);
	jsonw_object(w, NULL);
	jsonw_str(w, "do", word);
}

int past_ask_status(struct query *q)
{
	struct jsonw w;

	question_begin(q->env->past, PAST_STATUS, "past_status", &w);
	jsonw_end(&w);
	return CATCHUP_WAITS;
}

static void put_name(struct jsonw *w, const char *key, const char name[SYMBOL_MAX])
{
	jsonw_strn(w, key, name, symbol_field_len(name, SYMBOL_MAX));
}

static int ask_page(struct query *q, const struct tap *t)
{
	struct catchup_past *p = q->env->past;
	size_t bytes = q->env->page_bytes_max / (q->n_taps > 1 ? 2 : 1);
	struct jsonw w;

	question_begin(p, PAST_READ, "read_past", &w);
	jsonw_str(&w, "kind", event_kind_word(t->kind));
	jsonw_u64(&w, "from_pos", t->pos);
	jsonw_u64(&w, "max_bytes", bytes);
	if (q->req.n_streams > 0) {
		jsonw_array(&w, "names");
		for (uint32_t i = 0; i < q->req.n_streams; i++) {
			const struct catchup_stream *s = &q->req.streams[i];

			if (s->kind == t->kind || s->kind == CATCHUP_ANY_KIND)
				put_name(&w, NULL, s->symbol);
		}
		jsonw_end(&w);
	}
	jsonw_end(&w);
	p->kind = t->kind;
	p->from_pos = t->pos;
	return CATCHUP_WAITS;
}

int past_ask_streams(struct query *q)
{
	struct catchup_past *p = q->env->past;
	struct jsonw w;

	question_begin(p, PAST_FIND, "find_past", &w);
	jsonw_array(&w, "streams");
	for (uint32_t i = 0; i < p->n_older; i++) {
		const struct catchup_stream *s = &p->older[i].stream;

		jsonw_object(&w, NULL);
		jsonw_str(&w, "kind", event_kind_word((enum event_kind)s->kind));
		put_name(&w, "name", s->symbol);
		jsonw_u64(&w, "seq", s->from_seq);
		jsonw_u64(&w, "timeframe_s", s->timeframe_s);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_end(&w);
	return CATCHUP_WAITS;
}

int past_ask_time(struct query *q, int64_t event_ns)
{
	char text[TIMETEXT_MAX];
	struct jsonw w;

	timetext_print(text, event_ns);
	question_begin(q->env->past, PAST_FIND, "find_past", &w);
	jsonw_str(&w, "time", text);
	jsonw_array(&w, "kinds");
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (k == EVENT_TICK || q->streams.kinds >> k & 1)
			jsonw_str(&w, NULL, event_kind_word((enum event_kind)k));
	jsonw_end(&w);
	jsonw_end(&w);
	return CATCHUP_WAITS;
}

int past_add_older(struct query *q, const struct catchup_stream *s)
{
	struct catchup_past *p = q->env->past;
	struct past_older *more;

	for (uint32_t i = 0; i < p->n_older; i++)
		if (memcmp(&p->older[i].stream, s, sizeof(*s)) == 0)
			return 0;
	more = realloc(p->older, (p->n_older + 1) * sizeof(*more));
	if (more == NULL)
		return err_set(-ENOMEM, "out of memory for a catch-up request");
	p->older = more;
	more[p->n_older++] = (struct past_older){.stream = *s};
	p->is_found = false;
	return 0;
}

/* ---- answers ---- */

static int bad_answer(void)
{
	return err_set(-EPROTO, "the archive's answer is not one");
}

static int take_found(struct catchup_past *p, const struct json *doc)
{
	const struct json *held = json_get(doc, "held");

	if (json_u64(json_get(doc, "pos"), &p->found_pos) < 0 ||
	    json_len(held) != p->n_older)
		return bad_answer();
	for (uint32_t i = 0; i < p->n_older; i++)
		if (json_u64(json_at(held, i), &p->older[i].held) < 0)
			return bad_answer();
	p->is_found = true;
	return 0;
}

static int take_page(struct catchup_past *p, const struct json *doc, const void *bulk,
		     size_t len)
{
	struct past_page *page = &p->pages[p->kind];
	uint64_t first = 0;

	(void)json_u64(json_get(doc, "first_pos"), &first);
	page->frames.len = 0;
	page->from_pos = p->from_pos;
	if (json_u64(json_get(doc, "to_pos"), &page->to_pos) < 0)
		return bad_answer();
	if (page->to_pos < page->from_pos) {
		/* It holds less than we thought. */
		p->bounds.complete_pos = page->to_pos;
		page->to_pos = 0;
		return 0;
	}
	if (first > p->bounds.first_pos && first > p->first_pos) {
		p->first_pos = first; /* what is gone must be said: look again */
		page->to_pos = 0;
		return 0;
	}
	buf_add(&page->frames, bulk, len);
	return 0;
}

static int take_status(struct catchup_past *p, const struct json *doc)
{
	if (json_u64(json_get(doc, "first_pos"), &p->bounds.first_pos) < 0 ||
	    json_u64(json_get(doc, "complete_pos"), &p->bounds.complete_pos) < 0)
		return bad_answer();
	p->bounds.is_known = true;
	return 0;
}

int catchup_past_take(struct catchup_past *p, const struct json *doc, const void *bulk,
		      size_t len)
{
	enum past_question question = p->question;

	p->question = PAST_NOTHING;
	if (!json_bool(json_get(doc, "ok"), false))
		return err_set(-EPROTO, "%s",
			       json_str(json_get(doc, "error"), "no answer came"));
	switch (question) {
	case PAST_STATUS:
		return take_status(p, doc);
	case PAST_FIND:
		return take_found(p, doc);
	case PAST_READ:
		return take_page(p, doc, bulk, len);
	case PAST_NOTHING:
		break;
	}
	return bad_answer();
}

void catchup_past_deinit(struct catchup_past *p)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		buf_free(&p->pages[k].frames);
	free(p->older);
	buf_free(&p->doc);
	*p = (struct catchup_past){0};
}

/* ---- the tap ---- */

ON_STORE static int open_past(struct query *q, struct tap *t)
{
	(void)q, (void)t;
	return 0;
}

/* The page of the archive as if it were one row of the store. */
static void show_page(struct tap *t, const struct past_page *page, uint64_t seam)
{
	t->row.len = 0;
	buf_add(&t->row, page->frames.data, page->frames.len);
	t->row_first_pos = page->from_pos;
	t->row_last_pos = page->to_pos < seam ? page->to_pos : seam - 1;
	tap_row_begin(t);
}

ON_STORE static int load_past(struct query *q, struct tap *t)
{
	const struct past_page *page = &q->env->past->pages[t->kind];

	if (t->pos >= q->seam[t->kind]) {
		t->in_row = false;
		return tap_open_live(q, t);
	}
	if (!t->in_row) {
		if (t->pos < page->from_pos || t->pos > page->to_pos)
			return ask_page(q, t);
		show_page(t, page, q->seam[t->kind]);
	}
	return tap_row_show(q, t);
}

const struct tap_source past_source = {open_past, load_past};
