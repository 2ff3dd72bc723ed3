/*
 * store_access - how somebody who is not the store thread reads the store: a bounded
 * piece of work at a time, run where the store may be touched.
 *
 *	store_access_start()  hands the piece over; the caller may do something else
 *	store_access_wait()   its result
 *
 * Of a running daemon the pieces go through the store thread's mailbox, in order; of
 * an opened store they run at once.
 */
#pragma once
#include "store/tickstore.h"
#include <pthread.h>
#include <stdbool.h>

/** Runs where the store may be touched; < 0 with err_text() is carried over. */
typedef int (*store_piece_fn)(struct tickstore *ts, void *arg);

struct store_piece;

struct store_access {
	struct tickstore
		*store; /* borrowed; ours alone.  NULL: others have it, then: */
	/** See to it that store_piece_run() is called with it; false: not now. */
	bool (*post)(void *to, struct store_piece *p);
	void *to;
};

/** One piece under way; the caller's memory until store_access_wait() returns. */
struct store_piece {
	const struct store_access *access;
	store_piece_fn fn;
	void *arg;
	int rc;
	char text[512];
	pthread_mutex_t lock; /* guards is_done */
	pthread_cond_t done;
	bool is_done;
};

void store_access_start(const struct store_access *a, struct store_piece *p,
			store_piece_fn fn, void *arg);
/** What @fn returned; when < 0, its sentence is this thread's err_text(). */
int store_access_wait(struct store_piece *p);
/** What is posted ends here, once, where the store may be touched. */
void store_piece_run(struct store_piece *p, struct tickstore *ts);
/**
 * Into @out, which is emptied first, the text of the article at @pos.  0; STORE_NONE; <
 * 0.
 */
struct buf;
int store_access_article(const struct store_access *a, uint64_t pos, struct buf *out);
/** Both at once. */
int store_access_run(const struct store_access *a, store_piece_fn fn, void *arg);
