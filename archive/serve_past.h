/* serve_past - the requests about whole events (archive/past.h); see pipeframe.h. */
#pragma once
#include "archive/archive.h"
#include "archive/pipeframe.h"
#include "base/jsonw.h"

/** @w: the members of the answer; @bulk: of its bulk.  < 0: err_text() is the answer.
 */
int serve_put_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		   struct buf *bulk);
int serve_read_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		    struct buf *bulk);
int serve_find_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		    struct buf *bulk);
int serve_past_status(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		      struct buf *bulk);
