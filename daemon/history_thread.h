/*
 * history_thread - the one thread that owns history.db and the jobs.
 *
 *	loop ── history_ask() ──> mailbox ─┐
 *	FEED ── pages of vendors ─────────>┴─> HISTORY: run them, step the jobs, commit
 *
 * One turn: take letters until enough are there or the box is empty, begin items,
 * commit, answer.  So pages that come together share a transaction.  FEED is held (its
 * is_full) while pages are waiting here, so memory is bounded whatever the range.
 *
 * When a write fails, the transaction is gone, the jobs begin again from what is
 * stored, after a while; nothing else of the daemon hears of it.
 */
#pragma once
#include "base/role.h"
#include "daemon/config.h"
#include "daemon/feed_thread.h"
#include "daemon/jobs.h"
#include "store/histstore.h"

struct history_thread;

/** -EBADMSG: history.db is damaged; the daemon goes on without. */
int history_thread_new(const struct config *config, struct history_thread **out);
/** Who fetches; before the start, borrowed. */
void history_thread_feed(struct history_thread *t, struct feed_thread *feed);
/** Stop first.  Closes the database. */
void history_thread_free(struct history_thread *t);
int history_thread_start(struct history_thread *t);
/** Begin nothing any more, and take no end of a question for one: FEED is going to
    stop.  Pages are still stored; the next start goes on from them. */
ANY_THREAD void history_thread_quiesce(struct history_thread *t);
/** Run what is in the box, commit, join.  Stop FEED before. */
void history_thread_stop(struct history_thread *t);

/** Runs there; < 0 with err_text(): what it wrote is undone, and so are the jobs. */
typedef int (*history_fn)(struct history_thread *t, void *arg);
/** Called there when what @fn did is durable; @rc is what became of it. */
typedef void (*history_done_fn)(void *arg, int rc);
/** 0, or MAILBOX_FULL and neither is called. */
ANY_THREAD int history_ask(struct history_thread *t, history_fn fn,
			   history_done_fn done, void *arg);

/** For a letter that wants the database outside of a transaction: @fn is called once,
    behind this turn's commit and before its answers; not when the turn failed. */
ON_HISTORY void history_after(struct history_thread *t,
			      void (*fn)(struct history_thread *t, void *arg),
			      void *arg);

ON_HISTORY struct histstore *history_store(struct history_thread *t);
ON_HISTORY struct jobs *history_jobs(struct history_thread *t);
ON_HISTORY const struct config *history_config(struct history_thread *t);

/** Pages that wait are too many: for feed_env.is_full. */
ANY_THREAD bool history_is_full(void *thread);
/** Symbols at once, by the configuration and the cores. */
ANY_THREAD uint32_t history_workers(const struct config *config);
/** histjobs_version() of its store. */
ANY_THREAD uint64_t history_jobs_version(const struct history_thread *t);
ANY_THREAD uint64_t history_moved(const struct history_thread *t);
