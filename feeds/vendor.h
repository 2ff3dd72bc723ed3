/*
 * vendor - what every vendor adapter can do, as a table of functions.
 *
 * An adapter knows its vendor and nothing else: how a question is written, how an
 * answer is read, what an error of its means.  It does no I/O (but for the system's
 * time zones), keeps no state between calls, and never sees another vendor.
 * Everything is exact: prices are billionths, times nanoseconds, read digit by digit.
 *
 *	ask ── request() ──> vendor_request ── http ──> status, body
 *	 ^                                                   |
 *	 └── page.next ── parse() or problem() <─────────────┘
 *
 * Any thread; all state is in the arguments.  feeds/fetcher.h drives it.
 */
#pragma once
#include "base/buf.h"
#include "feeds/feed.h"
#include "feeds/secret.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VENDOR_URL_MAX  160
#define VENDOR_NEXT_MAX 2048
#define VENDOR_WHY_MAX  320

enum vendor_what {
	VENDOR_BARS = 0,
	VENDOR_TRADES,
	VENDOR_QUOTES,
	VENDOR_NEWS,
	VENDOR_ACTIONS,
	VENDOR_WHATS,
};

/** How a vendor is reached; filled from the configuration, constant afterwards. */
struct vendor_settings {
	char name[HIST_SOURCE_MAX + 1];  /* which adapter */
	char base_url[VENDOR_URL_MAX];   /* "https://data.alpaca.markets" */
	char feed[HIST_FEED_MAX + 1];    /* Alpaca: sip, iex ...; "": its default */
	char dataset[HIST_FEED_MAX + 1]; /* Databento: XNAS.ITCH ... */
	const struct secret *key;        /* borrowed; NULL: none */
	const struct secret *key_secret; /* Alpaca's second half */
};

/**
 * What is wanted: [start_ns, end_ns), whatever the vendor's own rule for the end
 * is.  Symbols are ours ("BRK.B"); the adapter spells them its vendor's way.
 */
struct vendor_ask {
	enum vendor_what what;
	const char *const *symbols; /* borrowed, valid names */
	size_t n_symbols;
	int64_t start_ns;
	int64_t end_ns;
	uint32_t step_s; /* bars; see hist_series */
	uint8_t adjust;  /* enum hist_adjust; bars */
	uint32_t limit;  /* rows per page; 0: as many as the vendor allows */
};

/** One HTTP request without the host: that is always the vendor's base_url. */
struct vendor_request {
	bool is_post;
	struct buf target;  /* "/v2/stocks/bars?symbols=AAPL&..."; percent-encoded */
	struct buf form;    /* body of a POST */
	struct buf headers; /* "Name: value" lines, each NUL-terminated; holds keys:
			       vendor_request_free() wipes it */
};
void vendor_request_free(struct vendor_request *r);

struct vendor_bar {
	uint32_t symbol; /* index into the ask's symbols */
	uint32_t unused;
	struct hist_bar bar;
};

/** One answer, read.  Zeroed is empty; parse() fills an empty one completely or
    fails; vendor_page_reset() keeps the memory for the next. */
struct vendor_page {
	struct buf bars;     /* struct vendor_bar */
	struct buf ticks;    /* struct feed_tick: trades, quotes */
	struct buf articles; /* struct hist_article */
	struct buf actions;  /* struct hist_action */
	uint64_t skipped;    /* rows of symbols or times that nobody asked for, or of
				null prices */
	char currency[8]; /* of the prices, as the vendor says: "USD", "JPY"; "GBp" is
			     pence; "": it does not say */
	char next[VENDOR_NEXT_MAX]; /* hand it to the next request(); "": last page */
};
void vendor_page_reset(struct vendor_page *p);
void vendor_page_free(struct vendor_page *p);

/** What an answer that is no success means. */
enum vendor_verdict {
	VENDOR_RETRY = 1, /* time will help: 408, 425, 5xx, cut off, closed */
	VENDOR_LIMITED,   /* 429: too many requests */
	VENDOR_REFUSED,   /* 400, 404, 422: this question is wrong; never again */
	VENDOR_UNKNOWN,   /* the symbol does not exist */
	VENDOR_AUTH,      /* 401, 403 for the key: every question will fail */
	VENDOR_FORBIDDEN, /* 403: the plan does not cover it */
	VENDOR_GARBLED,   /* a 200 that cannot be read: once more, then report */
};

struct vendor_problem {
	enum vendor_verdict verdict;
	char why[VENDOR_WHY_MAX]; /* one clear sentence, without any key */
};

struct vendor_ops {
	const char *name;
	unsigned can;                    /* 1u << enum vendor_what, OR-ed */
	uint32_t rows_max[VENDOR_WHATS]; /* of a page; 0: a page is the whole range */
	size_t symbols_max; /* per request; 1 for those with the symbol in the path */
	bool has_pages;

	/** 0, or -EINVAL and why this vendor cannot be asked this. */
	int (*check)(const struct vendor_settings *s, const struct vendor_ask *a);
	/** @next: "" first, then the page's.  0 or a negated errno. */
	int (*request)(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out);
	/**
	 * Read the body of a 200.  0; -EBADMSG and err_text() says what is wrong and
	 * where; a vendor's own "error inside a 200" is -EBADMSG as well and then
	 * problem() is asked.  @out is complete or empty.  @next: what request() was
	 * given for this page.
	 */
	int (*parse)(const struct vendor_settings *s, const struct vendor_ask *a,
		     const char *next, const char *body, size_t len,
		     struct vendor_page *out);
	/** Judge an answer that was no success, or that parse() refused: then on the
	    same thread, for err_text() is looked at. */
	void (*problem)(const struct vendor_settings *s, long status,
			const char *content_type, const char *body, size_t len,
			struct vendor_problem *out);
	/** The longest end_ns - start_ns that check() takes for such an ask, else it is
	    to be asked in pieces; 0, or no function: any. */
	int64_t (*range_max_ns)(const struct vendor_ask *a);
};

extern const struct vendor_ops alpaca_ops;
extern const struct vendor_ops polygon_ops;
extern const struct vendor_ops databento_ops;
extern const struct vendor_ops yahoo_ops;

/** By name; NULL when there is no such vendor.  vendor_at(i) until NULL: all. */
const struct vendor_ops *vendor_find(const char *name);
const struct vendor_ops *vendor_at(size_t i);
