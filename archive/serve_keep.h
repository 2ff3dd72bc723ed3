/* serve_keep - what keeps an archive in order, as a request and as a command. */
#pragma once
#include "archive/archive.h"
#include "archive/pipeframe.h"
#include "base/jsonw.h"

int serve_compact(struct archive *a, const struct pipeframe *f, struct jsonw *w);
int serve_retain(struct archive *a, const struct pipeframe *f, struct jsonw *w);
/**
 * archive_retain() of texts: a kind, and RFC 3339 or a date.  Of "events", which are
 * whole: past_retain(); @until_pos is for them alone.
 */
int serve_retain_texts(struct archive *a, const char *kind, const char *before,
		       uint64_t until_pos, struct archive_retained *out);
