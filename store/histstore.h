/*
 * histstore - the second database, state/history.db: what vendors said about the
 * past, which of it is complete, and the jobs that fetch it (store/histjobs.h).
 *
 * It is not the tick log and nothing derived depends on it; what is lost here can be
 * fetched again.  It has its own connection and its own thread, so that an ingest of
 * years does not make one tick wait.
 *
 * Bars lie in chunks of a day (steps below 5 m), a month (below 1 d) or a decade,
 * each one row: packed columns (store/histchunk.h) with a checksum.  Writing a chunk
 * merges by start_ns, newest word wins: the same ingest twice leaves the same bytes.
 * A chunk that fails its checksum is removed and its range not covered any more, so
 * that it is fetched again; histstore_health() says so.
 *
 * Coverage says which ranges of a series were fetched completely: a range without
 * bars that is covered is proven quiet, one that is not was never asked.
 *
 * HISTORY thread; every write happens between histstore_begin() and _commit().
 */
#pragma once
#include "base/buf.h"
#include "base/role.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Coverage of what has no bars is kept under these in place of a step. */
#define HISTSTORE_ACTIONS 0u
#define HISTSTORE_NEWS    UINT32_MAX

struct histstore;

/** Open or create DIR/history.db.  -EBADMSG: damaged, the sentence says what to do. */
ON_HISTORY int histstore_open(const char *dir, struct histstore **out);
/** A checkpoint, so that no WAL stays.  NULL is fine. */
ON_HISTORY int histstore_close(struct histstore *h);

/** Begin to copy it to the new file @path (store/sqlite_copy.h); outside a transaction.
 */
struct sq_copy;
ON_HISTORY int histstore_copy(struct histstore *h, const char *path,
			      struct sq_copy **out);

ON_HISTORY int histstore_begin(struct histstore *h);
/** Durable (synced) when it returns 0; after an error nothing of it is there.  The
    WAL is taken over into the database when it has grown. */
ON_HISTORY int histstore_commit(struct histstore *h);
ON_HISTORY void histstore_rollback(struct histstore *h);

struct hist_range {
	int64_t from_ns;
	int64_t to_ns; /* exclusive */
};

/** Merge @n bars, ascending by start_ns (-EINVAL: they are not).  @out_new: how many
    were not there yet. */
ON_HISTORY int histstore_put_bars(struct histstore *h, const struct hist_series *s,
				  const struct hist_bar *bars, size_t n,
				  uint64_t *out_new);
/** Forget all bars and coverage of the series inside @r (invalidation). */
ON_HISTORY int histstore_drop(struct histstore *h, const struct hist_series *s,
			      const struct hist_range *r, uint64_t *out_bars);
/** The same for every adjusted series of @symbol at every source. */
ON_HISTORY int histstore_drop_adjusted(struct histstore *h, const char *symbol,
				       const struct hist_range *r, uint64_t *out_bars);
/** What the vendor says the prices of the series are in ("USD"); "" changes nothing. */
ON_HISTORY int histstore_set_currency(struct histstore *h, const struct hist_series *s,
				      const char *currency);
/** Add to @out (struct hist_bar) what lies in @r, ascending, at most @max of it. */
ON_HISTORY int histstore_get_bars(struct histstore *h, const struct hist_series *s,
				  const struct hist_range *r, size_t max,
				  struct buf *out);

/**
 * Calls @fn for each chunk of the series, ascending: the range it is of, and a checksum
 * that differs when its bars do.  Stops when @fn returns other than 0 and forwards
 * that.
 */
ON_HISTORY int histstore_each_chunk(struct histstore *h, const struct hist_series *s,
				    int (*fn)(void *arg, const struct hist_range *r,
					      uint32_t sum),
				    void *arg);

/** @r of the series was fetched completely at @fetched_ns (wall).  Ranges that touch
    and were fetched within an hour become one, of the older time. */
ON_HISTORY int histstore_cover(struct histstore *h, const struct hist_series *s,
			       const struct hist_range *r, int64_t fetched_ns);
/** Add to @out (struct hist_range) what of @r is not covered, ascending; coverage
    fetched before @since_ns does not count (TTL; 0: all counts). */
ON_HISTORY int histstore_missing(struct histstore *h, const struct hist_series *s,
				 const struct hist_range *r, int64_t since_ns,
				 struct buf *out);
/** Add to @out (struct hist_range) what of the series is covered, ascending. */
ON_HISTORY int histstore_covered(struct histstore *h, const struct hist_series *s,
				 struct buf *out);

/** Everything that is known of one series. */
struct hist_summary {
	struct hist_series series;
	uint64_t bars;
	uint64_t bytes; /* compressed */
	uint64_t chunks;
	int64_t first_ns; /* first and last bar; 0: it has none */
	int64_t last_ns;
	int64_t fetched_ns; /* newest; 0: never completely */
	char currency[8];   /* of the prices; "GBp" is pence; "": the vendor did not say
			     */
};
/** Of one series: 0, or 1 when nothing is known of it (then @out is zeroed). */
ON_HISTORY int histstore_summary(struct histstore *h, const struct hist_series *s,
				 struct hist_summary *out);
/** Calls @fn for each series (symbol NULL: all) in order of source, symbol, step;
    stops when it returns other than 0 and forwards that.  @fn may change the store. */
ON_HISTORY int histstore_each(struct histstore *h, const char *symbol,
			      int (*fn)(void *arg, const struct hist_summary *s),
			      void *arg);

/** The same of what stands in the series' own rows: first_ns, last_ns and fetched_ns
   are 0, for which chunks would have to be unpacked. */
ON_HISTORY int histstore_each_row(struct histstore *h, const char *symbol,
				  int (*fn)(void *arg, const struct hist_summary *s),
				  void *arg);

/** 0; the same id with an older or equal updated_ns changes nothing. */
ON_HISTORY int histstore_put_article(struct histstore *h, const char *source,
				     const struct hist_article *a, bool *out_is_new);
ON_HISTORY int histstore_put_action(struct histstore *h, const char *source,
				    const struct hist_action *a, bool *out_is_new);

/** Append the actions of @symbol (struct hist_action), by date: those of the one source
    that has most of them, for two vendors' dates of one action may differ. */
ON_HISTORY int histstore_actions(struct histstore *h, const char *symbol,
				 struct buf *out);
struct hist_acted {
	char symbol[SYMBOL_MAX + 1];
	uint64_t actions;
	int64_t sum; /* another one when an action was added or says otherwise */
};
/** Append up to @max symbols behind @after that have actions (struct hist_acted). */
ON_HISTORY int histstore_acted(struct histstore *h, const char *after, size_t max,
			       struct buf *out);

/** One article and who brought it, its symbols ascending.  Not 0: stop, and return
    that. */
typedef int (*hist_article_fn)(void *arg, const char *source,
			       const struct hist_article *a);
/** Articles about @symbol that appeared in @r, by (time, source, id): at most @n of
    them, the first @skip left out. */
ON_HISTORY int histstore_articles(struct histstore *h, const char *symbol,
				  const struct hist_range *r, uint64_t skip, uint64_t n,
				  hist_article_fn fn, void *arg);

/**
 * Source @name is reached as @reached says from now on (adapter, address).  When it was
 * reached otherwise before (@out_was is that, else ""), nothing of it counts as
 * complete any more.
 */
ON_HISTORY int histstore_vendor(struct histstore *h, const char *name,
				const char *reached, char *out_was, size_t size);

/** Index membership: "s_and_p_500" holds AAPL since added_ns.  Known: unchanged. */
ON_HISTORY int histstore_index_add(struct histstore *h, const char *name,
				   const char *symbol, int64_t added_ns);
struct hist_member {
	char symbol[SYMBOL_MAX + 1];
	int64_t added_ns;
};
/** Add to @out (struct hist_member) the members of @name by symbol. */
ON_HISTORY int histstore_index_get(struct histstore *h, const char *name,
				   struct buf *out);

struct hist_index {
	char name[64];
	uint64_t members;
	int64_t since_ns; /* of the oldest */
};
/** Add at most @max of them to @out (struct hist_index) by name. */
ON_HISTORY int histstore_index_list(struct histstore *h, size_t max, struct buf *out);

struct hist_health {
	uint64_t series;
	uint64_t bars;
	uint64_t chunk_bytes; /* compressed bars */
	uint64_t file_bytes;  /* of the database */
	uint64_t wal_bytes;
	uint64_t articles;
	uint64_t actions;
	uint64_t damaged; /* chunks dropped since the start */
	char damage[160]; /* the last of them, "" */
};
ON_HISTORY int histstore_health(struct histstore *h, struct hist_health *out);
