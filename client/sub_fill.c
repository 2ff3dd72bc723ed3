/*
 * sub_fill - one request to the catch-up socket per page.
 */
#include "base/err.h"
#include "client/sub_parts.h"
#include <errno.h>

void sub_fill_hole(struct tickbus_sub *sub, const struct stream *s, uint64_t first_seq,
		   uint64_t last_seq)
{
	sub->fill = FILL_HOLE;
	sub->hole = (struct catchup_stream){.from_seq = first_seq,
					    .to_seq = last_seq,
					    .timeframe_s = s->timeframe_s,
					    .kind = s->kind};
	memcpy(sub->hole.symbol, s->symbol, SYMBOL_MAX);
}

/* History asks for the symbols wanted; beyond the limit all come and we filter. */
static void add_wanted(const struct tickbus_sub *sub, struct buf *streams,
		       uint32_t *out_n)
{
	if (sub->wanted.n > CATCHUP_STREAMS_MAX)
		return;
	for (size_t i = 0; i < sub->wanted.cap; i++) {
		struct catchup_stream s = {.kind = CATCHUP_ANY_KIND};

		if (!sub->wanted.slots[i].is_used)
			continue;
		memcpy(s.symbol, sub->wanted.slots[i].symbol, SYMBOL_MAX);
		buf_add(streams, &s, sizeof(s));
		++*out_n;
	}
}

static void make_request(struct tickbus_sub *sub, struct buf *out)
{
	struct catchup_request req = {.what = CATCHUP_EVENTS};
	struct buf streams = {0};

	if (sub->fill == FILL_HOLE) {
		req.root = (struct catchup_root){.kinds = 1u << sub->hole.kind,
						 .from_type = CATCHUP_FROM_SEQ};
		buf_add(&streams, &sub->hole, sizeof(sub->hole));
		req.n_streams = 1;
	} else {
		req.root = sub->from;
		add_wanted(sub, &streams, &req.n_streams);
	}
	req.streams = (void *)streams.data;
	catchup_request_write(&req, out);
	buf_free(&streams);
}

static int judge(const struct catchup_page_root *root)
{
	int len = (int)symbol_field_len(root->text, sizeof(root->text));

	switch (root->status) {
	case CATCHUP_OK:
	case CATCHUP_GONE: /* what is missing shows as a hole that stays */
		return 0;
	case CATCHUP_BUSY:
		return err_set(-EAGAIN, "catch-up is busy: %.*s", len, root->text);
	default:
		return err_set(-EPROTO, "catch-up refused: %.*s", len, root->text);
	}
}

int sub_fill_fetch(struct tickbus_sub *sub)
{
	struct buf request = {0};
	nng_msg *msg = NULL;
	int rc;

	make_request(sub, &request);
	rc = reqsock_ask(&sub->catchup, request.data, request.len,
			 sub->options.timeout_ms, &msg);
	buf_free(&request);
	if (rc < 0)
		return rc;
	rc = catchup_page_open(nng_msg_body(msg), nng_msg_len(msg), &sub->page);
	rc = rc ? err_set(-EPROTO, "catch-up sent no page") : judge(&sub->page.root);
	if (rc < 0) {
		nng_msg_free(msg);
		return rc;
	}
	sub->hole_is_gone = sub->page.root.status == CATCHUP_GONE;
	sub_source_clear(&sub->page_frame);
	sub->page_frame.msg = msg;
	sub->page_frame.is_loaded = true;
	sub->page_is_open = true;
	return 0;
}

bool sub_fill_turn(struct tickbus_sub *sub)
{
	const struct catchup_page_root *root = &sub->page.root;
	bool moved = root->next_pos > sub->from.from ||
		     root->next_skip > sub->from.skip ||
		     sub->from.from_type != CATCHUP_FROM_POS;

	sub->page_is_open = false;
	sub_source_clear(&sub->page_frame);
	if (sub->fill == FILL_HOLE)
		return false; /* what one page does not hold shows as a smaller hole */
	sub->from.from_type = CATCHUP_FROM_POS;
	sub->from.from = root->next_pos;
	sub->from.skip = root->next_skip;
	return !root->done && moved;
}
