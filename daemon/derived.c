/* derived - see derived.h. */
#include "daemon/derived.h"
#include "base/buf.h"
#include "base/err.h"
#include "bus/stats.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_BYTES_MAX ((size_t)64 << 20)
#define BATCH_EVENTS      512u /* events per row, about */

/* Where an event lies in the bytes, and its place in the order. */
struct entry {
	uint64_t pos;
	uint32_t symbol_id;
	uint32_t arrival;
	size_t at;
	size_t len;
};

struct pending {
	struct buf bytes;
	struct entry *entries; /* owned */
	size_t n;
	size_t cap;
	uint64_t skip_pos;
	_Atomic uint64_t complete;
};

struct derived {
	struct pending kinds[EVENT_KINDS];
	uint64_t epoch;
	derived_post_fn post;
	void *arg;
};

int derived_new(uint64_t epoch, const uint64_t skip_pos[EVENT_KINDS],
		derived_post_fn post, void *arg, struct derived **out)
{
	struct derived *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return err_set(-ENOMEM, "out of memory for the derived events");
	d->epoch = epoch;
	d->post = post;
	d->arg = arg;
	for (int k = 0; k < EVENT_KINDS; k++) {
		d->kinds[k].skip_pos = skip_pos[k];
		atomic_init(&d->kinds[k].complete, skip_pos[k]);
	}
	*out = d;
	return 0;
}

void derived_free(struct derived *d)
{
	if (d == NULL)
		return;
	for (int k = 0; k < EVENT_KINDS; k++) {
		buf_free(&d->kinds[k].bytes);
		free(d->kinds[k].entries);
	}
	free(d);
}

bool derived_known(const struct derived *d, enum event_kind kind, uint64_t pos)
{
	return pos <= d->kinds[kind].skip_pos;
}

void derived_add(struct derived *d, enum event_kind kind, const void *event, size_t len)
{
	struct pending *p = &d->kinds[kind];
	const struct event_head *head = event;

	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 256 : p->cap * 2;
		struct entry *grown = realloc(p->entries, cap * sizeof(*grown));

		if (grown == NULL)
			abort(); /* bounded by PENDING_BYTES_MAX: the machine is out */
		p->entries = grown;
		p->cap = cap;
	}
	p->entries[p->n] = (struct entry){.pos = head->pos,
					  /* Matrices: in order of arrival. */
					  .symbol_id = event_symbol_id(kind, event),
					  .arrival = (uint32_t)p->n,
					  .at = p->bytes.len,
					  .len = len};
	p->n++;
	buf_add(&p->bytes, event, len);
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->pos != y->pos)
		return x->pos < y->pos ? -1 : 1;
	if (x->symbol_id != y->symbol_id)
		return x->symbol_id < y->symbol_id ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

/* Seal the frame that was begun 4 bytes behind @at; returns the bytes used. */
static size_t seal(struct frame *f, uint8_t *at)
{
	uint32_t len = (uint32_t)frame_seal(f, 0, 0);

	memcpy(at, &len, sizeof(len));
	return sizeof(len) + len;
}

/* Entries [from, to) of @p as frames, each behind its length (u32); malloc'ed. */
static void *pack(const struct derived *d, enum event_kind kind,
		  const struct pending *p, size_t from, size_t to, size_t *out_len)
{
	size_t cap = 0, len = 0;
	struct frame f;
	uint8_t *data;

	for (size_t i = from; i < to; i++)
		cap += p->entries[i].len;
	cap += ((to - from) / FRAME_EVENTS_MAX + (kind == EVENT_TIER2 ? to - from : 1) +
		1) *
	       256;
	data = malloc(cap);
	if (data == NULL)
		abort();
	frame_begin(&f, data + 4, cap - 4, kind, d->epoch);
	for (size_t i = from; i < to; i++) {
		const void *event = p->bytes.data + p->entries[i].at;

		if (frame_add(&f, event) == FRAME_FULL) {
			len += seal(&f, data + len);
			frame_begin(&f, data + len + 4, cap - len - 4, kind, d->epoch);
			(void)frame_add(&f, event);
		}
	}
	*out_len = len + seal(&f, data + len);
	return data;
}

/* Forget the first @n entries and the bytes before what remains. */
static void drop(struct pending *p, size_t n)
{
	struct buf rest = {0};

	for (size_t i = n; i < p->n; i++) {
		struct entry *e = &p->entries[i];
		size_t at = rest.len;

		buf_add(&rest, p->bytes.data + e->at, e->len);
		p->entries[i - n] = *e;
		p->entries[i - n].at = at;
		p->entries[i - n].arrival = (uint32_t)(i - n);
	}
	p->n -= n;
	buf_free(&p->bytes);
	p->bytes = rest;
}

/* A mark of UINT64_MAX means that nobody marks (no such thread): it says nothing. */
static void note_complete(struct pending *p, uint64_t mark)
{
	if (mark != UINT64_MAX && mark > atomic_load(&p->complete))
		atomic_store_explicit(&p->complete, mark, memory_order_release);
}

static void flush_kind(struct derived *d, enum event_kind kind, uint64_t mark)
{
	struct pending *p = &d->kinds[kind];
	size_t ready = 0, from = 0;

	if (p->n == 0) {
		note_complete(p, mark);
		return;
	}
	qsort(p->entries, p->n, sizeof(*p->entries), by_place);
	for (size_t i = 0; i < p->n; i++)
		p->entries[i].arrival = (uint32_t)i;
	while (ready < p->n && p->entries[ready].pos <= mark)
		ready++;
	while (from < ready) {
		size_t to = from + BATCH_EVENTS < ready ? from + BATCH_EVENTS : ready;
		size_t len;
		void *data;

		/* A position is never split: the last one stored is stored whole. */
		while (to < ready && p->entries[to].pos == p->entries[to - 1].pos)
			to++;
		data = pack(d, kind, p, from, to, &len);
		if (d->post(d->arg, kind, p->entries[from].pos, p->entries[to - 1].pos,
			    (uint32_t)(to - from), data, len) != 0) {
			free(data);
			break;
		}
		from = to;
	}
	if (from == ready)
		note_complete(p, mark);
	if (from > 0)
		drop(p, from);
}

void derived_flush(struct derived *d, uint64_t mark, uint64_t tier2_mark,
		   uint64_t news_mark)
{
	flush_kind(d, EVENT_BAR, mark);
	flush_kind(d, EVENT_TIER1, mark);
	flush_kind(d, EVENT_STATUS, mark);
	flush_kind(d, EVENT_TIER2, tier2_mark);
	flush_kind(d, EVENT_NEWS, news_mark);
}

uint64_t derived_complete(const struct derived *d, enum event_kind kind)
{
	return atomic_load_explicit(&d->kinds[kind].complete, memory_order_acquire);
}

bool derived_full(const struct derived *d)
{
	size_t bytes = 0;

	for (int k = 0; k < EVENT_KINDS; k++)
		bytes += d->kinds[k].bytes.len;
	return bytes > PENDING_BYTES_MAX;
}

size_t derived_pending(const struct derived *d)
{
	size_t n = 0;

	for (int k = 0; k < EVENT_KINDS; k++)
		n += d->kinds[k].n;
	return n;
}
