/*
 * rss - articles out of a feed: RSS 2.0 (and 0.9x), RSS 1.0 (RDF), Atom 1.0.
 *
 *	            RSS 2.0         RSS 1.0 (RDF)     Atom
 *	article     item            item              entry
 *	headline    title           title             title
 *	id          guid, else link rdf:about, link   id, else link
 *	link        link            link              link rel="alternate"
 *	time        pubDate,dc:date dc:date           published, else updated
 *	edited at   -               -                 updated, else published
 *	publisher   source          dc:publisher      source/title
 *	category    category        dc:subject        category's term
 *
 * Bytes go in in pieces of any size, articles come out as each is complete.  HTML in a
 * headline is undone (base/plaintext.h), a long one is cut; links are made whole
 * against xml:base, the feed's own URL, or the channel's link.  An id that is longer
 * than an article's may be is replaced by 32 digits of its SHA-256, one that is missing
 * by those of time and headline.
 *
 * An item without a time is refused: the feed's own date changes with each answer, so
 * that every poll would make an edition of every article; the time of asking is
 * nobody's statement.  One without a headline is refused too.
 *
 * The bytes are anybody's: nothing external is ever read, an entity of HTML that is
 * not declared stands for itself, and depth, declared entities, their expansion, tokens
 * and the whole are bounded.  Encodings: UTF-8, UTF-16, ISO-8859-1, US-ASCII and
 * windows-1252.
 *
 * Pure.  One thread at a time.
 */
#pragma once
#include "feeds/mention.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSS_BYTES_MAX (64u << 20)

struct rss;

/** Where symbols are looked for; 0: every article is about all that are known. */
enum rss_match { RSS_TITLE = 1, RSS_CATEGORY = 2 };

struct rss_params {
	const char *url;     /* of the document; "" or NULL: not known */
	const char *charset; /* what the transport says it is; "" or NULL: nothing */
	struct mention_known known; /* borrowed until rss_free() */
	unsigned match;             /* of enum rss_match */
	uint64_t bytes_max;         /* 0: RSS_BYTES_MAX */
};

struct rss_sink {
	void *arg;
	/** Non-zero ends the reading, and rss_parse() returns it. */
	int (*article)(void *arg, uint64_t line, const struct hist_article *a);
	/** The item that begins in @line is refused, and why. */
	void (*bad)(void *arg, uint64_t line, const char *why);
};

struct rss_counts {
	uint64_t items; /* in all */
	uint64_t articles;
	uint64_t bad;       /* refused: no time, no headline */
	uint64_t unmatched; /* they name no symbol that is known */
};

/** 0 or -ENOMEM. */
int rss_new(const struct rss_params *p, const struct rss_sink *sink, struct rss **out);
void rss_free(struct rss *r);
/** The next bytes.  0, what the sink said, or -EBADMSG with a sentence: this is no
    feed.  After anything but 0 it is over. */
int rss_parse(struct rss *r, const char *data, size_t len, bool is_last);
struct rss_counts rss_counts(const struct rss *r);
