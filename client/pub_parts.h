/* pub_parts - what a publisher is, for pub.c and pub_news.c alone. */
#pragma once
#include "client/options.h"
#include "client/reqsock.h"
#include "proto/ingest.h"

struct tickbus_pub {
	struct options options;
	struct reqsock sock;
	char producer[INGEST_PRODUCER_MAX + 1];
	char source[SOURCE_MAX + 1];
	uint64_t first_seq; /* of the batch */
	struct ingest_writer writer;
	struct buf batch;
	struct buf runs; /* of the last ack */
	char text[INGEST_TEXT_MAX + 1];
};

/** What is sent, and what its answers mean. */
struct pub_question {
	const void *data;
	size_t len;
	/** The bytes of an answer: 0, TICKBUS_REFUSED, or an errno; *@retry_ms is the
	    daemon's wish, if it has one. */
	int (*read)(struct tickbus_pub *p, const void *data, size_t len,
		    struct tickbus_ack *out, int64_t *retry_ms);
};

/** Send it until there is an answer that ends it, or the publisher's time is over. */
int pub_ask(struct tickbus_pub *p, const struct pub_question *q,
	    struct tickbus_ack *out);
/** What a sound reply that covers @n ticks or articles means. */
int pub_judge(const struct ingest_reply_root *r, uint64_t n);
/** Fill @out from @r and p->runs. */
void pub_keep(struct tickbus_pub *p, const struct ingest_reply_root *r,
	      struct tickbus_ack *out);
