/*
 * frame - building and reading; the picture is in the header.
 */
#include "proto/frame.h"
#include "base/err.h"
#include <assert.h>

#define EVENTS_AT                                                                      \
	(sizeof(struct sbe_head) + sizeof(struct frame_root) + sizeof(struct sbe_group))
#define HB_AT                                                                          \
	(sizeof(struct sbe_head) + sizeof(struct frame_heartbeat_root) +               \
	 sizeof(struct sbe_group))
#define MATRIX_ROOT (sizeof(struct frame_root) + sizeof(struct event_tier2))

/* A group's count is 16 bits, of which SBE keeps the last value for "null". */
#define MEMBERS_MAX 65534

_Static_assert(FRAME_EVENTS_MAX <= MEMBERS_MAX && FRAME_HEARTBEATS_MAX <= MEMBERS_MAX,
	       "counts fit a group header");

size_t frame_size_max(enum event_kind kind)
{
	if (kind == EVENT_HEARTBEAT)
		return HB_AT + FRAME_HEARTBEATS_MAX * sizeof(struct frame_heartbeat);
	return EVENTS_AT + FRAME_EVENTS_MAX * event_block_size(kind);
}

size_t frame_matrix_size(size_t n_members, size_t n_included)
{
	return sizeof(struct sbe_head) + MATRIX_ROOT + sizeof(struct sbe_group) +
	       n_members * sizeof(struct tier2_member) + SBE_GROUP32_SIZE +
	       event_triangle_len(n_included) * sizeof(double);
}

size_t frame_matrix_bytes(const struct event_tier2 *e)
{
	return sizeof(*e) + e->n_members * sizeof(struct tier2_member) +
	       event_triangle_len(e->n_included) * sizeof(double);
}

void frame_begin(struct frame *f, void *data, size_t cap, enum event_kind kind,
		 uint64_t epoch)
{
	assert(event_block_size(kind) > 0);
	assert(cap >= EVENTS_AT + event_block_size(kind));
	*f = (struct frame){.data = data,
			    .cap = cap,
			    .len = EVENTS_AT,
			    .epoch = epoch,
			    .kind = kind};
}

static void put_group32(uint8_t *to, size_t block, size_t n)
{
	uint16_t block16 = (uint16_t)block;
	uint32_t n32 = (uint32_t)n;

	memcpy(to, &block16, sizeof(block16));
	memcpy(to + sizeof(block16), &n32, sizeof(n32));
}

static int add_matrix(struct frame *f, const uint8_t *from)
{
	struct event_tier2 e;
	uint8_t *to = f->data + sizeof(struct sbe_head) + sizeof(struct frame_root);
	size_t members, cells, size;

	memcpy(&e, from, sizeof(e));
	assert(e.n_members <= MEMBERS_MAX && e.n_included <= e.n_members);
	size = frame_matrix_size(e.n_members, e.n_included);
	if (f->n > 0 || f->cap < size)
		return FRAME_FULL;
	members = e.n_members * sizeof(struct tier2_member);
	cells = event_triangle_len(e.n_included);

	memcpy(to, &e, sizeof(e));
	to += sizeof(e);
	sbe_group_write(to, sizeof(struct tier2_member), e.n_members);
	to += sizeof(struct sbe_group);
	memcpy(to, from + sizeof(e), members);
	to += members;
	put_group32(to, sizeof(double), cells);
	memcpy(to + SBE_GROUP32_SIZE, from + sizeof(e) + members,
	       cells * sizeof(double));

	f->len = size;
	f->last_pos = e.head.pos;
	f->n = 1;
	return 0;
}

int frame_add(struct frame *f, const void *event)
{
	size_t size = event_block_size(f->kind);
	struct event_head head;

	if (f->kind == EVENT_TIER2)
		return add_matrix(f, event);
	if (f->n == FRAME_EVENTS_MAX || f->cap - f->len < size)
		return FRAME_FULL;
	memcpy(&head, event, sizeof(head));
	memcpy(f->data + f->len, event, size);
	f->len += size;
	f->n++;
	if (head.pos > f->last_pos)
		f->last_pos = head.pos;
	return 0;
}

size_t frame_seal(struct frame *f, uint64_t frame_seq, int64_t publish_ns)
{
	struct frame_root root = {.epoch = f->epoch,
				  .publish_ns = publish_ns,
				  .frame_seq = frame_seq,
				  .last_pos = f->last_pos};
	size_t block = f->kind == EVENT_TIER2 ? MATRIX_ROOT : sizeof(root);

	assert(f->n > 0);
	sbe_head_write(f->data, (enum sbe_template)(SBE_TICK + f->kind), block);
	memcpy(f->data + sizeof(struct sbe_head), &root, sizeof(root));
	if (f->kind != EVENT_TIER2)
		sbe_group_write(f->data + EVENTS_AT - sizeof(struct sbe_group),
				event_block_size(f->kind), f->n);
	return f->len;
}

void frame_heartbeat_begin(struct frame *f, void *data, size_t cap,
			   enum event_kind kind, uint64_t epoch, uint64_t last_pos)
{
	struct frame_heartbeat_root root = {.kind = (uint8_t)kind};

	assert(cap >= HB_AT);
	*f = (struct frame){.data = data,
			    .cap = cap,
			    .len = HB_AT,
			    .epoch = epoch,
			    .last_pos = last_pos,
			    .kind = EVENT_HEARTBEAT};
	memcpy(f->data + sizeof(struct sbe_head), &root, sizeof(root));
}

void frame_heartbeat_part(struct frame *f, uint16_t part)
{
	assert(f->kind == EVENT_HEARTBEAT);
	memcpy(f->data + sizeof(struct sbe_head) +
		       offsetof(struct frame_heartbeat_root, part),
	       &part, sizeof(part));
}

int frame_heartbeat_add(struct frame *f, const struct frame_heartbeat *hb)
{
	assert(f->kind == EVENT_HEARTBEAT);
	if (f->n == FRAME_HEARTBEATS_MAX || f->cap - f->len < sizeof(*hb))
		return FRAME_FULL;
	memcpy(f->data + f->len, hb, sizeof(*hb));
	f->len += sizeof(*hb);
	f->n++;
	return 0;
}

size_t frame_heartbeat_seal(struct frame *f, uint64_t frame_seq, int64_t publish_ns)
{
	struct frame_root root = {.epoch = f->epoch,
				  .publish_ns = publish_ns,
				  .frame_seq = frame_seq,
				  .last_pos = f->last_pos};

	assert(f->kind == EVENT_HEARTBEAT);
	sbe_head_write(f->data, SBE_HEARTBEAT, sizeof(struct frame_heartbeat_root));
	memcpy(f->data + sizeof(struct sbe_head), &root, sizeof(root));
	sbe_group_write(f->data + HB_AT - sizeof(struct sbe_group),
			sizeof(struct frame_heartbeat), f->n);
	return f->len;
}

/* ---- reading ------------------------------------------------------------ */

static int bad(const char *what)
{
	return err_set(FRAME_BAD, "frame: %s", what);
}

/* A group of @n blocks of @block >= @known bytes each; NULL when cut short. */
static const uint8_t *open_group(struct sbe_cursor *c, size_t block, size_t n,
				 size_t known)
{
	if (n > 0 && block < known)
		return NULL;
	if (block > 0 && n > sbe_left(c) / block)
		return NULL;
	return sbe_skip(c, block * n);
}

static int open_events(struct sbe_cursor *c, struct frame_view *v, size_t known)
{
	struct sbe_group g;

	if (sbe_group_read(c, &g))
		return bad("the group's header is cut short");
	v->at = open_group(c, g.block_length, g.n, known);
	if (v->at == NULL)
		return bad("an event is cut short");
	v->n = g.n;
	v->stride = g.block_length;
	return 0;
}

static int open_triangle(struct sbe_cursor *c, struct frame_view *v)
{
	const uint8_t *at = sbe_skip(c, SBE_GROUP32_SIZE);
	uint16_t block;
	uint32_t n;

	if (at == NULL)
		return bad("the triangle's header is cut short");
	memcpy(&block, at, sizeof(block));
	memcpy(&n, at + sizeof(block), sizeof(n));
	if (n != event_triangle_len(v->matrix.n_included))
		return bad("the triangle has not n * (n + 1) / 2 cells");
	v->triangle = open_group(c, block, n, sizeof(double));
	if (v->triangle == NULL)
		return bad("the triangle is cut short");
	v->cell_stride = block;
	return 0;
}

static int open_matrix(struct sbe_cursor *c, struct frame_view *v)
{
	struct sbe_group g;

	if (sbe_group_read(c, &g))
		return bad("the members' header is cut short");
	if (g.n != v->matrix.n_members || v->matrix.n_included > v->matrix.n_members)
		return bad("the matrix disagrees with its number of members");
	v->member = open_group(c, g.block_length, g.n, sizeof(struct tier2_member));
	if (v->member == NULL)
		return bad("a member is cut short");
	v->member_stride = g.block_length;
	v->n = 1;
	return open_triangle(c, v);
}

static int open_heartbeat(struct sbe_cursor *c, const struct sbe_head *h,
			  struct frame_view *v)
{
	struct frame_heartbeat_root root;

	if (sbe_block_read(c, h->block_length, &root, sizeof(root)))
		return bad("the heartbeat's root is cut short");
	if (root.kind >= EVENT_KINDS)
		return bad("a heartbeat of an unknown kind");
	v->root = root.root;
	v->about = (enum event_kind)root.kind;
	v->part = root.part;
	return open_events(c, v, sizeof(struct frame_heartbeat));
}

static int open_tier2(struct sbe_cursor *c, const struct sbe_head *h,
		      struct frame_view *v)
{
	uint8_t block[MATRIX_ROOT];

	if (sbe_block_read(c, h->block_length, block, sizeof(block)))
		return bad("the matrix' root is cut short");
	memcpy(&v->root, block, sizeof(v->root));
	memcpy(&v->matrix, block + sizeof(v->root), sizeof(v->matrix));
	return open_matrix(c, v);
}

static int open_fixed(struct sbe_cursor *c, const struct sbe_head *h,
		      struct frame_view *v)
{
	if (sbe_block_read(c, h->block_length, &v->root, sizeof(v->root)))
		return bad("the root is cut short");
	return open_events(c, v, event_block_size(v->kind));
}

int frame_open(const void *data, size_t len, struct frame_view *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct frame_view v = {0};
	struct sbe_head h;
	int rc;

	if (sbe_head_read(&c, &h))
		return bad("no header of this schema");
	v.version = h.version;
	v.kind = (enum event_kind)(h.template_id - SBE_TICK);
	v.about = v.kind;
	switch (h.template_id) {
	case SBE_TICK:
	case SBE_BAR:
	case SBE_TIER1:
	case SBE_NEWS:
	case SBE_STATUS:
		rc = open_fixed(&c, &h, &v);
		break;
	case SBE_TIER2:
		rc = open_tier2(&c, &h, &v);
		break;
	case SBE_HEARTBEAT:
		rc = open_heartbeat(&c, &h, &v);
		break;
	default:
		return err_set(FRAME_OTHER, "frame: template %u is unknown here",
			       h.template_id);
	}
	if (rc == 0)
		*out = v;
	return rc;
}

int frame_next(struct frame_view *v, void *out)
{
	if (v->i == v->n)
		return FRAME_END;
	if (v->kind == EVENT_TIER2)
		memcpy(out, &v->matrix, sizeof(v->matrix));
	else if (v->kind == EVENT_HEARTBEAT)
		memcpy(out, v->at, sizeof(struct frame_heartbeat));
	else
		memcpy(out, v->at, event_block_size(v->kind));
	if (v->at)
		v->at += v->stride;
	v->i++;
	return 0;
}

void frame_member(const struct frame_view *v, size_t i, struct tier2_member *out)
{
	assert(i < v->matrix.n_members);
	memcpy(out, v->member + i * v->member_stride, sizeof(*out));
}

double frame_cell(const struct frame_view *v, size_t i, size_t j)
{
	size_t row = i > j ? i : j;
	size_t column = i > j ? j : i;
	double cell;

	assert(row < v->matrix.n_included);
	memcpy(&cell, v->triangle + (event_triangle_len(row) + column) * v->cell_stride,
	       sizeof(cell));
	return cell;
}

void frame_triangle(const struct frame_view *v, double *out)
{
	size_t n = event_triangle_len(v->matrix.n_included);

	for (size_t i = 0; i < n; i++)
		memcpy(out + i, v->triangle + i * v->cell_stride, sizeof(*out));
}

size_t frame_matrix_copy(const struct frame_view *v, void *out, size_t cap)
{
	size_t need = frame_matrix_bytes(&v->matrix);
	size_t cells = event_triangle_len(v->matrix.n_included);
	uint8_t *to = out;

	assert(v->kind == EVENT_TIER2);
	if (cap < need)
		return need;
	memcpy(to, &v->matrix, sizeof(v->matrix));
	to += sizeof(v->matrix);
	for (size_t i = 0; i < v->matrix.n_members;
	     i++, to += sizeof(struct tier2_member))
		memcpy(to, v->member + i * v->member_stride,
		       sizeof(struct tier2_member));
	for (size_t i = 0; i < cells; i++, to += sizeof(double))
		memcpy(to, v->triangle + i * v->cell_stride, sizeof(double));
	return need;
}
