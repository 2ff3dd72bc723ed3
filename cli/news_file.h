/*
 * news_file - articles out of a file, one after the other: JSON lines
 * (proto/article.h), CSV with a header, or a feed (RSS, RDF, Atom: feeds/rss.h).  By
 * its first character, after a byte order mark and blanks.
 *
 * Columns of CSV go by any of these names: id; time, date, published; updated;
 * headline, title; symbols, symbol, stock, ticker (several parted by blanks or `;`);
 * url, link; publisher; summary.  Others are not looked at.
 */
#pragma once
#include "proto/hist.h"
#include <stddef.h>
#include <stdint.h>

struct news_file_sink {
	void *arg;
	/** 0 to go on, anything else ends the reading and is what it returns. */
	int (*article)(void *arg, uint64_t line, const struct hist_article *a);
	/** Line @line is no article: it is passed over. */
	void (*bad)(void *arg, uint64_t line, const char *why);
};

struct news_file_options {
	const char *symbols; /* of articles that name none; may be "" */
	/* Of feeds alone: */
	unsigned match;  /* enum rss_match: look for `symbols` there; 0: it is about all
			  */
	const char *url; /* of the feed, for its relative links; "": not known */
	uint64_t unmatched; /* set: articles that name none of them */
};

/**
 * Read @path ("-": standard input).  Articles without an id get one that is made of
 * time, headline and symbols.  0, what the sink said, or a negated errno with a
 * sentence.
 */
int news_file_read(const char *path, struct news_file_options *o,
		   const struct news_file_sink *sink);
/** Put the names in @list, parted by blanks, commas or `;`, into @a; -EINVAL: one is
 *  none, or there are too many. */
int news_file_symbols(struct hist_article *a, const char *list);
