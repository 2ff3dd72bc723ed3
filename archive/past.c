/* past - opening it, its chunks, and how one event follows another. */
#include "archive/layout.h"
#include "archive/past_own.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool past_keeps(unsigned kind)
{
	return kind < EVENT_KINDS && event_block_size((enum event_kind)kind) > 0;
}

int past_open(const char *dir, const char *tmp, size_t chunk_bytes, struct past **out)
{
	struct past *p = calloc(1, sizeof(*p));
	struct buf path = {0};
	struct buf beside = {0};

	if (!p)
		return err_set(-ENOMEM, "out of memory for the past");
	buf_printf(&path, "%s/events", dir);
	buf_printf(&beside, "%s", tmp);
	p->dir = buf_text(&path);
	p->tmp = buf_text(&beside);
	p->chunk_bytes = chunk_bytes > 0 ? chunk_bytes : PAST_CHUNK_BYTES;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		p->kinds[k].kind = (enum event_kind)k;
	*out = p;
	return 0;
}

void past_forget(struct past *p)
{
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		buf_free(&p->kinds[k].entries);
		buf_free(&p->kinds[k].streams);
		pastfile_free(&p->kinds[k].open);
		pastfile_free(&p->kinds[k].cache);
		p->kinds[k] = (struct past_kind){.kind = (enum event_kind)k};
		p->said[k] = 0;
	}
	buf_free(&p->stretches);
	p->log = 0;
	p->epoch = 0;
	p->retired_pos = 0;
	p->has_manifest = false;
	p->is_loaded = false;
}

void past_close(struct past *p)
{
	if (!p)
		return;
	past_forget(p);
	free(p->dir);
	free(p->tmp);
	free(p);
}

size_t past_n_chunks(const struct past_kind *k)
{
	return k->entries.len / sizeof(struct past_entry);
}

struct past_entry *past_entry_at(const struct past_kind *k, size_t i)
{
	return (struct past_entry *)(void *)k->entries.data + i;
}

void past_path_of(const struct past *p, unsigned kind, uint64_t number, struct buf *out)
{
	out->len = 0;
	buf_printf(out, "%s/kind=%s/%08llu.events", p->dir,
		   event_kind_word((enum event_kind)kind), (unsigned long long)number);
	buf_text(out);
}

void past_path(const struct past *p, unsigned kind, size_t i, struct buf *out)
{
	past_path_of(p, kind, p->kinds[kind].retired + i + 1, out);
}

struct past_stretch *past_newest(const struct past *p)
{
	if (p->stretches.len == 0)
		return NULL;
	return (struct past_stretch *)(void *)(p->stretches.data + p->stretches.len) -
	       1;
}

size_t past_chunk_of(const struct past_kind *k, uint64_t pos)
{
	size_t low = 0, high = past_n_chunks(k);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (past_entry_at(k, mid)->last_pos < pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint64_t past_first_pos(const struct past *p)
{
	const struct past_stretch *oldest = (const void *)p->stretches.data;
	uint64_t pos = p->stretches.len > 0 ? oldest->from_pos : 0;

	return pos > 0 && pos < p->retired_pos ? p->retired_pos : pos;
}

bool past_hole_between(const struct past *p, uint64_t before, uint64_t pos)
{
	const struct past_stretch *s = (const void *)p->stretches.data;
	size_t n = p->stretches.len / sizeof(*s);

	for (size_t i = 0; i < n; i++)
		if (s[i].from_pos > 1 && s[i].from_pos > before && s[i].from_pos <= pos)
			return true;
	return false;
}

bool past_stream_find(const struct buf *streams, const struct past_stream *s,
		      size_t *out_i)
{
	const struct past_stream *all = (const void *)streams->data;
	size_t low = 0, high = streams->len / sizeof(*all);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = past_stream_compare(&all[mid], s);

		if (order == 0) {
			*out_i = mid;
			return true;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*out_i = low;
	return false;
}

static void insert(struct buf *streams, size_t i, const struct past_stream *s)
{
	size_t at = i * sizeof(*s);

	(void)buf_reserve(streams, sizeof(*s));
	memmove(streams->data + at + sizeof(*s), streams->data + at, streams->len - at);
	memcpy(streams->data + at, s, sizeof(*s));
	streams->len += sizeof(*s);
}

/* The chain that @event has to have behind @before. */
static uint64_t chain_behind(enum event_kind kind, const void *event, uint64_t before)
{
	union {
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_tier2 tier2;
		struct event_news news;
		struct event_status status;
	} copy;

	memcpy(&copy, event, event_block_size(kind));
	event_chain(kind, &copy, &before);
	return before;
}

static int judge(const struct past *p, enum event_kind kind, const void *event,
		 const struct past_stream *was, const struct past_stream *is)
{
	const struct past_stream now = *is;

	if (now.seq != was->seq + 1 && !past_hole_between(p, was->pos, now.pos))
		return err_set(-EBADMSG,
			       "%s %llu of %.32s at position %llu follows %llu: the "
			       "events between them are missing",
			       event_kind_word(kind), (unsigned long long)now.seq,
			       now.name, (unsigned long long)now.pos,
			       (unsigned long long)was->seq);
	if (now.seq == was->seq + 1 && kind != EVENT_TICK &&
	    now.chain != chain_behind(kind, event, was->chain))
		return err_set(-EBADMSG,
			       "%s %llu of %.32s at position %llu does not continue "
			       "the chain of its stream",
			       event_kind_word(kind), (unsigned long long)now.seq,
			       now.name, (unsigned long long)now.pos);
	return 0;
}

int past_follow(const struct past *p, enum event_kind kind, const void *event,
		struct buf *streams)
{
	struct past_stream now, *was, none = {0};
	bool is_known;
	size_t i;
	int rc;

	past_stream_of(kind, event, &now);
	is_known = past_stream_find(streams, &now, &i);
	was = is_known ? (struct past_stream *)(void *)streams->data + i : &none;
	if (is_known && now.seq <= was->seq)
		return 1;
	rc = p ? judge(p, kind, event, was, &now) : 0;
	if (rc < 0)
		return rc;
	if (is_known)
		*was = now;
	else
		insert(streams, i, &now);
	return 0;
}

/* The last chunk: its events, and the state behind them. */
static int load_open(struct past_kind *k, const char *path)
{
	const struct event_head *e;
	size_t at = 0, len;
	int rc = pastfile_load(path, &k->open);

	if (rc < 0)
		return rc;
	k->newest_ns = k->open.head.newest_ns;
	buf_add(&k->streams, k->open.streams.data, k->open.streams.len);
	while (rc >= 0 && (e = pastfile_next(&k->open.events, &at, &len)) != NULL) {
		rc = past_follow(NULL, k->kind, e, &k->streams);
		if (e->event_ns > k->newest_ns)
			k->newest_ns = e->event_ns;
	}
	return rc < 0 ? rc : 0;
}

static int load_kind(struct past *p, struct past_kind *k)
{
	struct pastfile one;
	struct buf path = {0};
	size_t n = 0;
	int rc;

	k->newest_ns = INT64_MIN;
	for (;; n++) {
		struct past_entry e = {0};

		past_path(p, k->kind, n, &path);
		rc = pastfile_peek((char *)path.data, false, &one);
		if (rc < 0)
			break;
		e.first_pos = one.head.first_pos;
		e.last_pos = one.head.last_pos;
		e.n_events = one.head.n_events;
		e.newest_ns = one.head.newest_ns;
		e.bytes = PASTFILE_HEAD + one.head.streams_packed +
			  one.head.events_packed;
		buf_add(&k->entries, &e, sizeof(e));
	}
	rc = rc == -ENOENT ? 0 : rc;
	if (rc == 0 && n > 0 && !p->has_manifest)
		rc = err_set(-EBADMSG,
			     "%s/_manifest.json is gone, and chunks are there: restore "
			     "it, or remove the folder; what the log holds is then "
			     "archived again",
			     p->dir);
	if (rc == 0 && n < p->said[k->kind])
		rc = err_set(-EBADMSG, "%s is gone, its manifest is there",
			     (char *)path.data);
	if (rc == 0 && n > 0) {
		past_path(p, k->kind, n - 1, &path);
		rc = load_open(k, (char *)path.data);
	}
	buf_free(&path);
	return rc;
}

int past_load(struct past *p)
{
	int rc;

	if (p->is_loaded)
		return 0;
	past_forget(p);
	rc = past_manifest_read(p);
	for (unsigned k = 0; k < EVENT_KINDS && rc == 0; k++)
		if (past_keeps(k))
			rc = load_kind(p, &p->kinds[k]);
	p->is_loaded = rc == 0;
	return rc;
}

int past_events_at(struct past *p, struct past_kind *k, size_t i,
		   const struct buf **out)
{
	struct buf path = {0};
	int rc = 0;

	*out = &k->open.events;
	if (i + 1 == past_n_chunks(k))
		return 0;
	*out = &k->cache.events;
	if (k->cached == i + 1)
		return 0;
	pastfile_free(&k->cache);
	k->cached = 0;
	past_path(p, k->kind, i, &path);
	rc = pastfile_load((char *)path.data, &k->cache);
	if (rc == 0)
		k->cached = i + 1;
	else
		pastfile_free(&k->cache);
	buf_free(&path);
	return rc;
}

int past_status(struct past *p, struct past_status *out)
{
	const struct past_stretch *newest;
	int rc = past_load(p);

	*out = (struct past_status){0};
	if (rc < 0)
		return rc;
	newest = past_newest(p);
	out->log = p->log;
	out->epoch = p->epoch;
	out->first_pos = newest ? newest->from_pos : 0;
	if (newest && out->first_pos < p->retired_pos)
		out->first_pos = p->retired_pos;
	out->complete_pos = newest ? newest->to_pos : 0;
	out->stretches = p->stretches.len / sizeof(*newest);
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		const struct past_kind *kind = &p->kinds[k];

		out->chunks += past_n_chunks(kind);
		for (size_t i = 0; i < past_n_chunks(kind); i++) {
			out->events += past_entry_at(kind, i)->n_events;
			out->bytes += past_entry_at(kind, i)->bytes;
		}
	}
	return 0;
}
