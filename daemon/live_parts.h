/*
 * live_parts - one live feed's inside, for the files live_*.c alone.
 *
 *	live_thread.c   the thread, its loop, start and end
 *	live_feed.c     connection, session, ticks, articles
 *	live_make.c     its beginning and end
 *	live_refill.c   from open spans to questions, from answers to ticks
 *	live_poll.c     the news of a vendor without a stream of them
 *	live_past.c     what the store thread is asked: the ledger, the log's ticks
 *
 * LIVE thread but for what says otherwise.
 */
#pragma once
#include "base/mailbox.h"
#include "daemon/live_producer.h"
#include "daemon/live_thread.h"
#include "daemon/news_batch.h"
#include "daemon/news_producer.h"
#include "daemon/news_told.h"
#include "feeds/known.h"
#include "feeds/ledger.h"
#include "feeds/livelink.h"
#include "feeds/poll.h"
#include "feeds/ws.h"
#include "workers/grid.h"
#include <pthread.h>

#define LIVE_KNOWN_MAX (8u << 20) /* identities held per feed */
#define LIVE_PAGES_MAX 100u       /* of articles, of one question */

/* ---- live_past.c ---- */

enum past_phase { PAST_UNREAD = 0, PAST_LEDGER, PAST_TICKS, PAST_READ };

/** A tick of the log, as far as it is told from others. */
struct past_tick {
	uint64_t id;
	int64_t event_ns;
};

/** A question to the store thread and its answer; one at a time and feed. */
struct past {
	struct live_thread *thread;
	char key[48]; /* of the ledger in the store's meta table */
	char producer[2][INGEST_PRODUCER_MAX + 1];
	char source[SOURCE_MAX + 1];
	enum past_phase phase;
	atomic_bool has_answer; /* by the store thread */
	bool is_asking;
	bool is_saving;
	/* the answer */
	int rc;
	char why[200];
	uint64_t seq_last[2];
	struct buf ledger; /* in: to be saved; out: as it was */
	struct buf ticks;  /* struct past_tick */
	uint64_t pos;      /* where the search goes on */
	bool is_end;
	int64_t from_ns; /* older ones are not asked for */
	int64_t due_ns;  /* monotonic: ask again not before */
};

/* ---- live_refill.c ---- */

/** One question to the vendor's history on its way, with what it borrows. */
struct refill_ask {
	struct live_feed *feed;
	struct refill_ask *next;
	struct vendor_ask ask;
	const char **names; /* owned; what ask.symbols is */
	atomic_ulong rows;
	bool is_over;
};

enum refill_phase { REFILL_IDLE = 0, REFILL_ASKING, REFILL_SETTLING };

struct refill {
	enum refill_phase phase;
	struct refill_ask *ask; /* on its way */
	enum vendor_what what;  /* of the question on its way */
	int64_t from_ns, to_ns; /* the hole's part that is being filled */
	size_t *members;        /* owned; symbols, ascending */
	size_t n_members;
	uint64_t *fresh; /* owned; per symbol of the feed: ticks that the log had not */
	uint64_t *rows;  /* ... and all that lie in the part */
	int64_t window_ns;
	int64_t due_ns;    /* monotonic: not before */
	uint32_t failures; /* in a row */
	bool one_by_one;   /* a question for many was refused: one symbol each */
};

/* ---- live_poll.c ---- */

/** What is asked of one symbol in a round. */
struct poll_part {
	int64_t from_ns, to_ns; /* the same: nothing */
	int64_t oldest_ns; /* what is older the vendor does not say; INT64_MIN: it does
			    */
	uint64_t articles; /* that lie in the part */
	bool is_answered;  /* they are on their way to the log */
	bool is_failing;   /* its newest question came to nothing */
	bool is_lost;      /* ... for good, and that was said */
};

enum round_phase { ROUND_NONE = 0, ROUND_ASKING, ROUND_STORING };

/** Of a feed that is polled: a question for each symbol, then a pause. */
struct live_poll {
	enum round_phase phase;
	struct poll when;        /* the pauses behind failures */
	struct poll_part *parts; /* owned; per symbol */
	size_t at;               /* the symbol whose turn it is */
	struct refill_ask *ask;  /* on its way */
	struct news_batch batch; /* answered, not yet handed over */
	struct news_told told;   /* ... or handed over, and may come again */
	uint32_t failures;       /* in a row, in this round */
	uint32_t answers;        /* in this round */
	uint32_t refusals;       /* ... for good, of a symbol */
	bool is_barred;          /* by the vendor, whatever the symbol */
	bool is_open;            /* the ledger has the round's time as a hole */
	bool has_more;           /* a round does not do for what is owed */
	enum link_state trouble; /* of the newest failure, and why */
	char why[LINK_WHY_MAX];
	int64_t window_ns;
	int64_t to_ns;      /* wall clock: up to here this round asks */
	int64_t due_ns;     /* monotonic: the next round */
	int64_t handed_ns;  /* monotonic: when last */
	uint64_t polls;     /* rounds */
	uint64_t shortened; /* questions with too many pages */
	uint64_t nameless;  /* articles about none of its symbols */
};

/* ---- live_feed.c ---- */

struct live_feed {
	struct live_thread *thread;
	const struct config_feed *config;
	size_t index;
	struct live_vendor vendor;
	const struct vendor_ops *history; /* NULL: the vendor has no adapter */
	const struct stream_ops *ops;
	char url[VENDOR_URL_MAX + 64];
	const char **symbols; /* owned; sorted, borrowed names */
	size_t n_symbols;
	struct session *sessions; /* owned; per symbol */

	struct livelink link;
	int64_t since_wall_ns;
	struct ws *ws;         /* NULL: no connection */
	struct stream *stream; /* NULL: no session */
	struct buf out;        /* what the session wants to say */
	enum stream_state stream_state;
	struct stream_counts last, total; /* of this connection, of the earlier ones */
	bool is_paused;
	bool is_cut; /* the stream has ended, and its last ticks are on their way */
	int64_t lag_ns;

	struct live_producer live, refilled;
	struct news_producer articles; /* of both */
	int64_t article_ns;            /* newest of the stream; INT64_MIN: none */
	struct known *known;
	struct ledger *ledger;
	struct past past;
	struct refill refill;
	struct live_poll poll;
	bool is_ledger_dirty;
	int64_t saved_ns, kept_ns, told_ns; /* monotonic: when last */
	int64_t saved_good_ns;
	int64_t blurred_ns; /* wall clock: until then some identities could not be held
			     */
	uint64_t doubles, refills, refills_failed;
};

struct live_thread {
	struct live_env env;
	struct live_feed *feeds; /* owned */
	size_t n;
	struct ws_pool *pool;
	struct live_board *board;
	struct mailbox *news;    /* struct refill_news, from who fetches */
	struct refill_ask *asks; /* all that are on their way */
	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	_Atomic size_t drop; /* 1 + the feed to hang up; 0: none */
	atomic_ulong moved;
};

/** A letter from the fetching thread. */
struct refill_news {
	struct refill_ask *ask;
	struct buf rows; /* struct feed_tick, or hist_article; owned by who takes it */
	enum fetch_state state;
	bool is_all_it_has; /* a page: of older articles the vendor does not speak */
	struct vendor_problem problem;
};

/** One turn of the thread; for tests that have none. */
void live_thread_step(struct live_thread *t);

int live_feed_init(struct live_feed *f, struct live_thread *t, size_t index);
void live_feed_deinit(struct live_feed *f);
/** Do what is due; when to come back (monotonic). */
int64_t live_feed_step(struct live_feed *f, int64_t now_ns);
/** An article of the stream or of a refill, to the log. */
void live_feed_article(struct live_feed *f, const struct hist_article *a);
/** Close its connection, as if the vendor had. */
void live_feed_drop(struct live_feed *f);
/** The end: no connection any more. */
void live_feed_hang_up(struct live_feed *f, int64_t now_ns);
bool live_feed_is_settled(const struct live_feed *f);
/** Index of a symbol, SIZE_MAX: it is none of the feed's. */
size_t live_feed_symbol(const struct live_feed *f, const char name[SYMBOL_MAX]);

/** Forget what was to be sent: it held the key. */
void live_feed_wipe(struct live_feed *f);

/** A copy whose symbols stand in the order in which all say them. */
void live_feed_sorted(const struct hist_article *a, struct hist_article *out);

int live_refill_init(struct live_feed *f);
void live_refill_deinit(struct live_feed *f);
int64_t live_refill_step(struct live_feed *f, int64_t now_ns);
void live_refill_news(struct live_thread *t);
void live_refill_free_all(struct live_thread *t);
/** Ask the vendor's history; @names (taken, may be NULL) is what @ask's symbols are.
    Answers come as letters; *@out is gone after the last.  0 or a negated errno. */
int live_refill_ask(struct live_feed *f, const struct vendor_ask *ask,
		    const char **names, struct refill_ask **out);
/** It was ended because its answer had no end. */
ANY_THREAD bool live_refill_was_too_much(const struct refill_ask *a);

int live_poll_init(struct live_feed *f);
void live_poll_deinit(struct live_feed *f);
/** Begin a round, go on with it, end it.  When to come back (monotonic). */
int64_t live_poll_step(struct live_feed *f, int64_t now_ns);
/** A letter of a question of its. */
void live_poll_news(struct live_feed *f, struct refill_news *n);

void live_past_init(struct live_feed *f);
void live_past_deinit(struct live_feed *f);
/** Until PAST_READ: ask for the next part, take the answer. */
void live_past_step(struct live_feed *f, int64_t now_ns);
/** Save the ledger if that is due; @now: whatever the time. */
void live_past_save(struct live_feed *f, int64_t now_ns, bool at_once);
ANY_THREAD void live_wake(void *arg);
