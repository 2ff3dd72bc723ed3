/* serve_put - rows come in: of vendors' bars, of our own, of frames. */
#include "archive/serve_put.h"
#include "archive/barrow.h"
#include "archive/framerow.h"
#include "base/err.h"
#include <errno.h>
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

/* Into the files, or into the generation of what is live that "first" begins and "last"
   ends; what went wrong in between ends it as well, and the one before stays. */
static int finish_live(struct archive *a, const struct json *doc, int rc,
		       struct archive_put *sum)
{
	if (rc == 0 && json_bool(json_get(doc, "first"), false))
		rc = archive_live_begin(a);
	if (rc == 0)
		rc = archive_live_put(a, sum);
	if (rc == 0 && json_bool(json_get(doc, "last"), false))
		rc = archive_live_end(a);
	if (rc < 0)
		archive_live_drop(a);
	return rc;
}

static int finish_put(struct archive *a, const struct json *doc, bool live, int rc,
		      struct jsonw *w)
{
	struct archive_put sum = {0};

	if (live)
		rc = finish_live(a, doc, rc, &sum);
	else if (rc == 0)
		rc = archive_put_done(a, &sum);
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

int serve_put_bars(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	bool live = json_bool(json_get(f->doc, "live"), false);

	return finish_put(a, f->doc, live, stage_bars(a, f), w);
}

int serve_put_events(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return finish_put(a, f->doc, false, stage_events(a, f), w);
}

static int put_frames(struct archive *a, const struct pipeframe *f, bool live,
		      struct jsonw *w)
{
	struct framerow_sum got;
	int rc = framerow_stage(a, f->bulk, f->bulk_len, json_get(f->doc, "sources"),
				&got);

	rc = finish_put(a, f->doc, live, rc, w);
	if (rc == 0)
		jsonw_u64(w, "skipped", got.skipped);
	return rc;
}

int serve_put_frames(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return put_frames(a, f, false, w);
}

int serve_live_frames(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	return put_frames(a, f, true, w);
}
