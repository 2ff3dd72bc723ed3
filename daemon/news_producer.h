/*
 * news_producer - the way of a feed's articles into the log: queued, sent,
 * acknowledged, sent again until they are.
 *
 * An article is known by its source and id, so sending it again changes nothing, also
 * after a crash: nothing of it need be remembered here.
 *
 * The thread of the feed; the reply comes on the store thread.
 */
#pragma once
#include "daemon/log_sender.h"
#include "proto/hist.h"

struct news_counts {
	uint64_t accepted; /* written to the log */
	uint64_t duplicate;
	uint64_t refused;
};

struct news_producer {
	struct log_sender sender; /* first: the reply finds its producer */
	struct buf queue;         /* articles as JSON, each ended by a NUL */
	size_t head;              /* ... so many bytes of it have left */
	uint32_t n_queued;        /* articles behind it */
	struct news_counts counts;
	char why[64]; /* why the log refused the last one that it refused */
	/* By the store thread, of the reply that the sender has. */
	struct news_counts said;
	char said_why[64];
};

void news_producer_init(struct news_producer *p, struct store_thread *store,
			const char *producer, const char *source);
void news_producer_deinit(struct news_producer *p);
void news_producer_add(struct news_producer *p, const struct hist_article *a);
/** The same of what article_write() made of it. */
void news_producer_add_json(struct news_producer *p, const char *text, size_t len);
/** Take the reply, send what is due.  When to come back (monotonic); INT64_MAX: only
    when there is a reply. */
int64_t news_producer_step(struct news_producer *p, int64_t now_ns);
/** Articles that are not in the log yet. */
size_t news_producer_waiting(const struct news_producer *p);
