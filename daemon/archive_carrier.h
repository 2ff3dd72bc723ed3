/*
 * archive_carrier - the process tickbus-archive and the thread that speaks to it.
 *
 * Questions wait in a queue, bounded in number and bytes; the thread puts one after the
 * other to the helper, which it starts when there is something to say.  When the helper
 * dies, hangs (no answer within answer_ns) or says what is no frame, it is ended, its
 * question is answered by nothing, and it is started again, at most once a second.
 * Its memory, its threads and its crashes are its own.
 */
#pragma once
#include "daemon/archive_ask.h"
#include <stdbool.h>

#define ARCHIVE_QUESTIONS_MAX 256
#define ARCHIVE_BYTES_MAX     (256u << 20) /* of questions that wait */

#define CARRIER_WHY_MAX 200

struct archive_carrier;

struct archive_carrier_options {
	const char *program; /* a path, or a name to be looked for in PATH */
	const char *dir;
	uint64_t memory_bytes;
	unsigned threads;
	int64_t answer_ns; /* 0: two minutes */
};

struct archive_carrier_status {
	bool is_running;
	int pid; /* 0: none */
	uint64_t starts;
	uint64_t deaths; /* that nobody asked for */
	uint64_t questions;
	uint64_t waiting;
	char why[CARRIER_WHY_MAX]; /* "", or why it is not running */
};

/** Copies the options.  Nothing is started yet. */
int archive_carrier_new(const struct archive_carrier_options *o,
			struct archive_carrier **out);
int archive_carrier_start(struct archive_carrier *h);
/** Ends the process and the thread; whoever still waits is answered by nothing. */
void archive_carrier_stop(struct archive_carrier *h);
void archive_carrier_free(struct archive_carrier *h); /* NULL is fine */
/** struct archive_asker's; @to is the helper. */
ANY_THREAD int archive_carrier_ask(void *to, const char *doc, size_t doc_len,
				   const void *bulk, size_t bulk_len,
				   archive_reply_fn fn, void *arg);
ANY_THREAD void archive_carrier_status(struct archive_carrier *h,
				       struct archive_carrier_status *out);
