/*
 * question - one thing that a fetcher was asked, and lists of them.
 *
 * Queued until its first request, then started: in flight while it has a transfer,
 * else at rest until not_before_ns.  Belongs to feeds/fetcher.c.
 */
#pragma once
#include "feeds/fetcher.h"

struct question {
	struct question *prev, *next; /* in the fetcher's queue or among the started */
	struct fetcher *f;
	uint64_t id;
	struct vendor_ask ask;
	fetch_fn fn;
	void *arg;
	struct http_transfer *transfer;
	uint64_t ticket; /* of the rate limit, with transfer */
	int64_t not_before_ns;
	uint32_t attempt; /* of the present page's request */
	uint32_t garbled;
	uint32_t empty; /* pages without a row, up to now */
	bool is_started;
	bool is_doomed; /* fails at the next step, as the fetcher's doom says */
	bool is_gone;   /* cancelled while its asker was being told */
	struct fetch_news news;
	struct buf tokens; /* uint64_t hashes of the page tokens so far */
	char page[VENDOR_NEXT_MAX];
};

struct question_list {
	struct question *first, *last;
	size_t n;
};

void question_add(struct question_list *l, struct question *q);
void question_remove(struct question_list *l, struct question *q);
struct question *question_find(const struct question_list *l, uint64_t id);
/** Has this page token been seen in this question before?  Now it has. */
bool question_token_repeats(struct question *q, const char *token);
