/*
 * feed_thread - the one thread that asks vendors: an HTTP pool, and a fetcher for each
 * vendor of the configuration.
 *
 *	feed_thread_ask(vendor, ask, fn) ──> mailbox ──> fetcher <──> http
 *	                     fn(page), fn(page), fn(done) <──┘
 *
 * Whoever asks gets its pages by a function that runs on this thread: it copies what
 * it needs, hands it to its own thread and returns.  An asker that cannot take more
 * says so by is_full(): then nothing new is sent, to anybody, until it can; at most
 * the answers in flight still come.
 *
 * Not started when no vendor is configured.  A vendor whose keys cannot be read is
 * said at the start and refuses every question with that sentence; the others work.
 */
#pragma once
#include "base/role.h"
#include "daemon/config.h"
#include "feeds/fetcher.h"
#include <stdbool.h>
#include <stdint.h>

struct feed_thread;

struct feed_env {
	const struct config *config; /* borrowed; vendors, fetch, credentials */
	/** ON_FEED, may be NULL: pages that were handed over have not been taken. */
	bool (*is_full)(void *arg);
	void *arg;
};

/** 0, or out of memory, or what is wrong with fetch.ca_file. */
int feed_thread_new(const struct feed_env *env, struct feed_thread **out);
void feed_thread_free(struct feed_thread *f);
int feed_thread_start(struct feed_thread *f);
/** Cancel what is open (each asker is told: FETCH_FAILED), join. */
void feed_thread_stop(struct feed_thread *f);

/**
 * Ask @vendor (its name in the configuration).  @fn is called ON_FEED as fetcher.h
 * says: pages, then once FETCH_DONE or FETCH_FAILED (also after a cancel, and at the
 * end of the thread); after a page that it did not return 0 for, never again.  @ask is
 * copied, its symbols live until then.
 * 0 and an id; -ENOENT: no such vendor; -EACCES: its keys; -EINVAL: it cannot be asked
 * this; -EAGAIN: too many questions wait.  Then @fn is not called.
 */
ANY_THREAD int feed_thread_ask(struct feed_thread *f, const char *vendor,
			       const struct vendor_ask *ask, fetch_fn fn, void *arg,
			       uint64_t *out_id);
/** @fn hears of it as of a failure, unless it was over already. */
ANY_THREAD void feed_thread_cancel(struct feed_thread *f, uint64_t id);
/** Look again: is_full() may have changed. */
ANY_THREAD void feed_thread_wake(struct feed_thread *f);

/** How a vendor is reached, its keys included (borrowed, until feed_thread_free()). */
struct feed_vendor {
	const struct config_vendor *config;
	const struct vendor_ops *ops;
	struct vendor_settings settings;
	char why[VENDOR_WHY_MAX]; /* it cannot be asked, and why; "": it can */
};
/** By name, or by number from 0; NULL: there is none.  Constant. */
ANY_THREAD const struct feed_vendor *feed_thread_vendor(const struct feed_thread *f,
							const char *name);
ANY_THREAD const struct feed_vendor *feed_thread_vendor_at(const struct feed_thread *f,
							   size_t i);
/** Counters of vendor @i as of the last turn. */
ANY_THREAD void feed_thread_counts(struct feed_thread *f, size_t i,
				   struct fetch_counts *out);
ANY_THREAD uint64_t feed_thread_moved(const struct feed_thread *f);
