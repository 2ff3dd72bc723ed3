/* serve - a request is looked up by its "do"; every fault is answered with a sentence.
 */
#include "archive/serve.h"
#include "archive/enquiry.h"
#include "archive/framerow.h"
#include "archive/pipeframe.h"
#include "archive/serve_meta.h"
#include "archive/serve_past.h"
#include "base/err.h"
#include "base/jsonw.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int copy_text(const struct json *doc, const char *key, char *out, size_t size)
{
	const char *text = json_str(json_get(doc, key), "");

	if (strlen(text) >= size)
		return err_set(-EINVAL, "%s '%.64s' is too long", key, text);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int series_of(const struct json *doc, struct hist_series *s)
{
	const char *adjust = json_str(json_get(doc, "adjust"), "raw");
	uint64_t step = 0;

	*s = (struct hist_series){0};
	if (copy_text(doc, "source", s->source, sizeof(s->source)) < 0 ||
	    copy_text(doc, "feed", s->feed, sizeof(s->feed)) < 0 ||
	    copy_text(doc, "symbol", s->symbol, sizeof(s->symbol)) < 0)
		return -EINVAL;
	if (json_u64(json_get(doc, "step_s"), &step) < 0 || step == 0 ||
	    step > UINT32_MAX)
		return err_set(-EINVAL, "step_s is missing or no number of seconds");
	s->step_s = (uint32_t)step;
	s->adjust = (uint8_t)barrow_adjust_parse(adjust);
	if (s->adjust > HIST_ALL)
		return err_set(-EINVAL, "adjust '%.16s': raw, split or all", adjust);
	return 0;
}

static int width(const struct pipeframe *f, size_t size)
{
	if (f->bulk_len == 0 || f->bulk_len % size != 0)
		return err_set(-EINVAL,
			       "%zu bytes of rows: a multiple of %zu is needed",
			       f->bulk_len, size);
	return 0;
}

static int stage_bars(struct archive *a, const struct pipeframe *f)
{
	const struct hist_bar *bars = (const void *)f->bulk;
	struct hist_series s;
	struct barrow row;
	int rc = series_of(f->doc, &s);

	if (rc == 0)
		rc = width(f, sizeof(*bars));
	for (size_t i = 0; rc == 0 && i < f->bulk_len / sizeof(*bars); i++) {
		rc = barrow_of_hist(&s, &bars[i], &row);
		if (rc == 0)
			rc = archive_put_row(a, &row);
	}
	return rc;
}

static int stage_events(struct archive *a, const struct pipeframe *f)
{
	const struct event_bar *bars = (const void *)f->bulk;
	struct barrow row;
	int rc = width(f, sizeof(*bars));

	for (size_t i = 0; rc == 0 && i < f->bulk_len / sizeof(*bars); i++) {
		rc = barrow_of_event(&bars[i], &row);
		if (rc == 0)
			rc = archive_put_row(a, &row);
	}
	return rc;
}

static int finish_put(struct archive *a, int rc, struct jsonw *w)
{
	struct archive_put sum;

	if (rc == 0)
		rc = archive_put_done(a, &sum);
	else
		archive_put_drop(a);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "rows", sum.rows);
	jsonw_u64(w, "added", sum.added);
	jsonw_u64(w, "files", sum.files);
	jsonw_u64(w, "unchanged", sum.unchanged);
	return 0;
}

static int do_put_bars(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return finish_put(a, stage_bars(a, f), w);
}

static int do_put_events(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return finish_put(a, stage_events(a, f), w);
}

static int do_put_frames(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	struct framerow_sum got;
	int rc = framerow_stage(a, f->bulk, f->bulk_len, json_get(f->doc, "sources"),
				&got);

	rc = finish_put(a, rc, w);
	if (rc == 0)
		jsonw_u64(w, "skipped", got.skipped);
	return rc;
}

static int ask_of(const struct json *doc, struct enquiry *q)
{
	const struct json *m = NULL;
	const char *key;
	int rc = 0;

	enquiry_init(q);
	while (rc == 0 && (m = json_next(doc, m, &key)) != NULL) {
		if (strcmp(key, "do") == 0)
			continue;
		rc = json_is_string(m) ? enquiry_set(q, key, json_str(m, ""))
				       : err_set(-EINVAL, "%.64s is no text", key);
	}
	/* Our directory is nobody's business, so a relative path would mean nothing. */
	if (rc == 0 && (!q->out || q->out[0] != '/'))
		rc = err_set(-EINVAL, "out is missing, or no absolute path");
	return rc;
}

static int answer(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		  int (*run)(struct archive *, struct enquiry *,
			     struct enquiry_answer *))
{
	struct enquiry_answer got;
	struct enquiry q;
	int rc = ask_of(f->doc, &q);

	if (rc == 0)
		rc = run(a, &q, &got);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "rows", got.rows);
	jsonw_u64(w, "bytes", got.bytes);
	jsonw_bool(w, "cut", got.cut);
	jsonw_u64(w, "raw", got.raw);
	return 0;
}

static int do_export(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return answer(a, f, w, enquiry_export);
}

static int do_query(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return answer(a, f, w, enquiry_query);
}

static int check(struct archive *a, bool deep, struct jsonw *w)
{
	struct archive_check sum;
	int rc = archive_verify(a, deep, &sum);

	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_str(w, "duckdb", duck_version());
	jsonw_u64(w, "files", sum.files);
	jsonw_u64(w, "rows", sum.rows);
	jsonw_u64(w, "bytes", sum.bytes);
	jsonw_u64(w, "interrupted", sum.interrupted);
	jsonw_u64(w, "bad", sum.bad);
	jsonw_str(w, "first_bad", sum.first_bad);
	return 0;
}

static int do_status(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	(void)f;
	return check(a, false, w);
}

static int do_verify(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	(void)f;
	return check(a, true, w);
}

static const struct {
	const char *name;
	int (*run)(struct archive *a, const struct pipeframe *f, struct jsonw *w);
} requests[] = {
	{"put_index", serve_put_index},
	{"put_actions", serve_put_actions},
	{"put_metadata", serve_put_metadata},
	{"put_bars", do_put_bars},
	{"put_events", do_put_events},
	{"put_frames", do_put_frames},
	{"export", do_export},
	{"query", do_query},
	{"status", do_status},
	{"verify", do_verify},
};

static const struct {
	const char *name;
	int (*run)(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		   struct buf *bulk);
} with_bulk[] = {
	{"put_past", serve_put_past},
	{"read_past", serve_read_past},
	{"find_past", serve_find_past},
	{"past_status", serve_past_status},
};

static int dispatch(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		    struct buf *bulk)
{
	const char *what = json_str(json_get(f->doc, "do"), "");

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(what, requests[i].name) == 0)
			return requests[i].run(a, f, w);
	for (size_t i = 0; i < sizeof(with_bulk) / sizeof(with_bulk[0]); i++)
		if (strcmp(what, with_bulk[i].name) == 0)
			return with_bulk[i].run(a, f, w, bulk);
	return err_set(-EINVAL, "'%.64s' is no request", what);
}

static int reply(struct archive *a, int rc, const struct pipeframe *f, int out)
{
	struct buf text = {0};
	struct buf bulk = {0};
	struct jsonw w;

	jsonw_init(&w, &text);
	jsonw_object(&w, NULL);
	if (rc == 0)
		rc = dispatch(a, f, &w, &bulk);
	if (rc < 0) {
		jsonw_bool(&w, "ok", false);
		jsonw_str(&w, "error", err_text());
	}
	jsonw_end(&w);
	rc = pipeframe_write(out, text.data, text.len, bulk.data, bulk.len);
	buf_free(&text);
	buf_free(&bulk);
	return rc;
}

int serve_run(struct archive *a, int in, int out)
{
	struct pipeframe f;
	int rc;

	for (;;) {
		rc = pipeframe_read(in, &f);
		if (rc == PIPEFRAME_END)
			return 0;
		/* A frame that was whole is answered, and so is one that was not: then
		   nothing after it can be read. */
		int sent = reply(a, rc, &f, out);

		pipeframe_free(&f);
		if (rc < 0 && rc != -EINVAL)
			return rc;
		if (sent < 0)
			return sent;
	}
}
