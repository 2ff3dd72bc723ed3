/* serve - a request is looked up by its "do"; every fault is answered with a sentence.
 */
#include "archive/serve.h"
#include "archive/enquiry.h"
#include "archive/pipeframe.h"
#include "archive/serve_keep.h"
#include "archive/serve_meta.h"
#include "archive/serve_past.h"
#include "archive/serve_put.h"
#include "base/err.h"
#include "base/jsonw.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	struct enquiry_answer got = {0};
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

static int do_bars(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return answer(a, f, w, enquiry_bars);
}

static int do_query(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return answer(a, f, w, enquiry_query);
}

static void put_kinds(const struct archive_check *sum, struct jsonw *w)
{
	jsonw_object(w, "kinds");
	for (unsigned i = 0; i <= KINDS; i++) {
		jsonw_object(w, i < KINDS ? kinds_table[i].name : "events");
		jsonw_u64(w, "files", sum->kinds[i].files);
		jsonw_u64(w, "rows", sum->kinds[i].rows);
		jsonw_u64(w, "bytes", sum->kinds[i].bytes);
		jsonw_end(w);
	}
	jsonw_end(w);
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
	put_kinds(&sum, w);
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
	{"put_bars", serve_put_bars},
	{"put_events", serve_put_events},
	{"put_frames", serve_put_frames},
	{"live_frames", serve_live_frames},
	{"export", do_export},
	{"bars", do_bars},
	{"query", do_query},
	{"compact", serve_compact},
	{"retain", serve_retain},
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
