/*
 * pastfile - a chunk of whole events of one kind, in one file.
 *
 *	head 128 | streams, zstd | events, zstd
 *
 * The streams are the state in front of its first event: the last sequence, position
 * and chain of every stream of the kind so far.  So a chunk can be judged alone, and a
 * sequence is found among chunks by looking at their streams.  The events are the
 * structs of proto/event.h (a matrix with its members and triangle), each behind its
 * length; all of them are multiples of eight bytes, so they lie aligned.
 *
 * The head holds the SHA-256 of all the rest.  Same events, same bytes.
 */
#pragma once
#include "base/buf.h"
#include "proto/event.h"

#define PASTFILE_HEAD      128u
#define PASTFILE_RAW_MAX   (256u << 20) /* of the streams or the events, unpacked */
#define PASTFILE_EVENT_MIN 96u          /* the smallest event and its length */

/** How far a stream had come. */
struct past_stream {
	char name[SYMBOL_MAX]; /* symbol or universe, NUL padded */
	uint32_t timeframe_s;  /* tier2, else 0 */
	uint32_t reserved;
	uint64_t seq;
	uint64_t pos;
	uint64_t chain; /* ticks: 0 */
};
_Static_assert(sizeof(struct past_stream) == 64, "as it lies in the file");

struct pastfile_head {
	uint64_t n_events;
	uint64_t first_pos;
	uint64_t last_pos;
	int64_t newest_ns;    /* highest event_ns in front of it; INT64_MIN: none */
	uint64_t streams_len; /* unpacked */
	uint64_t streams_packed;
	uint64_t events_len;
	uint64_t events_packed;
	uint32_t kind; /* enum event_kind */
	uint32_t version;
};

struct pastfile {
	struct pastfile_head head;
	struct buf streams; /* struct past_stream, ascending by name and timeframe */
	struct buf events;  /* u64 length, event, u64 length ... */
};

/** Append the file of @f to @out; the lengths in its head are filled in. */
int pastfile_pack(struct pastfile *f, struct buf *out);
/** The head of a file of @len bytes in all.  -EBADMSG. */
int pastfile_head_read(const void *data, size_t have, size_t len,
		       struct pastfile_head *out);
/** Everything, the hash checked and every length.  -EBADMSG; free it in any case. */
int pastfile_unpack(const void *data, size_t len, struct pastfile *out);
/** Of a file at @path; the sentence of an error names it.  -ENOENT. */
int pastfile_load(const char *path, struct pastfile *out);
/** Its head and, when @with_streams, its streams; not the events, nor their hash. */
int pastfile_peek(const char *path, bool with_streams, struct pastfile *out);
void pastfile_free(struct pastfile *f);

/** The next event of @events from *@at on, which is moved on; NULL: that was all. */
const struct event_head *pastfile_next(const struct buf *events, size_t *at,
				       size_t *out_len);
void pastfile_add(struct buf *events, const void *event, size_t len);
/** -1, 0, 1: in which order two streams stand. */
int past_stream_compare(const struct past_stream *a, const struct past_stream *b);
/** The stream of an event, with its sequence, position and chain. */
void past_stream_of(enum event_kind kind, const void *event, struct past_stream *out);
