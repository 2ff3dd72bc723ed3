/* rss_item - what was read of one item, and the article that it makes: for rss.c. */
#pragma once
#include "base/buf.h"
#include "feeds/rss.h"
#include "feeds/webref.h"

#define RSS_TEXT_MAX 8192 /* of one element; the rest is not kept */
#define RSS_WHY_MAX  160
#define RSS_FIELDS(X)                                                                  \
	X(TITLE)                                                                       \
	X(LINK)                                                                        \
	X(ID)                                                                          \
	X(CREATED)                                                                     \
	X(UPDATED)                                                                     \
	X(PUBLISHER)                                                                   \
	X(CATEGORY) /* the only one that may come more than once */

#define X(name) ITEM_##name,
enum rss_field { ITEM_NOTHING = 0, RSS_FIELDS(X) ITEM_FIELDS_N };
#undef X

struct rss_item {
	struct buf text[ITEM_FIELDS_N]; /* owned; categories: each ended by a NUL */
	uint64_t line;
	char base[WEBREF_MAX]; /* of its link */
};

enum rss_outcome { RSS_ARTICLE = 0, RSS_BAD, RSS_UNMATCHED };

/** Forget the one before. */
void rss_item_begin(struct rss_item *i, uint64_t line, const char *base);
void rss_item_deinit(struct rss_item *i);
/** The first that is not empty counts; of categories all. */
void rss_item_put(struct rss_item *i, enum rss_field f, const char *text, size_t len);
enum rss_outcome rss_item_article(struct rss_item *i, const struct rss_params *p,
				  struct hist_article *out, char why[RSS_WHY_MAX]);
