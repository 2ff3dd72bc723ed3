/*
 * tickbus - subscribe to a tickbus daemon, publish to it, ask it.
 *
 * Nothing is lost silently: every stream (kind and symbol; for matrices
 * universe and timeframe) is numbered by +1, a heartbeat each second says how
 * far every stream has come, and what is missing is fetched from the daemon's
 * catch-up socket before anything newer is delivered.  What cannot be fetched
 * is reported with an exact count.  Nothing comes twice, nothing out of order in
 * its stream.
 *
 * Threads: the library makes none, installs no signal handler, prints nothing and calls
 * nothing back; it links with no networking library.  tickbus_sub_* never block longer
 * than the timeout given, so a poll() loop over tickbus_sub_fd() in one thread serves
 * any number of subscriptions; tickbus_pub_flush(), tickbus_ask() and tickbus_request()
 * wait for the daemon.
 *
 * Errors: 0 done; < 0 a negated errno, tickbus_error() has the sentence; > 0
 * one of the outcomes below.  A handle belongs to one thread at a time; several
 * handles may live in several threads.
 */
#ifndef TICKBUS_H
#define TICKBUS_H

#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#ifndef _Static_assert
#define _Static_assert static_assert
#endif
extern "C" {
#endif

#include "proto/event.h" /* the events, field by field, with their comments */

#define TICKBUS_API __attribute__((visibility("default")))

enum tickbus_outcome {
	TICKBUS_TIMEOUT = 1, /* nothing came in time */
	TICKBUS_GAP,     /* events are lost or skipped: struct tickbus_event's gap */
	TICKBUS_EPOCH,   /* the log lost its end or was restored from a copy */
	TICKBUS_LIVE,    /* catch-up has reached the present; live from here */
	TICKBUS_FULL,    /* the batch is full: flush it */
	TICKBUS_REFUSED, /* the daemon said no: tickbus_error() or the ack's text */
	TICKBUS_CHAIN,   /* the next event of the stream in gap does not follow the
			    one before it: derived by another run or configuration */
};

/** The last sentence of this thread. */
TICKBUS_API const char *tickbus_error(void);
TICKBUS_API const char *tickbus_version(void);

enum tickbus_port {
	TICKBUS_INGEST = 0,
	TICKBUS_TICK,
	TICKBUS_BAR,
	TICKBUS_TIER1,
	TICKBUS_TIER2,
	TICKBUS_STATUS, /* and news */
	TICKBUS_CATCHUP,
	TICKBUS_PORTS,
};

/** Zeroed means the defaults.  Texts are copied. */
struct tickbus_options {
	const char *host;   /* "127.0.0.1" */
	uint16_t port_base; /* 7400; the others follow in order of tickbus_port */
	const char *url[TICKBUS_PORTS]; /* tcp://HOST:PORT, ipc://PATH; NULL: by host,
					   port_base */
	const char *admin_path;         /* "/run/tickbus/admin.sock" */
	const char *ring_path;          /* "/run/tickbus/ring.sock" */
	int timeout_ms;                 /* of one request, 5000 */
	int heartbeat_ms;               /* what the daemon sends, 1000 */
	int patience_ms; /* a hole that catch-up neither fills nor gives up for so long
			    is called lost, 30000 */
};

/* ---- subscribe ---------------------------------------------------------- */

struct tickbus_sub;

enum tickbus_from {
	TICKBUS_FROM_NOW = 0,
	TICKBUS_FROM_POS,      /* log position */
	TICKBUS_FROM_TIME,     /* event time, ns UTC */
	TICKBUS_FROM_OLDEST,   /* all that is held */
	TICKBUS_FROM_SNAPSHOT, /* the newest event of every stream (of bars and tier 1:
				  of every timeframe), then what came after */
};

/** What to do when events are missing, or come faster than they are taken. */
enum tickbus_policy {
	TICKBUS_LOSSLESS = 0, /* every event; what is missing is fetched */
	TICKBUS_CONFLATE, /* of what waits only the newest per stream and timeframe */
	TICKBUS_SAMPLE,   /* ... and that at most once per sample_ms */
	TICKBUS_BEST_EFFORT, /* what comes; nothing is fetched */
};

#define TICKBUS_KIND(kind) (1u << (kind)) /* TICKBUS_KIND(EVENT_BAR) */

/** What to get.  Copied. */
struct tickbus_filter {
	uint32_t kinds; /* TICKBUS_KIND() | ...; tick, bar, tier1, tier2, news,
			   status */
	const char *const *symbols; /* exact names, universes for tier2; NULL: all */
	size_t n_symbols;
	const char *timeframe;  /* "1m"; NULL: all */
	enum tickbus_from from; /* begin with history, then go live */
	uint64_t from_value;    /* position or nanoseconds */
	int use_ring; /* 1: read the daemon's shared memory, same machine and user */
	enum tickbus_policy policy; /* of what is live; history comes whole */
	uint32_t sample_ms;         /* TICKBUS_SAMPLE, >= 1 */
};

/** Missing events of one stream: last_seq - first_seq + 1 of them. */
struct tickbus_gap {
	char symbol[SYMBOL_MAX + 1]; /* "": of all streams of the event's kind
					(EVENT_KINDS: of all kinds), by position */
	uint32_t timeframe_s;        /* tier2 */
	uint64_t first_seq;
	uint64_t last_seq;
	uint64_t
		first_pos; /* history that was asked for and is not held any more, or */
	uint64_t last_pos; /* that catch-up did not show: the log positions; nobody
			      knows its sequences */
	int is_skipped;    /* 1: not lost, left out by the policy */
};

/** What history held, so that completeness can be checked (docs/PROTOCOL.md 4). */
struct tickbus_live {
	uint64_t pos;   /* everything asked for at or before it was delivered */
	uint64_t count; /* events */
	uint64_t hash;  /* over them; compared with the daemon's page by page */
};

/** Valid until the next call on the same subscription. */
struct tickbus_event {
	enum event_kind kind;
	int is_filled; /* came from catch-up, not live */
	uint64_t epoch;
	int64_t publish_ns;
	union {
		const struct event_head *head; /* of any kind */
		const struct event_tick *tick;
		const struct event_bar *bar;
		const struct event_tier1 *tier1;
		const struct event_tier2 *tier2;
		const struct event_news *news;
		const struct event_status *status;
	};
	const struct tier2_member *members; /* tier2: n_members */
	const double *triangle;             /* tier2: lower triangle, row by row */
	struct tickbus_gap gap;             /* with TICKBUS_GAP, TICKBUS_CHAIN */
	struct tickbus_live live;           /* with TICKBUS_LIVE */
};

struct tickbus_counts {
	uint64_t events;     /* delivered */
	uint64_t filled;     /* of these from catch-up */
	uint64_t lost;       /* reported in gaps */
	uint64_t skipped;    /* reported in gaps: by the policy, not lost */
	uint64_t gaps;       /* seen, filled or not */
	uint64_t duplicates; /* dropped: they had been delivered */
	uint64_t filtered;   /* not asked for */
	uint64_t malformed;  /* messages that were no frames */
	uint64_t heartbeats;
	uint64_t rebuilds; /* of sockets, after three missed heartbeats */
	uint64_t lapped;   /* times that the shared ring overwrote what was not read */
	uint64_t chain_breaks; /* TICKBUS_CHAIN */
	uint64_t sum_breaks;   /* pages whose count or hash did not agree: -EBADMSG */
};

/** 0 or < 0.  Connecting goes on in the background: no daemon is no error. */
TICKBUS_API int tickbus_sub_open(const struct tickbus_options *options,
				 const struct tickbus_filter *filter,
				 struct tickbus_sub **out);
TICKBUS_API void tickbus_sub_close(struct tickbus_sub *sub);
/**
 * The next event: 0, TICKBUS_TIMEOUT, or GAP, EPOCH, LIVE, CHAIN (go on calling).
 * < 0 while history cannot be had: -ETIMEDOUT no answer for timeout_ms, -EPROTO
 * refused, -EBADMSG other events came than the daemon sent; calling again goes on.
 * @timeout_ms: 0 only looks, < 0 waits for ever.
 */
TICKBUS_API int tickbus_sub_next(struct tickbus_sub *sub, int timeout_ms,
				 struct tickbus_event *out);
/**
 * A descriptor for poll(): readable when tickbus_sub_next(sub, 0, ...) should be
 * called until it says TICKBUS_TIMEOUT.  Also wakes once per heartbeat, and while
 * something is fetched only when that has come.  With use_ring nothing wakes it for
 * events: shared memory has to be looked at.
 */
TICKBUS_API int tickbus_sub_fd(const struct tickbus_sub *sub);
TICKBUS_API const struct tickbus_counts *
tickbus_sub_counts(const struct tickbus_sub *sub);

/** One event as one line of JSON, NUL ended; lives until the next call with @sub. */
TICKBUS_API const char *tickbus_sub_json(struct tickbus_sub *sub,
					 const struct tickbus_event *event);

/**
 * Why nothing comes though something might: what cannot be connected, and why, with its
 * address; "" when all is well.  It is tried again by itself.  Lives until the next
 * call with @sub.
 */
TICKBUS_API const char *tickbus_sub_trouble(struct tickbus_sub *sub);
/**
 * What tickbus_sub_next() returned, as a sentence for a log: "bar AAPL: events 6 to 9
 * are lost".  Of TICKBUS_TIMEOUT the trouble, if there is any, else ""; of an error
 * tickbus_error(); of an event "".  Lives until the next call with @sub.
 */
TICKBUS_API const char *tickbus_sub_sentence(struct tickbus_sub *sub, int outcome,
					     const struct tickbus_event *event);

/* ---- jobs --------------------------------------------------------------- */

/**
 * How far a job of the daemon is (docs/JOBS.md): a state, of which the newest word says
 * all.  It comes at most four times a second per job, and once when the job ends; what
 * was before one listened, or is lost on the way, is asked for: {"cmd":"job","id":7}.
 */
struct tickbus_job {
	uint64_t id;
	int64_t created_ns;
	int64_t finished_ns; /* VALUE_NULL: not yet */
	uint32_t total;      /* symbols */
	uint32_t done;       /* of them, by how they ended: */
	uint32_t failed;
	uint32_t cancelled;
	uint8_t what;  /* tickbus_job_what_name() */
	uint8_t state; /* 0 running, 1 done, 2 cancelled, 3 failed */
	uint8_t reserved[6];
	char text[64]; /* why it failed; NUL padded */
};

struct tickbus_jobs;

/** 0 or < 0.  No daemon is no error: it is dialled in the background. */
TICKBUS_API int tickbus_jobs_open(const struct tickbus_options *options,
				  struct tickbus_jobs **out);
TICKBUS_API void tickbus_jobs_close(struct tickbus_jobs *jobs);
/** The next word: 0 or TICKBUS_TIMEOUT.  @timeout_ms as of tickbus_sub_next(). */
TICKBUS_API int tickbus_jobs_next(struct tickbus_jobs *jobs, int timeout_ms,
				  struct tickbus_job *out);
/** "bars", "news", "actions", "features", "report"; "?". */
TICKBUS_API const char *tickbus_job_what_name(unsigned what);
/** "running", "done", "cancelled", "failed"; "?". */
TICKBUS_API const char *tickbus_job_state_name(unsigned state);

/* ---- publish ------------------------------------------------------------ */

struct tickbus_pub;

/** tickbus_tick_init() first; absent values stay VALUE_NULL. */
struct tickbus_tick {
	int64_t event_ns;
	int64_t price_e9;
	int64_t size_e8;
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t bid_size_e8;
	int64_t ask_size_e8;
	uint64_t source_seq; /* the source's own number of this trade; 0: none */
	uint64_t ref_seq;    /* cancel, correct: whose */
	char cond[8];
	uint8_t type;   /* RECORD_TICK, or RECORD_CLOCK: time has reached event_ns */
	uint8_t action; /* enum tick_action */
	uint8_t flags;  /* TICK_x */
	uint8_t reserved[5];
	char symbol[SYMBOL_MAX];
};

/** 0, or -EINVAL: no symbol ([A-Z0-9._:/=%-]{1,32}; "" for a clock record). */
TICKBUS_API int tickbus_tick_init(struct tickbus_tick *tick, const char *symbol,
				  int64_t event_ns);

enum tickbus_result { TICKBUS_ACCEPTED = 0, TICKBUS_DUPLICATE, TICKBUS_REJECTED };

/** Ticks first .. first + n - 1 of the batch, counted from 0. */
struct tickbus_run {
	uint64_t first_pos; /* accepted: log position of the first; then +1 each */
	uint32_t first;
	uint32_t n;
	uint8_t result; /* enum tickbus_result */
	uint8_t reason; /* enum reject_reason: tickbus_reason_name() */
	uint8_t reserved[6];
};

/** Valid until the next call on the publisher. */
struct tickbus_ack {
	uint64_t epoch;
	uint64_t last_pos;  /* committed */
	uint64_t first_seq; /* producer sequence of the batch's first tick */
	uint32_t accepted;
	uint32_t duplicate;
	uint32_t rejected;
	int is_synced; /* 1: on the disk; 0: survives the process only (durability
			  normal) */
	uint32_t resends;
	const struct tickbus_run *runs;
	size_t n_runs;
	const char *text; /* the daemon's sentence, "" */
};

/**
 * @producer NULL: a name of its own per process and start.  @first_seq: the
 * sequence of the first tick, >= 1; a producer that goes on where it stopped
 * passes its next one, and may send unacknowledged ticks again.
 */
TICKBUS_API int tickbus_pub_open(const struct tickbus_options *options,
				 const char *producer, const char *source,
				 uint64_t first_seq, struct tickbus_pub **out);
/** Ticks that were not flushed are dropped. */
TICKBUS_API void tickbus_pub_close(struct tickbus_pub *pub);
/** Into the batch: 0 or TICKBUS_FULL. */
TICKBUS_API int tickbus_pub_add(struct tickbus_pub *pub,
				const struct tickbus_tick *tick);
/**
 * Send the batch and wait for its acknowledgement, sending again as long as
 * options.timeout_ms allows.  0 (the batch is empty now), TICKBUS_REFUSED (the
 * batch as a whole was malformed and is dropped), or -ETIMEDOUT, -ENOSPC ...:
 * the batch stays, flush again.
 */
TICKBUS_API int tickbus_pub_flush(struct tickbus_pub *pub, struct tickbus_ack *out);
/** A whole batch at once: add all and flush. */
TICKBUS_API int tickbus_pub_batch(struct tickbus_pub *pub,
				  const struct tickbus_tick *ticks, size_t n,
				  struct tickbus_ack *out);
/**
 * An article, known by the publisher's source and its id: the same again, with another
 * text, is its next edition.  Texts are UTF-8, borrowed during the call.
 */
struct tickbus_article {
	const char *id;       /* 1 to 63 bytes */
	const char *headline; /* 1 to 511 bytes; HTML in it is undone */
	int64_t time_ns;      /* when it was published */
	int64_t updated_ns;   /* ... this edition; 0: the same */
	const char *const *symbols;
	size_t n_symbols;      /* 1 to 32 */
	const char *url;       /* http or https, up to 511 bytes; NULL: none */
	const char *publisher; /* up to 63 bytes; NULL: none */
};

/**
 * Send @n articles and wait for their acknowledgement, sending again as long as
 * options.timeout_ms allows; @out counts articles, its first_seq is 0.  It has nothing
 * to do with the batch of ticks.  0; TICKBUS_FULL: more than 1,000, or than 1 MiB, and
 * nothing was sent; TICKBUS_REFUSED: malformed as a whole; -EINVAL: one that cannot be
 * sent, and nothing was; else as tickbus_pub_flush(): send them again, none is doubled.
 */
TICKBUS_API int tickbus_pub_news(struct tickbus_pub *pub,
				 const struct tickbus_article *articles, size_t n,
				 struct tickbus_ack *out);
/** Sequence that the next added tick will have. */
TICKBUS_API uint64_t tickbus_pub_next_seq(const struct tickbus_pub *pub);
TICKBUS_API const char *tickbus_pub_producer(const struct tickbus_pub *pub);

/* ---- ask ---------------------------------------------------------------- */

/**
 * One admin command, for example {"cmd":"status"}; *@out is the answer's line,
 * to be given to tickbus_free().  0 whatever the answer says; < 0: no answer.
 */
TICKBUS_API int tickbus_ask(const struct tickbus_options *options, const char *request,
			    char **out);
/** A connection for many of them, one after the other. */
struct tickbus_admin;
TICKBUS_API int tickbus_admin_open(const struct tickbus_options *options,
				   struct tickbus_admin **out);
/** As tickbus_ask().  After < 0 the connection is of no more use. */
TICKBUS_API int tickbus_admin_ask(struct tickbus_admin *admin, const char *request,
				  char **out);
TICKBUS_API void tickbus_admin_close(struct tickbus_admin *admin);
/** One JSON request to ingest or catch-up (docs/PROTOCOL.md); as tickbus_ask(). */
TICKBUS_API int tickbus_request(const struct tickbus_options *options,
				enum tickbus_port port, const char *request,
				char **out);
TICKBUS_API void tickbus_free(void *text);

/* ---- words -------------------------------------------------------------- */

/** "NORMALIZED_BAR_READY". */
TICKBUS_API const char *tickbus_kind_name(enum event_kind kind);
/** "bar". */
TICKBUS_API const char *tickbus_kind_word(enum event_kind kind);
/** "tick" or "TICK_RECEIVED"; EVENT_KINDS: unknown. */
TICKBUS_API enum event_kind tickbus_kind_parse(const char *name);
TICKBUS_API const char *tickbus_reason_name(unsigned reason);
TICKBUS_API const char *tickbus_timeframe_name(uint32_t seconds);
TICKBUS_API const char *tickbus_value_name(unsigned tier1_value);
/** "2026-01-05T14:30:00.5Z" to nanoseconds: 0 or -EINVAL; and back. */
TICKBUS_API int tickbus_time_parse(const char *text, int64_t *out_ns);
#define TICKBUS_TIME_MAX 40
TICKBUS_API void tickbus_time_print(char out[TICKBUS_TIME_MAX], int64_t ns);
/**
 * "187.25" exactly as an integer of 10^-@decimals: TICKBUS_PRICE or TICKBUS_SIZE.
 * 0, -EINVAL (no number), -ERANGE (too large, or finer than that).
 */
TICKBUS_API int tickbus_decimal_parse(const char *text, unsigned decimals,
				      int64_t *out);
#define TICKBUS_PRICE 9
#define TICKBUS_SIZE  8

#ifdef __cplusplus
}
#endif
#endif
