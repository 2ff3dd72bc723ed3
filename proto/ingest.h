/*
 * ingest - how producers hand ticks in, and what they hear.
 *
 * A request names its producer, the sequence of its first tick (the others
 * follow by +1) and the source the ticks come from.  Sending again is always
 * safe: (producer, sequence) is accepted once.  Requests come as SBE
 * (tickbus.xml) or as JSON; the reply has the request's form:
 *
 *	{"producer":"p1","source":"sim","first_seq":1,"ticks":[
 *	 {"symbol":"AAPL","time":"2026-01-05T14:30:00.5Z","price":187.25,"size":100}]}
 *
 * Articles come in JSON alone, in place of ticks, and without sequences: an article is
 * known by its source and id (proto/article.h), so sending again is safe as well:
 *
 *	{"producer":"p1","source":"wire","news":[{"id":"1","time":"...","headline":"...",
 *	 "symbols":["AAPL"]}]}
 *
 * A request that is broken as a whole is refused as a whole; one bad tick is
 * refused alone, with a reason of the closed list.
 */
#pragma once
#include "base/buf.h"
#include "proto/sbe.h"
#include <stdbool.h>

#define INGEST_BYTES_MAX    (1u << 20)
#define INGEST_TICKS_MAX    8192
#define INGEST_PRODUCER_MAX 32
#define INGEST_TEXT_MAX     128
#define INGEST_RAW_MAX      256 /* of a bad tick's bytes, for the quarantine */

/** Times outside (0, this) are TIME_INVALID: no sum of a time and a window overflows.
 */
#define INGEST_TIME_MAX_NS  (INT64_C(9200000000) * INT64_C(1000000000))
#define INGEST_PRICE_MAX_E9 (INT64_C(9200000000) * INT64_C(1000000000))
#define INGEST_SIZE_MAX_E8  (INT64_C(92000000000) * INT64_C(100000000))

struct ingest_root {
	char producer[INGEST_PRODUCER_MAX]; /* [A-Za-z0-9._:@/-]{1,32} */
	char source[SOURCE_MAX];
	uint64_t first_seq; /* >= 1 */
	uint32_t flags;     /* must be 0 */
} __attribute__((packed));
_Static_assert(sizeof(struct ingest_root) == 60, "wire block");

/** One tick or clock record as a producer says it. */
struct ingest_tick {
	int64_t event_ns;
	int64_t price_e9; /* VALUE_NULL where absent, as in struct record */
	int64_t size_e8;
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t bid_size_e8;
	int64_t ask_size_e8;
	uint64_t source_seq;
	uint64_t ref_seq;
	char cond[8];
	uint8_t type;   /* RECORD_TICK or RECORD_CLOCK */
	uint8_t action; /* enum tick_action */
	uint8_t flags;  /* TICK_x */
	uint8_t reserved[5];
	char symbol[SYMBOL_MAX]; /* empty for a clock record */
};
_Static_assert(sizeof(struct ingest_tick) == 120, "wire block");

/** All values absent: type tick, action new. */
void ingest_tick_init(struct ingest_tick *t);
/** What a producer sends of a tick or clock record; @symbol (of a tick) is NUL padded.
 */
void ingest_tick_of(struct ingest_tick *t, const struct record *r,
		    const char symbol[SYMBOL_MAX]);

/** A request being read; borrows the bytes given to ingest_open(). */
struct ingest_request {
	bool is_json; /* set also when the request is malformed: the reply's form */
	char producer[INGEST_PRODUCER_MAX + 1];
	char source[SOURCE_MAX + 1];
	uint64_t first_seq; /* 0: of news */
	uint32_t n;         /* ticks or articles inside */
	bool is_news;
	/* After INGEST_BAD: why, in a sentence; and at all times the tick's bytes. */
	enum reject_reason bad_reason;
	char bad_text[INGEST_TEXT_MAX];
	const char *raw;
	size_t raw_len;
	/* private */
	uint32_t i;
	size_t stride;
	const char *at;
	const char *end;
};

enum {
	INGEST_END = 1, /* all ticks were read */
	INGEST_BAD = 2, /* this tick is malformed; the next ones may be fine */
	INGEST_MALFORMED =
		3, /* the request as a whole; err_text() and bad_reason say why */
};

/**
 * 0 or INGEST_MALFORMED.  After 0 ingest_next() gives exactly @out->n ticks, or, when
 * it is_news, ingest_next_article() so many articles.
 */
int ingest_open(const void *data, size_t len, struct ingest_request *out);
/**
 * Decode the next tick: 0, INGEST_END, or INGEST_BAD (@out then holds what could
 * be read, all NUL padded).  Values are not judged here: see ingest_check().
 */
int ingest_next(struct ingest_request *req, struct ingest_tick *out);
/** The same with the next article of a request that is_news; INGEST_BAD: @out is not
 *  one. */
struct hist_article;
int ingest_next_article(struct ingest_request *req, struct hist_article *out);
/**
 * Everything that can be judged by looking at the tick alone: type, action,
 * flags, symbol, time, prices, sizes, reference.  REJECT_NONE or the reason.
 * (Time window, symbol limit and clock mode are the daemon's.)
 */
enum reject_reason ingest_check(const struct ingest_tick *t);
/** The record of a checked tick; ids are the caller's. */
void ingest_record(const struct ingest_tick *t, uint32_t symbol_id, uint16_t source_id,
		   int64_t recv_ns, struct record *out);

/** Builds a request in @out, front to back. */
struct ingest_writer {
	struct buf *out; /* borrowed */
	size_t start;
	uint32_t n;
};

enum { INGEST_FULL = 1 };

/** 0 or -EINVAL (a malformed producer or source). */
int ingest_writer_init(struct ingest_writer *w, struct buf *out, const char *producer,
		       const char *source, uint64_t first_seq);
/** 0 or INGEST_FULL. */
int ingest_writer_add(struct ingest_writer *w, const struct ingest_tick *t);

#define INGEST_STATUSES(X)                                                             \
	X(OK, "ok")               /* every tick has an outcome in a run */             \
	X(MALFORMED, "malformed") /* the request was not understood: do not resend */  \
	X(BUSY, "busy")           /* nothing was taken: resend after retry_ms */       \
	X(NO_SPACE, "no_space")   /* the disk is full: resend after retry_ms */        \
	X(STOPPING, "stopping") /* the daemon is going down: resend to the next one */ \
	X(FAILED, "failed")     /* outcome unknown (a write failed): resend later */

#define X(id, label) INGEST_STATUS_##id,
enum ingest_status { INGEST_STATUSES(X) INGEST_STATUS_N };
#undef X
const char *ingest_status_name(unsigned status);

enum ingest_durability { INGEST_FULLY_SYNCED = 0, INGEST_NORMAL };
enum ingest_outcome { INGEST_ACCEPTED = 0, INGEST_DUPLICATE, INGEST_REJECTED };

struct ingest_reply_root {
	uint64_t epoch;
	uint64_t last_pos; /* committed log position; 0: nothing committed */
	uint32_t accepted;
	uint32_t duplicate;
	uint32_t rejected;
	uint32_t retry_ms;  /* 0: no need to resend */
	uint8_t status;     /* enum ingest_status */
	uint8_t durability; /* enum ingest_durability */
	uint8_t reserved[6];
	char text[INGEST_TEXT_MAX]; /* one sentence when something is wrong */
};
_Static_assert(sizeof(struct ingest_reply_root) == 40 + INGEST_TEXT_MAX, "wire block");

/** Ticks first_index .. first_index + n - 1 of the request had this outcome. */
struct ingest_run {
	uint64_t first_pos; /* accepted: of the first; the others follow by +1 */
	uint32_t first_index;
	uint32_t n;
	uint8_t outcome; /* enum ingest_outcome */
	uint8_t reason;  /* enum reject_reason */
	uint8_t reserved[6];
};
_Static_assert(sizeof(struct ingest_run) == 24, "wire block");

/** A reply being gathered.  Zeroed is empty. */
struct ingest_reply {
	struct ingest_reply_root root;
	struct buf runs; /* owned; struct ingest_run */
};

/** Set status and the sentence (cut to fit; may be NULL). */
void ingest_reply_set(struct ingest_reply *r, enum ingest_status status,
		      const char *text);
/** Note the outcome of the next tick, in order; merges equal neighbours, counts. */
void ingest_reply_add(struct ingest_reply *r, enum ingest_outcome outcome,
		      enum reject_reason reason, uint64_t pos);
/** Forget everything but the memory. */
void ingest_reply_reset(struct ingest_reply *r);
void ingest_reply_deinit(struct ingest_reply *r);
/** Append the reply to @out as SBE or as one JSON object. */
void ingest_reply_write(const struct ingest_reply *r, bool as_json, struct buf *out);

/** A received reply in JSON; its runs go to @out, which ingest_reply_deinit() frees.  0
   or INGEST_MALFORMED. */
int ingest_reply_read(const char *text, size_t len, struct ingest_reply *out);

/** A received SBE reply; borrows its bytes. */
struct ingest_reply_view {
	struct ingest_reply_root root;
	uint32_t n_runs;
	const uint8_t *runs; /* private */
	size_t stride;
};

/** 0 or INGEST_MALFORMED. */
int ingest_reply_open(const void *data, size_t len, struct ingest_reply_view *out);
void ingest_reply_run(const struct ingest_reply_view *v, size_t i,
		      struct ingest_run *out);
