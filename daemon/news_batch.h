/*
 * news_batch - articles of one answer, or of several, before they go to the log: as
 * text, each with its time.  The log hears them as they happened, the oldest first,
 * whatever the order in which they were said.
 *
 * One thread.
 */
#pragma once
#include "base/buf.h"
#include "daemon/news_producer.h"
#include "proto/hist.h"

/** Those of the same time. */
enum news_batch_ties {
	BATCH_AS_ADDED, /* as they stood in the answer */
	BATCH_BY_TEXT,  /* the same text once: of answers that overlap */
};

/** Zeroed is empty. */
struct news_batch {
	struct buf texts; /* as article_write() makes them */
	struct buf order; /* struct placed */
};

void news_batch_add(struct news_batch *b, const struct hist_article *a);
/** Bytes that are held. */
size_t news_batch_size(const struct news_batch *b);
/** Give all to @p, and be empty. */
void news_batch_give(struct news_batch *b, struct news_producer *p,
		     enum news_batch_ties ties);
void news_batch_deinit(struct news_batch *b);
