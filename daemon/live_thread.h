/*
 * live_thread - vendors' streams inside the daemon: one thread, one event loop, a
 * producer per feed.
 *
 *	vendor ─ ws ─ session ─┬─> known ──> producer NAME ────────┐
 *	                       |                                   ├─> STORE (the log)
 *	vendor's history ──────┴─> known ──> producer NAME:refill ─┘
 *	     ^                                       | acknowledged
 *	     └── asks for what is open <── ledger <──┘
 *
 * Nothing of a feed's past is taken for granted (feeds/ledger.h): at a start the
 * ledger is read and the log searched for the ticks of every hole, so that a refill
 * that a crash cut short is made again without doubling anything.  The ledger lies in
 * the log's own database: a restored backup brings back a ledger that knows no more
 * than the log beside it.
 *
 * A feed that fails, is hostile or refused harms no other.  When the log is slower
 * than a stream, the stream is not read.
 */
#pragma once
#include "bus/symtab.h"
#include "daemon/config.h"
#include "daemon/live_board.h"
#include "daemon/store_thread.h"
#include "feeds/fetcher.h"
#include "feeds/stream.h"

struct live_thread;
struct sockaddr;

/** How a feed's vendor is reached; owned by the environment, constant. */
struct live_vendor {
	struct vendor_settings settings;
	const struct stream_ops *stream;  /* NULL: it has none */
	const struct vendor_ops *history; /* NULL: it has none */
	char stream_url[VENDOR_URL_MAX];  /* "wss://stream.data.alpaca.markets" */
	bool plain_allowed;
	/** Addresses that are not dialled (feeds/ws.h); NULL: all are. */
	bool (*refuse)(const struct sockaddr *to, size_t len);
	char ca_file[256];        /* "": the system's */
	char why[VENDOR_WHY_MAX]; /* it cannot be used (its keys), and why; "": it can
				   */
};

struct live_env {
	const struct config *config;  /* borrowed; its feeds and symbols */
	struct store_thread *store;   /* borrowed */
	const struct symtab *symbols; /* borrowed */
	const struct symtab *sources; /* borrowed */
	/** The vendor of that name in the configuration, its stream of ticks or of
	    news: 0 or a negated errno. */
	int (*vendor)(void *arg, const char *name, bool is_news,
		      struct live_vendor *out);
	/**
	 * ANY_THREAD: ask a vendor's history.  @fn is called on whatever thread
	 * fetches, as fetcher.h says; the symbols of @ask live until then.  0 or a
	 * negated errno.
	 */
	int (*ask)(void *arg, const char *vendor, const struct vendor_ask *ask,
		   fetch_fn fn, void *fn_arg);
	void *arg;
};

/** 0, or what is wrong with a feed's vendor, address or keys. */
int live_thread_new(const struct live_env *env, struct live_thread **out);
/** After the store thread and whoever fetches have ended. */
void live_thread_free(struct live_thread *t);
int live_thread_start(struct live_thread *t);
/** Hang up, save the ledgers, join. */
void live_thread_stop(struct live_thread *t);
/** Have the connection of a feed closed; false: there is no such feed. */
ANY_THREAD bool live_thread_drop(struct live_thread *t, const char *feed);
/** Counts its turns, for the watchdog. */
ANY_THREAD uint64_t live_thread_moved(const struct live_thread *t);
/** The newest of each feed. */
ANY_THREAD struct live_board *live_thread_board(struct live_thread *t);
