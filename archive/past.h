/*
 * past - whole events in the archive, as catch-up gives them, for those who ask for
 * what the log and the store have let go.
 *
 *	DIR/events/kind=bar/00000001.events   chunks (archive/pastfile.h), by position
 *	DIR/events/_manifest.json             how far it goes, how much there is
 *
 * Events come as the frames of catch-up pages, whole ranges of the log at a time, of
 * all kinds.  A stream's sequence says what is known already, so the same range
 * twice, or one that overlaps, leaves the same files; where a chunk ends depends on
 * the events alone.  A chunk is full at chunk_bytes, and never ends within a position;
 * the last one of a kind grows by being replaced (layout_write()): old or new.  Then
 * comes the manifest.  What lies behind `complete_pos` is the beginning of a put that
 * was not finished, and is not given out.
 *
 * What is older than asked goes whole chunks at a time, from the front (past_retain()):
 * the manifest first, which says how many are gone and from which position on events
 * are given out; that is one position for all kinds, so that what is held is whole.
 * Chunks keep their numbers.
 *
 * A stretch is a range of positions without a hole.  Inside one every sequence
 * follows the one before, and so does its chain: a put that says otherwise is refused.
 * A new epoch means that the log lost its end: what it brings replaces what is held
 * from its first position on.
 *
 * One thread.  An error that is not the asker's makes it read its files again at the
 * next question.
 */
#pragma once
#include "archive/pastfile.h"
#include "base/jsonw.h"
#include <stdbool.h>

#define PAST_CHUNK_BYTES ((size_t)4 << 20)
#define PAST_NAMES_MAX   1024u

struct past;

/**
 * @dir: of the archive; @tmp: a directory for what is being made, on the same file
 * system.  @chunk_bytes 0: PAST_CHUNK_BYTES.  Nothing is read or made yet.
 */
int past_open(const char *dir, const char *tmp, size_t chunk_bytes, struct past **out);
void past_close(struct past *p); /* NULL is fine */

/** Every event at from_pos to to_pos is in the bulk: whole positions. */
struct past_range {
	uint64_t log; /* whose they are; an archive holds the events of one log */
	uint64_t epoch;
	uint64_t from_pos;
	uint64_t to_pos;
};

struct past_sum {
	uint64_t events; /* came */
	uint64_t added;  /* of them not there before */
};

/**
 * Take the frames in @bulk (u32 length, frame, ...): of each stream what is new.  0;
 * -EINVAL: not frames; -EBADMSG: they do not follow what is held, or that is damaged;
 * errors of writing.  After an error: the same again.
 */
int past_put(struct past *p, const struct past_range *range, const void *bulk,
	     size_t len, struct past_sum *out);

struct past_status {
	uint64_t log;
	uint64_t epoch;
	uint64_t first_pos;    /* what is held of the newest stretch; 0: nothing is */
	uint64_t complete_pos; /* its end */
	uint64_t stretches;
	uint64_t chunks;
	uint64_t events;
	uint64_t bytes; /* of the chunks */
};
int past_status(struct past *p, struct past_status *out);

struct past_ask {
	enum event_kind kind;
	uint64_t from_pos;
	size_t max_bytes;                /* of frames; one position is always whole */
	const char (*names)[SYMBOL_MAX]; /* symbols or universes, NUL padded */
	size_t n_names;                  /* 0: all */
};

struct past_retained {
	uint64_t chunks; /* gone */
	uint64_t events;
	uint64_t bytes;
	uint64_t first_pos; /* what is given out begins there; 0: nothing is held */
	bool is_cut; /* @until_pos or the last position kept what is old: ask again */
};
/**
 * Let go what is older than @before_ns: the events at positions before the first at
 * which any kind had an event of that time or later, before @until_pos in any case (0:
 * no such bound), and never the last position.
 */
int past_retain(struct past *p, int64_t before_ns, uint64_t until_pos,
		struct past_retained *out);

/**
 * Append the frames (u32 length, frame, ...) of the events asked for at from_pos to
 * *@to_pos, which is set: >= from_pos, or < from_pos when the archive ends before.
 */
int past_read(struct past *p, const struct past_ask *ask, struct buf *out,
	      uint64_t *to_pos);

struct past_want {
	enum event_kind kind;
	struct past_stream stream; /* name, timeframe (tier2; 0: all), seq */
	uint64_t held; /* out: the first sequence held, if seq lies before it; else 0 */
};
/**
 * A position in front of which no stream had reached the sequence that is wanted of
 * it, as late as chunks tell.  1: they are not held.
 */
int past_find_seqs(struct past *p, struct past_want *wants, size_t n,
		   uint64_t *out_pos);
/** Where an event of one of @kinds (bits) first had event_ns >= @ns.  1: nowhere. */
int past_find_time(struct past *p, uint32_t kinds, int64_t ns, uint64_t *out_pos);

struct past_check {
	uint64_t chunks;
	uint64_t events;
	uint64_t bytes;
	uint64_t bad;
	char first_bad[256]; /* a sentence */
};
/** As a member of the object @w is in. */
void past_print_log(struct jsonw *w, uint64_t log);
/** Every chunk against its hash; sequences and chains of every stream from its begin.
 */
int past_verify(struct past *p, struct past_check *out);
