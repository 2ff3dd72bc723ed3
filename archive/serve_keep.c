/* serve_keep - compact and retain. */
#include "archive/serve_keep.h"
#include "archive/past.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <string.h>

int serve_compact(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	struct archive_compacted sum;
	int rc = archive_compact(a, &sum);

	(void)f;
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "files", sum.files);
	jsonw_u64(w, "rewritten", sum.rewritten);
	jsonw_u64(w, "rows", sum.rows);
	jsonw_u64(w, "bytes_before", sum.bytes_before);
	jsonw_u64(w, "bytes_after", sum.bytes_after);
	return 0;
}

static int time_of(const char *before, int64_t *out)
{
	struct buf text = {0};
	int rc;

	buf_printf(&text, strlen(before) == 10 ? "%sT00:00:00Z" : "%s", before);
	rc = timetext_parse(buf_text(&text), text.len, out);
	buf_free(&text);
	return rc == 0 ? 0
		       : err_set(-EINVAL,
				 "before '%.40s': a time like 2024-01-02T14:30:00Z, or "
				 "a date",
				 before);
}

/* Whole events: a chunk is a file, an event a row. */
static int retain_past(struct archive *a, int64_t before_ns, uint64_t until_pos,
		       struct archive_retained *out)
{
	struct past_retained gone = {0};
	struct past *p;
	int rc = archive_past(a, &p);

	if (rc == 0)
		rc = past_retain(p, before_ns, until_pos, &gone);
	*out = (struct archive_retained){gone.chunks, gone.events, gone.bytes,
					 gone.is_cut};
	return rc;
}

int serve_retain_texts(struct archive *a, const char *kind, const char *before,
		       uint64_t until_pos, struct archive_retained *out)
{
	enum kinds k = kinds_parse(kind);
	int64_t ns = 0;
	int rc = time_of(before, &ns);

	if (rc < 0)
		return rc;
	if (strcmp(kind, "events") == 0)
		return retain_past(a, ns, until_pos, out);
	if (k == KINDS)
		return err_set(-EINVAL,
			       "'%.32s': bars, ticks, features, matrices, news or "
			       "events",
			       kind);
	return archive_retain(a, k, ns, out);
}

int serve_retain(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	const struct json *until = json_get(f->doc, "until_pos");
	struct archive_retained sum;
	uint64_t pos = 0;
	int rc = 0;

	if (until && json_u64(until, &pos) < 0)
		rc = err_set(-EINVAL, "until_pos is no position");
	if (rc == 0)
		rc = serve_retain_texts(a, json_str(json_get(f->doc, "kind"), ""),
					json_str(json_get(f->doc, "before"), ""), pos,
					&sum);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "files", sum.files);
	jsonw_u64(w, "rows", sum.rows);
	jsonw_u64(w, "bytes", sum.bytes);
	jsonw_bool(w, "cut", sum.is_cut);
	return 0;
}
