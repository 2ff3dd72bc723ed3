/* row_walk - see row_walk.h. */
#include "daemon/row_walk.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>

void row_walk_begin(struct row_walk *w, enum event_kind kind, const void *data,
		    size_t len)
{
	w->kind = kind;
	w->at = data;
	w->end = w->at + len;
	w->in_frame = false;
}

void row_walk_deinit(struct row_walk *w)
{
	buf_free(&w->matrix);
}

static int next_frame(struct row_walk *w)
{
	uint32_t len;

	if (w->at == w->end)
		return ROW_WALK_END;
	if ((size_t)(w->end - w->at) < sizeof(len))
		goto damaged;
	memcpy(&len, w->at, sizeof(len));
	w->at += sizeof(len);
	if ((size_t)(w->end - w->at) < len || frame_open(w->at, len, &w->view) != 0 ||
	    w->view.kind != w->kind)
		goto damaged;
	w->at += len;
	w->in_frame = true;
	return 0;
damaged:
	return err_set(-EBADMSG, "a stored %s row is not made of frames",
		       event_kind_word(w->kind));
}

static void show_matrix(struct row_walk *w)
{
	w->len = frame_matrix_copy(&w->view, NULL, 0);
	w->matrix.len = 0;
	(void)frame_matrix_copy(&w->view, buf_reserve(&w->matrix, w->len), w->len);
	w->event = w->matrix.data;
}

int row_walk_next(struct row_walk *w)
{
	while (true) {
		int rc = w->in_frame ? 0 : next_frame(w);
		struct event_tier2 matrix;

		if (rc != 0)
			return rc;
		if (frame_next(&w->view, w->kind == EVENT_TIER2 ? (void *)&matrix
								: &w->fixed) == 0)
			break;
		w->in_frame = false;
	}
	if (w->kind == EVENT_TIER2) {
		show_matrix(w);
		return 0;
	}
	w->event = &w->fixed;
	w->len = event_block_size(w->kind);
	return 0;
}
