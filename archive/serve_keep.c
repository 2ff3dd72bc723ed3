/* serve_keep - compact and retain. */
#include "archive/serve_keep.h"
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

int serve_retain_texts(struct archive *a, const char *kind, const char *before,
		       struct archive_retained *out)
{
	enum kinds k = kinds_parse(kind);
	struct buf text = {0};
	int64_t ns = 0;
	int rc;

	buf_printf(&text, strlen(before) == 10 ? "%sT00:00:00Z" : "%s", before);
	rc = timetext_parse(buf_text(&text), text.len, &ns);
	buf_free(&text);
	if (k == KINDS)
		return err_set(-EINVAL, "'%.32s': bars, ticks, features or matrices",
			       kind);
	if (rc != 0)
		return err_set(-EINVAL,
			       "before '%.40s': a time like 2024-01-02T14:30:00Z, or a "
			       "date",
			       before);
	return archive_retain(a, k, ns, out);
}

int serve_retain(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	struct archive_retained sum;
	int rc = serve_retain_texts(a, json_str(json_get(f->doc, "kind"), ""),
				    json_str(json_get(f->doc, "before"), ""), &sum);

	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "files", sum.files);
	jsonw_u64(w, "rows", sum.rows);
	jsonw_u64(w, "bytes", sum.bytes);
	return 0;
}
