/*
 * catchup - what a late or wounded subscriber asks, and the pages it gets.
 *
 * A request says which kinds, which symbols (none: all) and from where: the
 * next sequence per stream, a log position, an event time, the oldest held or
 * now.  A page holds frames exactly as they went over the PUB sockets, says
 * where the next one begins and how far the log has come, and names the
 * streams whose beginning is gone with the first sequence still held, and those
 * of which the kill switch withholds something.
 *
 * A page says what all pages so far held together: how many events, and a hash
 * over them in their order.  The asker passes both on with its next request, so
 * the server keeps nothing, and at the end knows whether it has got everything.
 *
 * Order inside a page: by position, then as published.  The cursor is
 * (next_pos, next_skip): events at next_pos already given are skipped, so a
 * page may end in the middle of a position.
 *
 * The dictionary gives ids and names of sources and symbols by the same socket.
 */
#pragma once
#include "base/buf.h"
#include "proto/event_json.h"
#include "proto/sbe.h"
#include <stdbool.h>

#define CATCHUP_STREAMS_MAX 1024
#define CATCHUP_EVENTS_MAX  65536      /* of one page */
#define CATCHUP_BYTES_MAX   (1u << 18) /* of a request */

enum catchup_from {
	CATCHUP_FROM_SEQ = 0, /* each stream from its from_seq */
	CATCHUP_FROM_POS,     /* from value = position, skipping `skip` events there */
	CATCHUP_FROM_TIME,    /* from value = event time, ns */
	CATCHUP_FROM_OLDEST,
	CATCHUP_FROM_NOW,      /* no events: only where the log stands */
	CATCHUP_FROM_SNAPSHOT, /* the newest event of every stream asked for (bars and
				  tier 1: of every timeframe), in order of position, and
				  where to go on; `from` and `skip` as a page said, 0 at
				  first */
	CATCHUP_FROM_N,
};

#define CATCHUP_ANY_KIND 255

struct catchup_root {
	uint64_t from; /* by from_type */
	uint32_t skip;
	uint32_t limit; /* events per page; 0: the server's choice */
	uint32_t kinds; /* bit per enum event_kind; 0: all */
	uint8_t from_type;
	uint8_t reserved[3];
	uint64_t count; /* events of the pages before this one; 0 at first */
	uint64_t hash;  /* over them: catchup_hash() */
};
_Static_assert(sizeof(struct catchup_root) == 40, "wire block");
/** What a request of the first version ended with; the rest is 0 then. */
#define CATCHUP_ROOT_V1 24

/** Go on from @h (0 at first) over one more event of the pages, in their order. */
static inline uint64_t catchup_hash(uint64_t h, enum event_kind kind,
				    const struct event_head *e)
{
	h = (h << 25 | h >> 39) ^ e->seq ^ e->pos << 20 ^ (uint64_t)kind;
	return h * UINT64_C(0x9E3779B97F4A7C15);
}

/** A stream: (kind, symbol); tier2: (universe, timeframe). */
struct catchup_stream {
	uint64_t from_seq;    /* CATCHUP_FROM_SEQ: first one wanted; else 0 */
	uint64_t to_seq;      /* last one wanted; 0: no end */
	uint32_t timeframe_s; /* 0: any */
	uint8_t kind;         /* enum event_kind or CATCHUP_ANY_KIND */
	uint8_t reserved[3];
	char symbol[SYMBOL_MAX];
};
_Static_assert(sizeof(struct catchup_stream) == 56, "wire block");

enum catchup_what { CATCHUP_EVENTS = 0, CATCHUP_DICT };
enum catchup_dict { CATCHUP_SOURCES = 0, CATCHUP_SYMBOLS };

struct catchup_dict_root {
	uint32_t from_id;
	uint32_t limit; /* 0: the server's choice */
	uint8_t which;  /* enum catchup_dict */
	uint8_t reserved[7];
};
_Static_assert(sizeof(struct catchup_dict_root) == 16, "wire block");

struct catchup_request {
	bool is_json; /* set also when malformed */
	enum catchup_what what;
	struct catchup_root root;      /* CATCHUP_EVENTS */
	struct catchup_dict_root dict; /* CATCHUP_DICT */
	uint32_t n_streams;
	struct catchup_stream *streams; /* owned */
};

enum { CATCHUP_MALFORMED = 1 };

/** Read an SBE or JSON request, fully checked.  0 or CATCHUP_MALFORMED (err_text). */
int catchup_request_read(const void *data, size_t len, struct catchup_request *out);
/** Forget the streams; fine after a failed read. */
void catchup_request_deinit(struct catchup_request *req);
/** Append the SBE form of @req to @out. */
void catchup_request_write(const struct catchup_request *req, struct buf *out);
/** Does stream filter @req want this stream?  (linear; for small lists) */
bool catchup_wants(const struct catchup_request *req, enum event_kind kind,
		   const char symbol[SYMBOL_MAX], uint32_t timeframe_s);

enum catchup_status {
	CATCHUP_OK = 0,
	CATCHUP_GONE, /* part of what was asked is not held any more: see gone streams
		       */
	CATCHUP_REFUSED, /* not understood; text says why */
	CATCHUP_BUSY,    /* ask again */
	CATCHUP_STATUS_N,
};
const char *catchup_status_name(unsigned status);

struct catchup_page_root {
	uint64_t epoch;
	uint64_t live_pos;       /* newest committed position */
	uint64_t first_held_pos; /* oldest position the server can still give events of
				  */
	uint64_t next_pos;       /* the next page: next_from, next_pos, next_skip */
	uint32_t next_skip;
	uint8_t status;    /* enum catchup_status */
	uint8_t done;      /* 1: nothing more is there at present */
	uint8_t next_from; /* enum catchup_from: POS, or SNAPSHOT until that is whole */
	uint8_t reserved;
	char text[64];
	uint64_t count; /* events of the pages so far, this one included */
	uint64_t hash;  /* over them: catchup_hash() */
};
_Static_assert(sizeof(struct catchup_page_root) == 120, "wire block");

/** A stream that lost its beginning: the first sequence still held (0: none). */
struct catchup_gone {
	uint64_t first_held_seq;
	uint32_t timeframe_s;
	uint8_t kind;
	uint8_t reserved[3];
	char symbol[SYMBOL_MAX];
};
_Static_assert(sizeof(struct catchup_gone) == 48, "wire block");

/**
 * A stream of which the kill switch withholds something between the page's beginning
 * and its end: from this sequence on.  The page gives nothing of it from there on.
 */
struct catchup_held {
	uint64_t first_seq;
	uint32_t timeframe_s; /* tier2, else 0 */
	uint8_t kind;
	uint8_t reserved[3];
	char symbol[SYMBOL_MAX];
};
_Static_assert(sizeof(struct catchup_held) == 48, "wire block");

/** Builds a page front to back: init, gone..., frames..., held..., seal. */
struct catchup_writer {
	struct buf *out; /* borrowed */
	size_t start;
	size_t gone_at;
	size_t frames_at;
	size_t held_at;
	uint32_t n_gone;
	uint32_t n_frames;
	uint32_t n_held;
};

void catchup_page_begin(struct catchup_writer *w, struct buf *out);
/** Before the first frame. */
void catchup_page_gone(struct catchup_writer *w, const struct catchup_gone *g);
/** A sealed frame of one kind. */
void catchup_page_frame(struct catchup_writer *w, const void *frame, size_t len);
/** Behind the last frame. */
void catchup_page_held(struct catchup_writer *w, const struct catchup_held *h);
void catchup_page_seal(struct catchup_writer *w, const struct catchup_page_root *root);

/** A received page; borrows its bytes. */
struct catchup_page_view {
	struct catchup_page_root root;
	uint32_t n_gone;
	uint32_t n_frames;
	uint32_t n_held; /* 0 also of an older daemon */
	/* private */
	const uint8_t *gone;
	size_t gone_stride;
	const uint8_t *held;
	size_t held_stride;
	size_t frame_block;
	const uint8_t *at;
	const uint8_t *end;
	uint32_t i;
};

enum { CATCHUP_END = 2 };

/** 0 or CATCHUP_MALFORMED; lengths of all frames are checked, not their insides. */
int catchup_page_open(const void *data, size_t len, struct catchup_page_view *out);
void catchup_page_gone_at(const struct catchup_page_view *v, size_t i,
			  struct catchup_gone *out);
void catchup_page_held_at(const struct catchup_page_view *v, size_t i,
			  struct catchup_held *out);
/** The next frame's bytes, for frame_open().  0 or CATCHUP_END. */
int catchup_page_next(struct catchup_page_view *v, const void **out, size_t *out_len);

/** Name of a source id for ticks in JSON; may return NULL. */
typedef const char *(*catchup_source_fn)(void *arg, uint16_t source_id);
/** Append a page as one JSON object.  0 or CATCHUP_MALFORMED. */
int catchup_page_json(const void *page, size_t len, catchup_source_fn source, void *arg,
		      struct buf *out);

struct catchup_dict_page_root {
	uint64_t epoch;
	uint32_t next_id; /* the next page's from_id */
	uint8_t which;
	uint8_t done;
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct catchup_dict_page_root) == 16, "wire block");

struct catchup_name {
	uint32_t id;
	char name[SYMBOL_MAX];
};
_Static_assert(sizeof(struct catchup_name) == 36, "wire block");

#define CATCHUP_NAMES_MAX 4096 /* of one page */

/** Append a dictionary page with @n names, as SBE or JSON. */
void catchup_dict_write(const struct catchup_dict_page_root *root,
			const struct catchup_name *names, size_t n, bool as_json,
			struct buf *out);
/** 0 or CATCHUP_MALFORMED; names point into @data unaligned: use catchup_dict_at(). */
struct catchup_dict_view {
	struct catchup_dict_page_root root;
	uint32_t n;
	const uint8_t *names;
	size_t stride;
};
int catchup_dict_open(const void *data, size_t len, struct catchup_dict_view *out);
void catchup_dict_at(const struct catchup_dict_view *v, size_t i,
		     struct catchup_name *out);
