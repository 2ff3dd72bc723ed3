/* liveworld_parts - the world's inside, for liveworld.c and liveworld_vendor.c alone.
 */
#pragma once
#include "tests/integration/liveworld.h"
#include "tests/integration/tempdir.h"
#include "tests/sim/simclock.h"

#define WORLD_JOBS     64
#define WORLD_MESSAGES 16384

/* ---- the modelled store thread ---- */

struct job {
	store_job_fn fn;
	void *arg;
};

struct store_thread {
	struct world *world;
	struct tickstore *log;
	struct intake *intake;
	struct intake_window window;
	struct symtab *symbols, *sources;
	struct job jobs[WORLD_JOBS];
	size_t n_jobs;
	char dir[TEMPDIR_MAX];
};

/* ---- the modelled network: one connection at a time ---- */

struct message {
	int64_t due_ns;
	char *data;
	size_t len;
};

struct ws {
	struct ws_handler handler;
	bool is_open, is_live, is_paused;
	struct message queue[WORLD_MESSAGES];
	size_t n;
};

struct ws_pool {
	struct ws *ws; /* NULL: none */
};

/* ---- the modelled history ---- */

struct question {
	const struct vendor_ask *ask;
	fetch_fn fn;
	void *arg;
	int64_t due_ns;
	size_t next; /* in the market */
	uint32_t pages;
};

struct whole {
	struct world world; /* first */
	struct store_thread store;
	struct ws_pool *pool; /* the live thread's */
	struct question question;
	bool is_asked;
	int64_t mute_until_ns;
	int64_t history_lag_ns; /* behind the stream */
	bool is_swallowed; /* what the vendor says meanwhile; else it is only late */
	struct config config;
	struct config_feed feed;
	char symbols[WORLD_SYMBOLS][SYMBOL_MAX + 1];
};

extern struct whole *world_now; /* the keepers' functions have no argument for it */
extern const char *const world_names[WORLD_SYMBOLS];
extern const struct stream_ops world_session_ops;
extern const struct vendor_ops world_history_ops;

bool world_chance(struct world *w, uint32_t of_10000);
void world_die(const char *what);
/** A message of the vendor's, on its way. */
void world_say(struct ws *w, const void *data, size_t len);
/** The market ticks, and the stream says so. */
void world_make_tick(struct whole *w);
int world_ask(void *arg, const char *vendor, const struct vendor_ask *ask, fetch_fn fn,
	      void *fn_arg);
void world_history_turn(struct whole *w);
/* liveworld_news.c */
extern const struct vendor_ops world_news_ops;
void world_make_article(struct whole *w);
void world_news_page(struct whole *w, struct vendor_page *out);
