/* past_own - what the files of the past share with each other alone. */
#pragma once
#include "archive/past.h"
#include "base/json.h"

#define PAST_STRETCHES_MAX 1000u

struct past_entry { /* a chunk, from its head */
	uint64_t first_pos;
	uint64_t last_pos;
	uint64_t n_events;
	int64_t newest_ns; /* in front of it */
	uint64_t bytes;    /* of its file; 0: not written yet */
};

struct past_kind {
	enum event_kind kind;
	struct buf entries;    /* struct past_entry, the open chunk last */
	struct pastfile open;  /* the last chunk; no events: there is none */
	struct buf streams;    /* behind it */
	int64_t newest_ns;     /* behind it */
	struct pastfile cache; /* another one, read */
	size_t cached;         /* its number, from 1; 0: none */
	bool is_dirty;         /* `open` is not what its file says */
	uint64_t retired;      /* chunks that went in front of the first entry */
};

struct past_stretch {
	uint64_t from_pos;
	uint64_t to_pos;
};

struct past {
	char *dir; /* DIR/events */
	char *tmp;
	size_t chunk_bytes;
	bool is_loaded;
	bool has_manifest;
	uint64_t log; /* 0: none yet */
	uint64_t epoch;
	struct buf stretches;       /* struct past_stretch, ascending */
	uint64_t retired_pos;       /* what lies before is not given out */
	uint64_t said[EVENT_KINDS]; /* how many chunks, by the manifest */
	struct past_kind kinds[EVENT_KINDS];
};

/** Kinds that are kept here. */
bool past_keeps(unsigned kind);
/** Read manifest and heads, unless that was done. */
int past_load(struct past *p);
/** What is in memory is not to be trusted: read again before the next question. */
void past_forget(struct past *p);
size_t past_n_chunks(const struct past_kind *k);
struct past_entry *past_entry_at(const struct past_kind *k, size_t i);
/** The events of chunk @i, from memory or its file; borrowed until the next call. */
int past_events_at(struct past *p, struct past_kind *k, size_t i,
		   const struct buf **out);
/** The file of chunk @i of those that are there; of the chunk of a number, from 1. */
void past_path(const struct past *p, unsigned kind, size_t i, struct buf *out);
void past_path_of(const struct past *p, unsigned kind, uint64_t number,
		  struct buf *out);
/** The first chunk that ends at @pos or later; as many as there are: none does. */
size_t past_chunk_of(const struct past_kind *k, uint64_t pos);
/** Nothing before it is held, or given out. */
uint64_t past_first_pos(const struct past *p);
/** The newest stretch; NULL: there is none. */
struct past_stretch *past_newest(const struct past *p);
/** Does a stretch begin behind @before and at or before @pos: may sequences jump? */
bool past_hole_between(const struct past *p, uint64_t before, uint64_t pos);
/** Where @s stands among @streams, or would; true: it is there. */
bool past_stream_find(const struct buf *streams, const struct past_stream *s,
		      size_t *out_i);
/**
 * Move @streams on by @event.  1: it was known.  -EBADMSG: it does not follow; the
 * sentence says what.  Without @p nothing is judged.
 */
int past_follow(const struct past *p, enum event_kind kind, const void *event,
		struct buf *streams);
/** past_manifest.c */
int past_manifest_read(struct past *p);
int past_manifest_write(struct past *p);
/** past_write.c: drop every event at @pos or later. */
int past_cut(struct past *p, uint64_t pos);
