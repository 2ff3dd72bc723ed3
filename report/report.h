/*
 * report - what prices, indicators and headlines say of many symbols, side by side.
 *
 *	struct report r = {.flow = FLOW_COMBINED, ...};
 *
 *	report_add(&r, "AAPL");                  a row per symbol, in this order
 *	report_run(&r, &loader, workers);        each loaded and computed on one thread
 *	report_json(&r, seconds, &out);          or report_html()
 *
 * A symbol is loaded once, and its parts share what was loaded: the bars of all
 *sources, of which pricing takes the best; indicators are of these.  Whatever is wrong
 *with a symbol stays with it as a reason (report_fail()): the rows of the others are
 *the same bytes, with it or without it.
 *
 * Everything is a function of what was loaded and of the options: no clock, and no
 * result depends on the number of workers.  Age counts back from the newest of the
 * symbol's own.  No I/O here: a loader brings the data.
 */
#pragma once
#include "analysis/newsdesk.h"
#include "analysis/sentiment.h"
#include "base/buf.h"
#include "proto/event.h"
#include "proto/hist.h"
#include "proto/symbol.h"
#include "report/portfolio.h"
#include <stdbool.h>

#define REPORT_SYMBOLS_MAX 20000
#define REPORT_SOURCES_MAX 9 /* vendors, and the daemon itself */
#define REPORT_WORKERS_MAX                                                             \
	16 /* half of what a daemon lets in at once, limits.admin                      \
	    */
#define REPORT_WINDOW_MAX 10000
#define REPORT_REASON_MAX 240
/** Columns of the table of indicators, report_column_key(0) ... */
#define REPORT_COLUMNS 13
/** Of these the ones that have a place of their own in summaries and charts. */
enum {
	REPORT_SMA_20 = 0,
	REPORT_RSI_14,
	REPORT_BAND_UPPER,
	REPORT_BAND_MIDDLE,
	REPORT_BAND_LOWER,
};

/** The parts of a report, OR-ed. */
enum { REPORT_PRICING = 1, REPORT_TECHNICAL = 2, REPORT_NEWS = 4, REPORT_PARTS = 3 };

/** The lists of an answer that have a row per symbol. */
enum {
	REPORT_LIST_TECHNICAL = 0,
	REPORT_LIST_HISTORY,
	REPORT_LIST_PRICES,
	REPORT_LIST_NEWS,
	REPORT_LIST_COMBINED,
	REPORT_LISTS,
};

/** What can be asked for: which fields of which parts. */
enum report_flow {
	FLOW_TECHNICAL = 0,
	FLOW_NEWS,
	FLOW_PRICING,
	FLOW_COMPREHENSIVE,
	FLOW_COMBINED,
	FLOWS,
};

struct report_bar {
	int64_t time_ns; /* its start */
	double open, high, low, close;
	double volume; /* NaN: the source has none */
};

/** The bars that one source has of a symbol. */
struct report_series {
	char source[HIST_SOURCE_MAX + 1];
	char currency[8];             /* "": it did not say */
	unsigned rank;                /* by the configuration, 0 first */
	struct buf bars;              /* owned; struct report_bar, ascending */
	size_t refused;               /* bars that cannot be: report_series_push() */
	size_t present;               /* of the symbol's `expected` times; by pricing */
	bool is_own;                  /* made here, of ticks */
	char made_of[SOURCE_MAX + 1]; /* is_own: the source of these ticks, "": ? */
	/* is_own, by pricing: its first bars are those of another source */
	char continues[HIST_SOURCE_MAX + 1]; /* "": none are */
	size_t borrowed;                     /* so many */
};

struct report_article {
	int64_t time_ns;
	double compound;
	uint32_t headline, source, url; /* NUL-ended texts at these places of `text` */
	bool is_repeat;
};

struct report_symbol {
	char symbol[SYMBOL_MAX + 1];
	char failed[REPORT_PARTS][REPORT_REASON_MAX]; /* "": it did not, or not asked */
	/* loaded */
	struct report_series series[REPORT_SOURCES_MAX];
	size_t n_series;
	struct buf articles; /* owned; struct report_article, ascending */
	struct buf text;     /* owned; of the articles */
	/* computed */
	int best;        /* of series; -1: there is no price */
	size_t expected; /* different times in the window, of all series together */
	char why[REPORT_REASON_MAX];   /* the best is the best */
	const struct report_bar *bars; /* the best's, in the window */
	size_t n;                      /* of them */
	double *columns;               /* owned; REPORT_COLUMNS arrays of n */
	struct newsdesk_total news;    /* of the window */
	uint64_t repeats;              /* headlines that were there already */
	struct buf
		json[REPORT_LISTS]; /* owned; its row of each list that the flow has */
};

struct report {
	enum report_flow flow;
	uint32_t parts; /* report_flow_parts() of it; report_run() sets it */
	uint32_t step_s;
	size_t window;        /* bars per symbol, 1 .. REPORT_WINDOW_MAX */
	int64_t news_ns;      /* articles count for so long */
	int64_t half_life_ns; /* an article weighs half as much after it */
	int64_t repeat_ns;    /* the same headline within it is a repeat */
	size_t articles;      /* of a symbol that are shown, the newest */
	bool history;         /* every bar's indicators are shown, not the newest's */
	struct sentiment **scorers; /* borrowed; one per worker, with REPORT_NEWS */
	const char *const *sources; /* borrowed; by priority */
	size_t n_sources;
	bool only_named;            /* other sources do not count */
	struct report_symbol *rows; /* owned */
	size_t n, room;
	const struct portfolio *portfolio; /* borrowed; NULL: none */
};

/** Brings data.  Several threads at a time, for different symbols. */
struct report_loader {
	/** Fill @s on worker @worker.  Not 0: end everything, forward it. */
	int (*load)(void *arg, unsigned worker, const struct report *r,
		    struct report_symbol *s);
	/** Somebody begins with @s; likewise.  NULL: nobody wants to know. */
	void (*begin)(void *arg, const struct report *r, const struct report_symbol *s);
	/** It is made. */
	void (*made)(void *arg, const struct report *r, const struct report_symbol *s);
	void *arg;
};

/** "technical" ...; FLOWS: there is no such flow. */
enum report_flow report_flow_parse(const char *name);
const char *report_flow_name(enum report_flow f);
/** The parts that it is made of. */
uint32_t report_flow_parts(enum report_flow f);

/** A row at the end; the same symbol again is nothing.  -EINVAL, -E2BIG, -ENOMEM. */
int report_add(struct report *r, const char *symbol);
void report_free(struct report *r);
/** @part (REPORT_PRICING ...) of @s is not to be had, and why; the first word stays. */
void report_fail(struct report_symbol *s, uint32_t part, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** The reason, or NULL. */
const char *report_failed(const struct report_symbol *s, uint32_t part);

/** A further source of @s, or NULL: too many. */
struct report_series *report_series_add(struct report_symbol *s, const char *source);
/**
 * Append a bar.  One that cannot be (no price above 0, a high below the close, not
 * after the one before) is counted and left out.
 */
void report_series_push(struct report_series *x, const struct report_bar *bar);
/**
 * Put a bar in its place: it replaces that of the same time.  Not @is_valid, or it
 * cannot be: there is none of that time.
 */
void report_series_put(struct report_series *x, const struct report_bar *bar,
		       bool is_valid);
/** Its newest @n bars alone. */
void report_series_trim(struct report_series *x, size_t n);
/** Its newest series was none. */
void report_series_drop(struct report_symbol *s);
const struct report_bar *report_series_bars(const struct report_series *x,
					    size_t *out_n);
/** Append an article, oldest first; texts are copied.  Scored by report_run(). */
void report_article_push(struct report_symbol *s, int64_t time_ns, const char *headline,
			 const char *source, const char *url);
const struct report_article *report_articles(const struct report_symbol *s,
					     size_t *out_n);
const char *report_text(const struct report_symbol *s, uint32_t at);

/** Load and compute all rows on @workers threads (1 .. REPORT_WORKERS_MAX): 0, or what
    the loader ended it with. */
int report_run(struct report *r, const struct report_loader *loader, unsigned workers);

/** "sma_20"; @i < REPORT_COLUMNS. */
const char *report_column_key(size_t i);
/** Column @i at the newest bar, NaN while it has too few. */
double report_column(const struct report_symbol *s, size_t i);
/** All of its values, @s->n of them; NULL: it has none. */
const double *report_column_all(const struct report_symbol *s, size_t i);

/** The whole answer as one JSON object; @seconds is what it took. */
void report_json(struct report *r, double seconds, struct buf *out);
