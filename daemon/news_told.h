/*
 * news_told - what was said last of each article that a poll may bring again: so that
 * the log is not told the same every minute.
 *
 * The log would know (daemon/intake_news.c); this saves it the work, and its quarantine
 * the same refusal over and over.  Nothing depends on it: what is forgotten is told
 * once more.  An article is known by its id, so that a text which comes back after
 * another is news.
 *
 * One thread.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stdbool.h>

/** Zeroed is empty. */
struct news_told {
	struct buf items; /* struct told, ascending by id */
};

/** Was the newest of this article that was told the same?  If not, it is now. */
bool news_told(struct news_told *t, const struct hist_article *a);
/** Forget articles from before @ns. */
void news_told_forget(struct news_told *t, int64_t ns);
size_t news_told_count(const struct news_told *t);
void news_told_deinit(struct news_told *t);
