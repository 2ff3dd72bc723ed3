/* past_write - taking events, filling chunks, and cutting off what is void. */
#include "archive/layout.h"
#include "archive/past_own.h"
#include "base/err.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The open chunk as its file. */
static int write_open(struct past *p, struct past_kind *k)
{
	struct buf bytes = {0}, path = {0}, beside = {0};
	size_t i = past_n_chunks(k) - 1;
	int rc = pastfile_pack(&k->open, &bytes);

	past_path(p, k->kind, i, &path);
	buf_printf(&beside, "%s/past.events", p->tmp);
	if (rc == 0) {
		char *slash = strrchr((char *)path.data, '/');

		*slash = '\0';
		rc = layout_mkdirs((char *)path.data);
		*slash = '/';
	}
	if (rc == 0)
		rc = layout_write((char *)path.data, buf_text(&beside), bytes.data,
				  bytes.len);
	if (rc == 0) {
		past_entry_at(k, i)->bytes = bytes.len;
		k->is_dirty = false;
	}
	buf_free(&bytes);
	buf_free(&path);
	buf_free(&beside);
	return rc;
}

/* An empty chunk behind the others. */
static void begin_chunk(struct past_kind *k, uint64_t pos)
{
	struct past_entry e = {.first_pos = pos, .newest_ns = k->newest_ns};

	pastfile_free(&k->open);
	buf_add(&k->open.streams, k->streams.data, k->streams.len);
	k->open.head.kind = k->kind;
	k->open.head.first_pos = pos;
	k->open.head.newest_ns = k->newest_ns;
	buf_add(&k->entries, &e, sizeof(e));
}

static int make_room(struct past *p, struct past_kind *k, uint64_t pos)
{
	int rc = 0;

	if (past_n_chunks(k) > 0 &&
	    (k->open.events.len < p->chunk_bytes || pos == k->open.head.last_pos))
		return 0;
	if (past_n_chunks(k) > 0 && k->is_dirty)
		rc = write_open(p, k);
	if (rc == 0)
		begin_chunk(k, pos);
	return rc;
}

static void append(struct past_kind *k, const struct event_head *e, size_t len)
{
	struct past_entry *entry = past_entry_at(k, past_n_chunks(k) - 1);

	pastfile_add(&k->open.events, e, len);
	k->open.head.n_events++;
	k->open.head.last_pos = e->pos;
	entry->n_events = k->open.head.n_events;
	entry->last_pos = e->pos;
	if (e->event_ns > k->newest_ns)
		k->newest_ns = e->event_ns;
	k->is_dirty = true;
}

/* 0: added; 1: it was known. */
static int take_event(struct past *p, struct past_kind *k, const struct event_head *e,
		      size_t len)
{
	struct past_stream s;
	size_t i;
	int rc;

	past_stream_of(k->kind, e, &s);
	if (past_stream_find(&k->streams, &s, &i) &&
	    s.seq <= ((const struct past_stream *)(const void *)k->streams.data)[i].seq)
		return 1;
	if (past_n_chunks(k) > 0 && e->pos < k->open.head.last_pos)
		return err_set(-EBADMSG,
			       "%s %llu of %.32s at position %llu comes behind "
			       "position %llu",
			       event_kind_word(k->kind), (unsigned long long)s.seq,
			       s.name, (unsigned long long)e->pos,
			       (unsigned long long)k->open.head.last_pos);
	rc = make_room(p, k, e->pos);
	if (rc == 0)
		rc = past_follow(p, k->kind, e, &k->streams);
	if (rc == 0)
		append(k, e, len);
	return rc;
}

static int take_frame(struct past *p, const struct past_range *r,
		      struct frame_view *view, struct past_sum *sum)
{
	struct buf matrix = {0};
	union {
		struct event_head head;
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_tier2 tier2;
		struct event_news news;
		struct event_status status;
	} fixed;
	int rc = 0;

	while (rc >= 0 && frame_next(view, &fixed) == 0) {
		const void *event = &fixed;
		size_t len = event_block_size(view->kind);

		if (fixed.head.pos < r->from_pos || fixed.head.pos > r->to_pos) {
			rc = err_set(-EINVAL,
				     "an event at position %llu is outside of the "
				     "range it came with",
				     (unsigned long long)fixed.head.pos);
			break;
		}
		if (view->kind == EVENT_TIER2) {
			len = frame_matrix_copy(view, NULL, 0);
			matrix.len = 0;
			event = buf_reserve(&matrix, len);
			(void)frame_matrix_copy(view, matrix.data, len);
		}
		rc = take_event(p, &p->kinds[view->kind], event, len);
		sum->events++;
		sum->added += rc == 0;
	}
	buf_free(&matrix);
	return rc < 0 ? rc : 0;
}

static int take_bulk(struct past *p, const struct past_range *r, const uint8_t *data,
		     size_t len, struct past_sum *sum)
{
	struct frame_view view;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < len;) {
		uint32_t n = 0;

		if (len - at >= sizeof(n))
			memcpy(&n, data + at, sizeof(n));
		at += sizeof(n);
		if (at > len || n > len - at || frame_open(data + at, n, &view) != 0 ||
		    !past_keeps(view.kind))
			return err_set(-EINVAL, "the bulk is not made of frames of "
						"events");
		at += n;
		rc = take_frame(p, r, &view, sum);
	}
	return rc;
}

/* The range joins the newest stretch or begins one. */
static int widen(struct past *p, const struct past_range *r)
{
	struct past_stretch *newest = past_newest(p);
	struct past_stretch s = {r->from_pos, r->to_pos};

	if (newest && r->from_pos <= newest->to_pos + 1) {
		if (r->to_pos > newest->to_pos)
			newest->to_pos = r->to_pos;
		return 0;
	}
	if (p->stretches.len / sizeof(s) >= PAST_STRETCHES_MAX)
		return err_set(-ENOSPC,
			       "%s has %u stretches already: remove it, and what the "
			       "log holds is archived again",
			       p->dir, PAST_STRETCHES_MAX);
	buf_add(&p->stretches, &s, sizeof(s));
	return 0;
}

/*
 * What lies behind the newest stretch is the beginning of a put that was broken off or
 * refused: not to be trusted.  A new epoch makes void what lies behind its beginning.
 */
static int clear(struct past *p, const struct past_range *r)
{
	const struct past_stretch *newest = past_newest(p);
	uint64_t behind = newest ? newest->to_pos + 1 : 1;

	if (p->log != 0 && r->log != p->log)
		return err_set(-EINVAL,
			       "%s holds the events of another log: give every log an "
			       "archive of its own, or move that folder away",
			       p->dir);
	if (r->epoch < p->epoch)
		return err_set(-EINVAL, "epoch %llu is over, the archive knows %llu",
			       (unsigned long long)r->epoch,
			       (unsigned long long)p->epoch);
	p->log = r->log;
	if (!p->has_manifest) { /* from now on a chunk without it is one too many */
		int rc = past_manifest_write(p);

		if (rc < 0)
			return rc;
	}
	return past_cut(p, r->epoch > p->epoch && r->from_pos < behind ? r->from_pos
								       : behind);
}

static int put(struct past *p, const struct past_range *r, const void *bulk, size_t len,
	       struct past_sum *out)
{
	const struct past_stretch *newest;
	bool is_changed = r->epoch != p->epoch;
	uint64_t before;
	int rc = clear(p, r);

	newest = past_newest(p);
	before = newest ? newest->to_pos : 0;
	p->epoch = r->epoch;
	if (rc == 0)
		rc = widen(p, r);
	if (rc == 0)
		rc = take_bulk(p, r, bulk, len, out);
	for (unsigned k = 0; k < EVENT_KINDS && rc == 0; k++)
		if (p->kinds[k].is_dirty)
			rc = write_open(p, &p->kinds[k]);
	if (rc < 0)
		return rc;
	newest = past_newest(p);
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		p->said[k] = past_n_chunks(&p->kinds[k]);
	if (is_changed || out->added > 0 || newest->to_pos != before)
		rc = past_manifest_write(p);
	return rc;
}

int past_put(struct past *p, const struct past_range *range, const void *bulk,
	     size_t len, struct past_sum *out)
{
	int rc = past_load(p);

	*out = (struct past_sum){0};
	if (rc < 0)
		return rc;
	if (range->from_pos == 0 || range->to_pos < range->from_pos)
		return err_set(-EINVAL, "positions %llu to %llu are no range",
			       (unsigned long long)range->from_pos,
			       (unsigned long long)range->to_pos);
	rc = put(p, range, bulk, len, out);
	if (rc < 0)
		past_forget(p);
	return rc;
}

/* ---- cutting ---- */

static void cut_stretches(struct past *p, uint64_t pos)
{
	struct past_stretch *s = past_newest(p);

	while (s && s->from_pos >= pos) {
		p->stretches.len -= sizeof(*s);
		s = past_newest(p);
	}
	if (s && s->to_pos >= pos)
		s->to_pos = pos - 1;
}

/* The last chunk without what lies at @pos or behind: whole chunks were dropped. */
static int shorten(struct past *p, struct past_kind *k, uint64_t pos)
{
	struct past_entry *entry = past_entry_at(k, past_n_chunks(k) - 1);
	struct pastfile old = {0};
	struct buf path = {0};
	const struct event_head *e;
	size_t at = 0, len;
	int rc;

	past_path(p, k->kind, past_n_chunks(k) - 1, &path);
	rc = pastfile_load((char *)path.data, &old);
	buf_free(&path);
	k->streams.len = 0;
	buf_add(&k->streams, old.streams.data, old.streams.len);
	k->newest_ns = old.head.newest_ns;
	pastfile_free(&k->open);
	if (rc == 0) {
		k->open.head = old.head;
		k->open.head.n_events = 0;
		entry->n_events = 0;
		buf_add(&k->open.streams, old.streams.data, old.streams.len);
	}
	while (rc >= 0 && (e = pastfile_next(&old.events, &at, &len)) != NULL &&
	       e->pos < pos) {
		rc = past_follow(NULL, k->kind, e, &k->streams);
		append(k, e, len);
	}
	pastfile_free(&old);
	return rc < 0 ? rc : write_open(p, k);
}

/* How many chunks begin before @pos. */
static size_t chunks_before(const struct past_kind *k, uint64_t pos)
{
	size_t n = past_n_chunks(k);

	while (n > 0 && past_entry_at(k, n - 1)->first_pos >= pos)
		n--;
	return n;
}

static int cut_kind(struct past *p, struct past_kind *k, uint64_t pos)
{
	size_t n = chunks_before(k, pos), had = past_n_chunks(k);
	struct buf path = {0};
	int rc = 0;

	if (had > 0 && n == had && k->open.head.last_pos < pos)
		return 0;
	k->cached = 0;
	/* From the end, so that a crash leaves no hole in their numbers. */
	for (size_t i = had; i > n && rc == 0; i--) {
		past_path(p, k->kind, i - 1, &path);
		if (unlink((char *)path.data) < 0 && errno != ENOENT)
			rc = err_set(-errno, "%s: %s", (char *)path.data,
				     strerror(errno));
	}
	buf_free(&path);
	k->entries.len = n * sizeof(struct past_entry);
	if (rc == 0 && n > 0)
		return shorten(p, k, pos);
	pastfile_free(&k->open);
	k->streams.len = 0;
	k->newest_ns = INT64_MIN;
	return rc;
}

int past_cut(struct past *p, uint64_t pos)
{
	const struct past_stretch *newest = past_newest(p);
	bool is_due = newest && newest->to_pos >= pos;
	int rc = 0;

	for (unsigned k = 0; k < EVENT_KINDS; k++)
		is_due |= past_n_chunks(&p->kinds[k]) > 0 &&
			  p->kinds[k].open.head.last_pos >= pos;
	if (!is_due)
		return 0;
	cut_stretches(p, pos);
	if (p->retired_pos >= pos) { /* of what is given out nothing is left */
		p->stretches.len = 0;
		p->retired_pos = pos;
	}
	/* The manifest first: what it does not count may be missing. */
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		p->said[k] = chunks_before(&p->kinds[k], pos);
	rc = past_manifest_write(p);
	for (unsigned k = 0; k < EVENT_KINDS && rc == 0; k++)
		if (past_n_chunks(&p->kinds[k]) > 0)
			rc = cut_kind(p, &p->kinds[k], pos);
	return rc;
}
