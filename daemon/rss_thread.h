/*
 * rss_thread - the feeds of headlines of the configuration: asked now and then, read,
 * handed to the log.
 *
 *	http ── answer ──> rss (feeds/rss.h) ── articles ──> news_producer ──> STORE
 *	  ^                                                       | acknowledged
 *	  └── again after `every`, with ETag and Last-Modified <──┘
 *
 * The wall clock decides when we ask and nothing else.  What of an answer is new is the
 * log's to say, which knows an article by source and id: nothing is remembered here
 * over a restart, and a crash in the middle of an answer doubles nothing.
 *
 * A feed that fails, is hostile or gone harms no other.
 */
#pragma once
#include "daemon/config.h"
#include "daemon/news_producer.h"
#include "daemon/store_thread.h"

struct rss_thread;

#define RSS_WHY_BYTES 240

#define RSS_STATES(X)                                                                  \
	X(NEW, "new", "not answered yet")                                              \
	X(LIVE, "live", "the newest answer was read")                                  \
	X(FAILING, "failing", "the newest answer was none")                            \
	X(GONE, "gone", "its server says that it is gone for good; not asked any more")

#define X(id, label, help) RSS_##id,
enum rss_state { RSS_STATES(X) RSS_STATES_N };
#undef X

/** One feed, as it is. */
struct rss_status {
	char name[SOURCE_MAX + 1];
	char url[CONFIG_RSS_URL_MAX];
	enum rss_state state;
	int64_t since_ns; /* wall clock: in this state */
	int64_t next_ns;  /* wall clock: asked again; 0: it is being asked, or never */
	long status;      /* HTTP's, of the newest answer; 0: none */
	uint64_t polls;   /* questions answered, or given up */
	uint64_t unchanged;
	uint64_t failures;
	uint64_t redirects;
	uint64_t bytes; /* unpacked */
	uint64_t items; /* of all answers */
	uint64_t bad;   /* ... without time or headline */
	uint64_t unmatched;
	uint64_t waiting; /* articles that are not in the log yet */
	uint64_t symbols;
	struct news_counts log;  /* what the log said of articles */
	char why[RSS_WHY_BYTES]; /* of the newest failure or refusal; "": none */
};

struct rss_env {
	const struct config *config; /* borrowed; rss, fetch, derive */
	struct store_thread *store;  /* borrowed */
};

const char *rss_state_name(enum rss_state s);

/** 0, or no memory, or what is wrong with fetch.ca_file. */
int rss_thread_new(const struct rss_env *env, struct rss_thread **out);
/** After the store thread has ended. */
void rss_thread_free(struct rss_thread *t);
int rss_thread_start(struct rss_thread *t);
/** Ask no more, join. */
void rss_thread_stop(struct rss_thread *t);
/** Counts its turns, for the watchdog. */
ANY_THREAD uint64_t rss_thread_moved(const struct rss_thread *t);
/** Feeds; NULL has none. */
ANY_THREAD size_t rss_thread_count(const struct rss_thread *t);
/** What was said last of feed @i. */
ANY_THREAD void rss_thread_status(struct rss_thread *t, size_t i,
				  struct rss_status *out);
