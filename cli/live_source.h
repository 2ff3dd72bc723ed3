/*
 * live_source - what the daemon itself made: bars of its ticks and its articles, for
 * all rows of a report in one pass, before their histories are asked for.
 *
 * Where the daemon keeps an archive all of it is there once it has handed over what is
 * new, and one query each brings bars and articles; else its store has those that it
 * still holds.  So there is no seam between the two, and nothing comes twice.
 */
#pragma once
#include "cli/history_source.h"
#include "report/report.h"

/** The source of these bars, in reports and for --source. */
#define LIVE_SOURCE "tickbus"

struct live_article {
	int64_t time_ns;
	int64_t edition_ns; /* when this text was said; the newest counts */
	uint64_t article;   /* the same in every edition */
	uint32_t headline, source,
		url;    /* NUL-ended texts at these places of the text */
	uint32_t order; /* of its coming: that of the log */
};

/** The articles of one row. */
struct live_news {
	struct buf items; /* owned; struct live_article */
	struct buf text;  /* owned */
};

/** What is being taken for the rows of a report. */
struct live_source {
	struct report *r;                /* borrowed */
	const struct history_wish *wish; /* borrowed */
	int64_t start_ns, end_ns;        /* [start, end) */
	uint32_t *by_name;               /* owned; rows, ascending by symbol */
	int64_t newest_ns;      /* start of the newest bar that came, valid or not */
	uint8_t *price_type;    /* owned; by row: what its bars are of */
	struct live_news *news; /* owned; by row */
};

/**
 * Bars of the timeframe and the range of @wish, the newest window of them, as a series
 * LIVE_SOURCE of each row that has any; and what articles there are.  An exit code; a
 * daemon that cannot say is no error.  Free @l whatever it says.
 */
int live_source_load(struct live_source *l, struct cli *c,
		     const struct history_wish *wish, struct report *r);
void live_source_free(struct live_source *l);
/** One more article of the row's: of the history, beside what the daemon was sent. */
void live_source_add(const struct live_source *l, const struct report_symbol *s,
		     const struct json_token *row);
/** Give the row its articles, oldest first, each once and in its newest edition. */
void live_source_articles(const struct live_source *l, struct report_symbol *s);

/* ---- of the files that make it ---- */

/** The row of @symbol, SIZE_MAX: none of ours. */
size_t live_row(const struct live_source *l, const char *symbol);
/** One bar, newer than or another revision of what came before. */
void live_take_bar(struct live_source *l, const struct json_token *row);
int live_bars(struct cli *c, struct live_source *l);
int live_news(struct cli *c, struct live_source *l);
/** An article of an event or of the archive, newer than what came before. */
void live_take_article(struct live_source *l, const struct json_token *row);

enum live_part { LIVE_BARS = 0, LIVE_NEWS };
/** True: the archive answered, and all of its @part is taken. */
bool live_archive(struct cli *c, struct live_source *l, enum live_part part);

/** Pages of catch-up by the admin socket: of one kind, for all rows. */
struct live_pages {
	const char *kind;      /* "bar", "news" */
	const char *timeframe; /* NULL: there is none */
	void (*take)(struct live_source *l, const struct json_token *event);
};
/** From @from ("\"oldest\"" ...) on: an exit code; CLI_NEGATIVE: it cannot say. */
int live_pages_each(struct cli *c, struct live_source *l, const struct live_pages *p,
		    const char *from);
