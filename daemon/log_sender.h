/*
 * log_sender - one request on its way into the log: posted, answered, posted again
 * until it is taken.
 *
 * What a producer of the daemon's own (live_producer.h, news_producer.h) has in common
 * with any other: it keeps its bytes until they are acknowledged.  One request at a
 * time: a second one behind one that found no space would overtake it.
 *
 * The thread of the producer; the reply comes on the store thread.
 */
#pragma once
#include "base/buf.h"
#include "daemon/store_thread.h"
#include "proto/ingest.h"
#include <stdatomic.h>
#include <stdbool.h>

enum sender_reply { SENDER_NONE = 0, SENDER_DONE, SENDER_AGAIN, SENDER_STOPPING };

struct log_sender {
	struct intake_caller caller; /* first: the reply finds its sender */
	struct store_thread *store;  /* borrowed */
	/** STORE: what a reply says.  What it keeps of it is read after `reply` is. */
	enum sender_reply (*read)(struct log_sender *s, const void *reply, size_t len);
	void (*wake)(void *arg); /* ANY_THREAD: there was a reply */
	void *wake_arg;
	char producer[INGEST_PRODUCER_MAX + 1];
	char source[SOURCE_MAX + 1];
	struct buf request; /* the one on its way */
	uint32_t n_flying;  /* what is in it; 0: none is on its way */
	bool is_unsent;     /* it has to be posted (again) */
	int64_t again_ns;   /* ... not before (monotonic) */
	bool is_stopping;   /* the daemon takes no more */
	atomic_int reply;   /* enum sender_reply, by the store thread */
};

void log_sender_init(struct log_sender *s, struct store_thread *store,
		     const char *producer, const char *source,
		     enum sender_reply (*read)(struct log_sender *s, const void *reply,
					       size_t len));
void log_sender_deinit(struct log_sender *s);
/** Take the reply if there is one.  True: the request was taken; n_flying is the
    caller's to clear. */
bool log_sender_take(struct log_sender *s, int64_t now_ns);
/** May the next request be made? */
bool log_sender_is_free(const struct log_sender *s);
/** Post what is due.  When to come back (monotonic); INT64_MAX: only when there is a
    reply, or more to send. */
int64_t log_sender_post(struct log_sender *s, int64_t now_ns);
