/* past_read - giving events out, and finding where to begin. */
#include "archive/past_own.h"
#include "base/err.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNKS_MAX 16 /* that one question may read */

struct reading {
	const struct past_ask *ask;
	uint64_t from_pos; /* asked for, and held */
	struct buf *out;
	size_t begin; /* of ours in out */
	uint64_t epoch;
	struct frame frame;
	struct buf frame_data;
	bool is_open;
	uint64_t end;  /* nothing behind it is given */
	uint64_t done; /* everything up to it was looked at */
	bool is_full;
};

static void seal(struct reading *r)
{
	uint32_t len;

	if (!r->is_open)
		return;
	len = (uint32_t)frame_seal(&r->frame, 0, 0);
	buf_add(r->out, &len, sizeof(len));
	buf_add(r->out, r->frame_data.data, len);
	r->is_open = false;
}

static void give(struct reading *r, const void *event, size_t len)
{
	enum event_kind kind = r->ask->kind;

	if (r->is_open && frame_add(&r->frame, event) == 0)
		return;
	seal(r);
	len = kind == EVENT_TIER2 ? len + 64 : frame_size_max(kind);
	r->frame_data.len = 0;
	frame_begin(&r->frame, buf_reserve(&r->frame_data, len), len, kind, r->epoch);
	(void)frame_add(&r->frame, event);
	r->is_open = true;
	if (kind == EVENT_TIER2)
		seal(r);
}

static bool is_asked(const struct past_ask *ask, const void *event)
{
	struct past_stream s;

	if (ask->n_names == 0)
		return true;
	past_stream_of(ask->kind, event, &s);
	for (size_t i = 0; i < ask->n_names; i++)
		if (memcmp(ask->names[i], s.name, SYMBOL_MAX) == 0)
			return true;
	return false;
}

static size_t given(const struct reading *r)
{
	return r->out->len - r->begin + (r->is_open ? r->frame.len : 0);
}

static void read_chunk(struct reading *r, const struct buf *events)
{
	const struct event_head *e;
	uint64_t pos = 0;
	size_t at = 0, len;

	while ((e = pastfile_next(events, &at, &len)) != NULL) {
		if (e->pos < r->from_pos)
			continue;
		if (e->pos != pos && given(r) >= r->ask->max_bytes) {
			r->is_full = true;
			r->done = e->pos - 1;
			return;
		}
		if (e->pos > r->end)
			return;
		pos = e->pos;
		if (is_asked(r->ask, e))
			give(r, e, len);
	}
}

static int read_chunks(struct past *p, struct past_kind *k, struct reading *r)
{
	size_t n = past_n_chunks(k), first = past_chunk_of(k, r->from_pos);

	for (size_t i = first; i < n && !r->is_full; i++) {
		const struct buf *events;
		int rc;

		if (past_entry_at(k, i)->first_pos > r->end)
			break;
		if (i - first == CHUNKS_MAX) {
			r->done = past_entry_at(k, i)->first_pos - 1;
			return 0;
		}
		rc = past_events_at(p, k, i, &events);
		if (rc < 0)
			return rc;
		read_chunk(r, events);
	}
	return 0;
}

int past_read(struct past *p, const struct past_ask *ask, struct buf *out,
	      uint64_t *to_pos)
{
	struct reading r = {.ask = ask, .out = out, .begin = out->len};
	const struct past_stretch *newest;
	int rc = past_load(p);

	if (rc < 0)
		return rc;
	newest = past_newest(p);
	r.end = r.done = newest ? newest->to_pos : 0;
	r.epoch = p->epoch;
	r.from_pos = past_first_pos(p);
	if (ask->from_pos > r.from_pos)
		r.from_pos = ask->from_pos;
	if (ask->from_pos <= r.end)
		rc = read_chunks(p, &p->kinds[ask->kind], &r);
	seal(&r);
	buf_free(&r.frame_data);
	if (rc < 0)
		out->len = r.begin;
	*to_pos = r.done;
	return rc;
}

/* ---- where a sequence is ---- */

static bool is_of(const struct past_want *w, const struct past_stream *s)
{
	return memcmp(w->stream.name, s->name, SYMBOL_MAX) == 0 &&
	       (w->stream.timeframe_s == 0 || s->timeframe_s == w->stream.timeframe_s);
}

/* Has any stream that is wanted of @kind reached its sequence? */
static bool is_reached(enum event_kind kind, const struct buf *streams,
		       const struct past_want *wants, size_t n)
{
	const struct past_stream *s = (const void *)streams->data;
	size_t n_streams = streams->len / sizeof(*s);
	struct past_stream key = {0};
	size_t at;

	for (size_t i = 0; i < n; i++) {
		if (wants[i].kind != kind)
			continue;
		memcpy(key.name, wants[i].stream.name, sizeof(key.name));
		(void)past_stream_find(streams, &key, &at);
		for (; at < n_streams &&
		       memcmp(s[at].name, key.name, sizeof(key.name)) == 0;
		     at++)
			if (is_of(&wants[i], &s[at]) &&
			    s[at].seq >= wants[i].stream.seq)
				return true;
	}
	return false;
}

static int streams_before(struct past *p, struct past_kind *k, size_t i,
			  struct buf *out)
{
	struct buf path = {0};
	struct pastfile one;
	int rc;

	out->len = 0;
	if (i == past_n_chunks(k)) {
		buf_add(out, k->streams.data, k->streams.len);
		return 0;
	}
	past_path(p, k->kind, i, &path);
	rc = pastfile_peek((char *)path.data, true, &one);
	if (rc == 0)
		buf_add(out, one.streams.data, one.streams.len);
	pastfile_free(&one);
	buf_free(&path);
	return rc;
}

/* The last chunk in front of which nothing that is wanted was reached. */
static int find_chunk(struct past *p, struct past_kind *k,
		      const struct past_want *wants, size_t n, size_t *out)
{
	size_t low = 0, high = past_n_chunks(k);
	struct buf streams = {0};
	int rc = 0;

	while (low < high && rc == 0) {
		size_t mid = low + (high - low + 1) / 2;

		rc = streams_before(p, k, mid, &streams);
		if (rc == 0 && is_reached(k->kind, &streams, wants, n))
			high = mid - 1;
		else
			low = mid;
	}
	buf_free(&streams);
	*out = low;
	return rc;
}

static void note(struct past_want *wants, size_t n, enum event_kind kind,
		 const struct past_stream *s, uint64_t seq)
{
	for (size_t i = 0; i < n; i++)
		if (wants[i].kind == kind && wants[i].held == 0 && is_of(&wants[i], s))
			wants[i].held = seq;
}

/* Each stream's first sequence at @first or behind, as chunk @i tells, which is the
   first that reaches there: of the events in it, else of the state behind it. */
static int note_firsts(struct past *p, struct past_kind *k, size_t i, uint64_t first,
		       struct past_want *wants, size_t n)
{
	const struct past_stream *s;
	const struct event_head *e;
	const struct buf *events;
	struct buf streams = {0};
	size_t at = 0, len;
	int rc = streams_before(p, k, i, &streams);

	if (rc == 0 && i < past_n_chunks(k))
		rc = past_events_at(p, k, i, &events);
	while (rc >= 0 && i < past_n_chunks(k) &&
	       (e = pastfile_next(events, &at, &len)) != NULL) {
		struct past_stream one;

		past_stream_of(k->kind, e, &one);
		if (e->pos >= first)
			note(wants, n, k->kind, &one, one.seq);
		rc = past_follow(NULL, k->kind, e, &streams);
	}
	s = (const void *)streams.data;
	for (size_t j = 0; rc >= 0 && j < streams.len / sizeof(*s); j++)
		note(wants, n, k->kind, &s[j], s[j].seq + 1);
	buf_free(&streams);
	return rc < 0 ? rc : 0;
}

/* What of the wanted lies before the first event of its stream that is held. */
static int note_held(struct past *p, struct past_kind *k, struct past_want *wants,
		     size_t n)
{
	uint64_t first = past_first_pos(p);
	int rc = note_firsts(p, k, past_chunk_of(k, first), first, wants, n);

	for (size_t i = 0; i < n; i++)
		if (wants[i].kind == k->kind && wants[i].held <= wants[i].stream.seq)
			wants[i].held = 0;
	return rc;
}

static bool wants_kind(const struct past_want *wants, size_t n, enum event_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (wants[i].kind == kind)
			return true;
	return false;
}

int past_find_seqs(struct past *p, struct past_want *wants, size_t n, uint64_t *out_pos)
{
	uint64_t first;
	int rc = past_load(p);

	*out_pos = UINT64_MAX;
	if (rc < 0)
		return rc;
	first = past_first_pos(p);
	for (size_t i = 0; i < n; i++)
		wants[i].held = 0;
	for (unsigned kind = 0; kind < EVENT_KINDS && rc == 0; kind++) {
		struct past_kind *k = &p->kinds[kind];
		uint64_t pos;
		size_t i;

		if (!wants_kind(wants, n, k->kind))
			continue;
		rc = find_chunk(p, k, wants, n, &i);
		if (rc == 0 && i == 0 && first > 1)
			rc = note_held(p, k, wants, n);
		pos = i < past_n_chunks(k) ? past_entry_at(k, i)->first_pos
					   : UINT64_MAX;
		pos = pos < first ? first : pos;
		if (pos < *out_pos)
			*out_pos = pos;
	}
	return rc < 0 ? rc : *out_pos == UINT64_MAX;
}

/* ---- where a time was reached ---- */

static int find_time(struct past *p, struct past_kind *k, int64_t ns, uint64_t *out)
{
	size_t low = 0, high = past_n_chunks(k);
	const struct event_head *e;
	const struct buf *events;
	size_t at = 0, len;
	int rc;

	*out = UINT64_MAX;
	if (k->newest_ns < ns || high == 0)
		return 0;
	if (past_entry_at(k, 0)->newest_ns >= ns) { /* among what is gone */
		*out = past_first_pos(p);
		return 0;
	}
	while (low + 1 < high) { /* the last chunk in front of which it was not */
		size_t mid = low + (high - low) / 2;

		if (past_entry_at(k, mid)->newest_ns >= ns)
			high = mid;
		else
			low = mid;
	}
	rc = past_events_at(p, k, low, &events);
	while (rc == 0 && (e = pastfile_next(events, &at, &len)) != NULL) {
		if (e->event_ns < ns)
			continue;
		*out = e->pos > past_first_pos(p) ? e->pos : past_first_pos(p);
		break;
	}
	return rc;
}

int past_find_time(struct past *p, uint32_t kinds, int64_t ns, uint64_t *out_pos)
{
	int rc = past_load(p);

	*out_pos = UINT64_MAX;
	for (unsigned k = 0; k < EVENT_KINDS && rc == 0; k++) {
		uint64_t pos;

		if (!past_keeps(k) || !(kinds >> k & 1))
			continue;
		rc = find_time(p, &p->kinds[k], ns, &pos);
		if (rc == 0 && pos < *out_pos)
			*out_pos = pos;
	}
	return rc < 0 ? rc : *out_pos == UINT64_MAX;
}

/* ---- verify ---- */

static void bad(struct past_check *sum, const char *path, const char *why)
{
	if (sum->bad++ == 0)
		(void)snprintf(sum->first_bad, sizeof(sum->first_bad), "%s: %s", path,
			       why);
}

/* Chunk @f behind @streams, which are moved on.  Behind @end nothing is judged. */
static int follow_chunk(struct past *p, const struct pastfile *f, uint64_t end,
			struct buf *streams)
{
	const struct event_head *e;
	size_t at = 0, len;
	int rc = 0;

	if (f->streams.len != streams->len ||
	    (streams->len > 0 &&
	     memcmp(f->streams.data, streams->data, streams->len) != 0))
		return err_set(-EBADMSG, "it does not continue the chunk before it");
	while ((e = pastfile_next(&f->events, &at, &len)) != NULL) {
		rc = past_follow(e->pos > end ? NULL : p, (enum event_kind)f->head.kind,
				 e, streams);
		if (rc > 0)
			return err_set(-EBADMSG, "an event stands in it twice");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void verify_kind(struct past *p, struct past_kind *k, uint64_t end,
			struct past_check *sum)
{
	struct buf streams = {0}, path = {0};
	struct pastfile f;

	for (size_t i = 0; i < past_n_chunks(k); i++) {
		int rc;

		past_path(p, k->kind, i, &path);
		rc = pastfile_load((char *)path.data, &f);
		if (rc == 0 && f.head.kind != k->kind)
			rc = err_set(-EBADMSG, "it is of another kind");
		if (rc == 0 && i == 0 && k->retired > 0) /* what it follows is gone */
			buf_add(&streams, f.streams.data, f.streams.len);
		if (rc == 0)
			rc = follow_chunk(p, &f, end, &streams);
		if (rc < 0)
			bad(sum, (char *)path.data, err_text());
		sum->chunks++;
		sum->events += f.head.n_events;
		sum->bytes += past_entry_at(k, i)->bytes;
		pastfile_free(&f);
		if (rc < 0)
			break; /* what follows has nothing to follow */
	}
	buf_free(&streams);
	buf_free(&path);
}

int past_verify(struct past *p, struct past_check *out)
{
	const struct past_stretch *newest;
	int rc;

	*out = (struct past_check){0};
	past_forget(p);
	rc = past_load(p);
	if (rc == -EBADMSG) {
		bad(out, p->dir, err_text());
		return 0;
	}
	if (rc < 0)
		return rc;
	newest = past_newest(p);
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		verify_kind(p, &p->kinds[k], newest ? newest->to_pos : 0, out);
	return 0;
}
