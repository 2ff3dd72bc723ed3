/*
 * vendor_parts - what adapters are made of: query strings, headers, verdicts, rows.
 *
 * For the adapters alone; who drives them includes feeds/vendor.h.  Any thread, no
 * state.
 */
#pragma once
#include "feeds/vendor.h"
#include "proto/json_walk.h"

/** Percent-encode all but RFC 3986's unreserved characters. */
void vendor_escape(struct buf *target, const char *text, size_t len);
/** "?NAME=VALUE" or "&NAME=VALUE", whichever is due; the value is encoded. */
void vendor_param(struct buf *target, const char *name, const char *value);
void vendor_param_u64(struct buf *target, const char *name, uint64_t value);
/** An instant as RFC 3339 in UTC. */
void vendor_param_time(struct buf *target, const char *name, int64_t ns);
/** PREFIX and "2023-08-25". */
void vendor_date(struct buf *target, const char *prefix, int64_t days);
/** What New York's calendar and clock say: days since 1970, and time of the day.
    -ENOENT: the system has no time zones. */
int vendor_newyork(int64_t ns, int64_t *out_days, int64_t *out_of_day_ns);
/** All symbols of the ask, comma separated. */
void vendor_param_symbols(struct buf *target, const char *name,
			  const struct vendor_ask *a);
/** "NAME: PREFIXkey"; nothing when there is no key. */
void vendor_header(struct buf *headers, const char *name, const char *prefix,
		   const struct secret *key);

/** What every vendor demands of an ask; -EINVAL and a sentence. */
int vendor_check(const struct vendor_ops *ops, const struct vendor_ask *a);
/** Rows per page: the ask's limit, at most the vendor's. */
uint32_t vendor_limit(uint32_t most, const struct vendor_ask *a);
bool vendor_in_range(const struct vendor_ask *a, int64_t ns);

/** Room for one more row, zeroed; valid until the next. */
struct vendor_bar *vendor_page_bar(struct vendor_page *p);
struct feed_tick *vendor_page_tick(struct vendor_page *p);
struct hist_article *vendor_page_article(struct vendor_page *p);
struct hist_action *vendor_page_action(struct vendor_page *p);

/** A tick without anything but its time. */
void vendor_tick_begin(struct feed_tick *t, int64_t event_ns);
void vendor_tick_symbol(struct feed_tick *t, const char *symbol);
/** One side of a quote, its size in units of @lot.  Price 0 or absent: there is no bid
    (ask), and its size means nothing. */
void vendor_quote_side(int64_t price_e9, int64_t size_e8, int64_t lot,
		       int64_t *out_price_e9, int64_t *out_size_e8);

/** A sum of sizes, rounded at 1e-8; one that no 64 bits hold is unknown. */
int64_t vendor_read_volume(struct json_walk *w);
/** 20240610 of days since 1970. */
int32_t vendor_date_number(int64_t days);
/** "EUR/USD": two of the moneys that states issue. */
bool vendor_is_money_pair(const char *symbol);

/** Milliseconds since 1970 as a JSON number, to nanoseconds; VALUE_NULL for null. */
int64_t vendor_read_ms(struct json_walk *w);

/** "2024-06-10" to 20240610; 0 for null. */
int32_t vendor_read_date(struct json_walk *w);
/** A text that may hold HTML, as its reader sees it, cut to fit. */
void vendor_read_plain(struct json_walk *w, char *out, size_t cap);
/** A list of names; what is no symbol of ours is left out. */
void vendor_read_symbols(struct json_walk *w, struct hist_article *out);

/** How the bars of an answer are to be read. */
struct vendor_bars {
	const struct vendor_ask *ask;
	struct vendor_page *page;
	int64_t (*time)(struct json_walk *w);
	uint32_t symbol; /* index into the ask's */
};
/**
 * One bar as Alpaca and Polygon write it: {t,o,h,l,c,v,vw,n}.  Prices are exact, but
 * rounded at a billionth where the vendor computed them (adjusted), as volume and vwap
 * always are.
 */
void vendor_read_bar(struct json_walk *w, const struct vendor_bars *b);

/**
 * A body was read to its end, or to what is wrong with it: 0, or -EBADMSG with a
 * sentence and @out emptied.
 */
int vendor_parsed(struct json_walk *w, struct vendor_page *out);

/** The usual meaning of an HTTP status, 200 included. */
enum vendor_verdict vendor_verdict_of(long status);
/**
 * What the body says went wrong, fit to be shown: the message of a JSON error, "an
 * HTML page", the beginning of a plain text; "" when there is nothing.
 */
void vendor_message(const char *body, size_t len, char out[VENDOR_WHY_MAX]);
/** "VENDOR: WHY", printable, and without the settings' keys should it hold any. */
void vendor_problem_say(const struct vendor_settings *s, const char *vendor,
			const char *why, struct vendor_problem *out);
/** The usual verdict, and "VENDOR: answer 403, MESSAGE"; of a 200 without a message
    what parse() said. */
void vendor_problem_write(const struct vendor_settings *s, const char *vendor,
			  long status, const char *message, struct vendor_problem *out);
