/*
 * catchup_page - pages of frames and of names, built and read.
 */
#include "base/err.h"
#include "proto/catchup.h"
#include <assert.h>

static int bad(const char *what)
{
	return err_set(CATCHUP_MALFORMED, "catch-up: %s", what);
}

static const char *const statuses[] = {"ok", "gone", "refused", "busy"};
_Static_assert(sizeof(statuses) / sizeof(*statuses) == CATCHUP_STATUS_N, "complete");

const char *catchup_status_name(unsigned status)
{
	return status < CATCHUP_STATUS_N ? statuses[status] : "?";
}

#define FRAMES_MAX 65534

struct frame_entry {
	uint32_t bytes; /* SBE's var data: a length and that many bytes */
};

void catchup_page_begin(struct catchup_writer *w, struct buf *out)
{
	static const struct catchup_page_root empty;

	*w = (struct catchup_writer){.out = out, .start = out->len};
	sbe_head_add(out, SBE_CATCHUP_PAGE, &empty, sizeof(empty));
	w->gone_at = out->len;
	sbe_group_add(out, sizeof(struct catchup_gone), 0);
}

static void begin_frames(struct catchup_writer *w)
{
	if (w->frames_at)
		return;
	w->frames_at = w->out->len;
	sbe_group_add(w->out, 0, 0);
}

void catchup_page_gone(struct catchup_writer *w, const struct catchup_gone *g)
{
	assert(w->frames_at == 0 && w->n_gone < FRAMES_MAX);
	buf_add(w->out, g, sizeof(*g));
	w->n_gone++;
}

void catchup_page_frame(struct catchup_writer *w, const void *frame, size_t len)
{
	struct frame_entry e = {(uint32_t)len};

	assert(w->held_at == 0 && w->n_frames < FRAMES_MAX && len <= UINT32_MAX);
	begin_frames(w);
	buf_add(w->out, &e, sizeof(e));
	buf_add(w->out, frame, len);
	w->n_frames++;
}

static void write_held(struct catchup_writer *w)
{
	uint16_t block = sizeof(struct catchup_held);

	memcpy(w->out->data + w->held_at, &block, sizeof(block));
	memcpy(w->out->data + w->held_at + sizeof(block), &w->n_held,
	       sizeof(w->n_held));
}

static void begin_held(struct catchup_writer *w)
{
	static const uint8_t head[SBE_GROUP32_SIZE];

	if (w->held_at)
		return;
	begin_frames(w);
	w->held_at = w->out->len;
	buf_add(w->out, head, sizeof(head));
}

void catchup_page_held(struct catchup_writer *w, const struct catchup_held *h)
{
	begin_held(w);
	buf_add(w->out, h, sizeof(*h));
	w->n_held++;
}

void catchup_page_seal(struct catchup_writer *w, const struct catchup_page_root *root)
{
	begin_held(w);
	write_held(w);
	memcpy(w->out->data + w->start + sizeof(struct sbe_head), root, sizeof(*root));
	sbe_group_write(w->out->data + w->gone_at, sizeof(struct catchup_gone),
			w->n_gone);
	sbe_group_write(w->out->data + w->frames_at, 0, w->n_frames);
}

static bool frame_read(struct sbe_cursor *c, size_t block, const uint8_t **out,
		       size_t *out_len)
{
	struct frame_entry e;

	if (sbe_skip(c, block) == NULL || sbe_block_read(c, sizeof(e), &e, sizeof(e)))
		return false;
	*out = sbe_skip(c, e.bytes);
	*out_len = e.bytes;
	return *out != NULL;
}

/* An older daemon's page ends behind its frames. */
static int open_held(struct sbe_cursor *c, struct catchup_page_view *v)
{
	uint16_t block;
	const uint8_t *at;

	if (sbe_left(c) == 0)
		return 0;
	at = sbe_skip(c, SBE_GROUP32_SIZE);
	if (at == NULL)
		return bad("the page is cut short");
	memcpy(&block, at, sizeof(block));
	memcpy(&v->n_held, at + sizeof(block), sizeof(v->n_held));
	if (v->n_held > 0 && block < sizeof(struct catchup_held))
		return bad("a held stream is too short");
	v->held_stride = block;
	v->held = sbe_skip(c, (size_t)block * v->n_held);
	return v->held == NULL ? bad("a held stream is cut short") : 0;
}

int catchup_page_open(const void *data, size_t len, struct catchup_page_view *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct catchup_page_view v = {0};
	const uint8_t *frame;
	struct sbe_group g;
	struct sbe_head h;
	size_t frame_len;

	if (sbe_head_read(&c, &h) || h.template_id != SBE_CATCHUP_PAGE)
		return bad("not a page");
	if (sbe_block_read(&c, h.block_length, &v.root, sizeof(v.root)) ||
	    sbe_group_read(&c, &g))
		return bad("the page is cut short");
	if (g.n > 0 && g.block_length < sizeof(struct catchup_gone))
		return bad("a gone stream is too short");
	v.n_gone = g.n;
	v.gone_stride = g.block_length;
	v.gone = sbe_skip(&c, (size_t)g.block_length * g.n);
	if (v.gone == NULL || sbe_group_read(&c, &g))
		return bad("the page is cut short");
	v.n_frames = g.n;
	v.frame_block = g.block_length;
	v.at = c.at;
	for (uint32_t i = 0; i < v.n_frames; i++)
		if (!frame_read(&c, v.frame_block, &frame, &frame_len))
			return bad("a frame is cut short");
	v.end = c.at;
	if (open_held(&c, &v))
		return CATCHUP_MALFORMED;
	*out = v;
	return 0;
}

void catchup_page_held_at(const struct catchup_page_view *v, size_t i,
			  struct catchup_held *out)
{
	assert(i < v->n_held);
	memcpy(out, v->held + i * v->held_stride, sizeof(*out));
}

void catchup_page_gone_at(const struct catchup_page_view *v, size_t i,
			  struct catchup_gone *out)
{
	assert(i < v->n_gone);
	memcpy(out, v->gone + i * v->gone_stride, sizeof(*out));
}

int catchup_page_next(struct catchup_page_view *v, const void **out, size_t *out_len)
{
	struct sbe_cursor c = {v->at, v->end};
	const uint8_t *frame;

	if (v->i == v->n_frames || !frame_read(&c, v->frame_block, &frame, out_len))
		return CATCHUP_END;
	*out = frame;
	v->at = c.at;
	v->i++;
	return 0;
}

int catchup_dict_open(const void *data, size_t len, struct catchup_dict_view *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct catchup_dict_view v = {0};
	struct sbe_group g;
	struct sbe_head h;

	if (sbe_head_read(&c, &h) || h.template_id != SBE_DICT_PAGE)
		return bad("not a dictionary");
	if (sbe_block_read(&c, h.block_length, &v.root, sizeof(v.root)) ||
	    sbe_group_read(&c, &g))
		return bad("the dictionary is cut short");
	if (g.n > 0 && g.block_length < sizeof(struct catchup_name))
		return bad("a name is too short");
	v.n = g.n;
	v.stride = g.block_length;
	v.names = sbe_skip(&c, (size_t)g.block_length * g.n);
	if (v.names == NULL)
		return bad("a name is cut short");
	*out = v;
	return 0;
}

void catchup_dict_at(const struct catchup_dict_view *v, size_t i,
		     struct catchup_name *out)
{
	assert(i < v->n);
	memcpy(out, v->names + i * v->stride, sizeof(*out));
}
