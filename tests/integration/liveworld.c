/* liveworld - see liveworld.h; the vendor is liveworld_vendor.c. */
#include "base/err.h"
#include "tests/integration/liveworld_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct whole *world_now;
const char *const world_names[WORLD_SYMBOLS] = {"AAPL", "BRK.B", "MSFT", "TSLA"};

bool world_chance(struct world *w, uint32_t of_10000)
{
	return rng_below(&w->rng, 10000) < of_10000;
}

void world_die(const char *what)
{
	fprintf(stderr, "liveworld: %s: %s\n", what, err_text());
	abort();
}

int store_post(struct store_thread *st, store_job_fn fn, void *arg)
{
	if (st->n_jobs == WORLD_JOBS || world_chance(st->world, st->world->full))
		return MAILBOX_FULL;
	st->jobs[st->n_jobs++] = (struct job){fn, arg};
	return 0;
}

struct tickstore *store_log(struct store_thread *st)
{
	return st->log;
}

struct intake *store_intake(struct store_thread *st)
{
	return st->intake;
}

static void store_turn(struct store_thread *st)
{
	struct job jobs[WORLD_JOBS];
	size_t n = st->n_jobs;

	memcpy(jobs, st->jobs, sizeof(jobs));
	st->n_jobs = 0;
	for (size_t i = 0; i < n; i++)
		jobs[i].fn(st, jobs[i].arg);
	if (intake_pending(st->intake) > 0 && intake_commit(st->intake) < 0)
		world_die("commit");
}

static void store_open(struct store_thread *st)
{
	const struct store_params p = {.dir = st->dir,
				       .durability = DURABILITY_NORMAL,
				       .sync_interval_ns = 3600 * NS_PER_S,
				       .segment_max = 64,
				       .ballast_bytes = 1};
	struct intake_env env = {.window = &st->window, .clock_wall = true};

	if (symtab_new(64, 0, &st->symbols) < 0 || symtab_new(64, 1, &st->sources) < 0)
		world_die("tables");
	const struct store_names symbols = {st->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {st->sources, symtab_add, symtab_name,
					    symtab_count, 1};
	if (tickstore_open(&p, &symbols, &sources, clock_wall_ns(), &st->log) < 0)
		world_die("open");
	env.store = st->log;
	env.symbols = st->symbols;
	env.sources = st->sources;
	atomic_store(&st->window.too_old_ns, 20 * NS_PER_S);
	atomic_store(&st->window.future_ns, 10 * NS_PER_S);
	if (intake_new(&env, &st->intake) < 0)
		world_die("intake");
}

static void store_close(struct store_thread *st)
{
	st->n_jobs = 0;
	tickstore_abort(st->log);
	intake_free(st->intake);
	(void)tickstore_close(st->log);
	symtab_free(st->symbols);
	symtab_free(st->sources);
}

/* ---- ws.h ---- */

int ws_pool_new(const struct ws_params *p, struct ws_pool **out)
{
	(void)p;
	*out = calloc(1, sizeof(**out));
	world_now->pool = *out;
	return 0;
}

static void ws_drop(struct ws_pool *p)
{
	for (size_t i = 0; p->ws != NULL && i < p->ws->n; i++)
		free(p->ws->queue[i].data);
	free(p->ws);
	p->ws = NULL;
}

void ws_pool_free(struct ws_pool *p)
{
	if (p == NULL)
		return;
	ws_drop(p);
	free(p);
	world_now->pool = NULL;
}

int ws_check_url(const char *url, bool plain_allowed)
{
	(void)url;
	(void)plain_allowed;
	return 0;
}

void world_say(struct ws *w, const void *data, size_t len)
{
	struct message *m = &w->queue[w->n];
	int64_t due =
		clock_wall_ns() + rng_below(&world_now->world.rng, 50) * NS_PER_MS;

	if (w->n == WORLD_MESSAGES)
		world_die("too many messages");
	if (w->n > 0 && due < w->queue[w->n - 1].due_ns)
		due = w->queue[w->n - 1].due_ns;
	m->data = malloc(len);
	memcpy(m->data, data, len);
	m->len = len;
	m->due_ns = due;
	w->n++;
}

int ws_dial(struct ws_pool *p, const struct ws_target *to, const struct ws_handler *h,
	    struct ws **out)
{
	(void)to;
	if (p->ws != NULL)
		world_die("a second connection");
	p->ws = calloc(1, sizeof(*p->ws));
	p->ws->handler = *h;
	*out = p->ws;
	world_now->world.dials++;
	return 0;
}

/* The vendor hears it at once. */
int ws_send(struct ws *w, const void *data, size_t len)
{
	if (len == 4 && memcmp(data, "auth", 4) == 0)
		world_say(w,
			  world_chance(&world_now->world, world_now->world.refused)
				  ? "no"
				  : "ok",
			  2);
	if (len == 3 && memcmp(data, "sub", 3) == 0) {
		world_say(w, "live", 4);
		w->is_live = true;
	}
	return 0;
}

void ws_hang_up(struct ws *w)
{
	if (world_now->pool->ws != w)
		world_die("hung up twice");
	ws_drop(world_now->pool);
}

void ws_pause(struct ws *w, bool on)
{
	w->is_paused = on;
}

void ws_wake(struct ws_pool *p)
{
	(void)p;
}

static void deliver(struct ws_pool *p)
{
	if (clock_wall_ns() < world_now->mute_until_ns)
		return;
	while (p->ws != NULL && p->ws->n > 0 && !p->ws->is_paused &&
	       p->ws->queue[0].due_ns <= clock_wall_ns()) {
		struct ws *w = p->ws;
		struct message m = w->queue[0];

		w->n--;
		memmove(w->queue, w->queue + 1, w->n * sizeof(m));
		(void)w->handler.input(w->handler.arg, m.data, m.len);
		free(m.data);
	}
}

void ws_step(struct ws_pool *p, int64_t timeout_ns)
{
	(void)timeout_ns;
	if (p->ws != NULL && !p->ws->is_open) {
		p->ws->is_open = true;
		p->ws->handler.open(p->ws->handler.arg);
		if (p->ws != NULL)
			world_say(p->ws, "hello", 5);
	}
	deliver(p);
}

static void cut(struct whole *w)
{
	struct ws *ws = w->pool->ws;
	struct ws_handler h;

	if (ws == NULL)
		return;
	h = ws->handler;
	ws_drop(w->pool);
	w->world.cuts++;
	h.closed(h.arg, "cut");
}

/* ---- the world ---- */

static int world_vendor(void *arg, const char *name, bool is_news,
			struct live_vendor *out)
{
	(void)is_news;
	(void)arg;
	(void)name;
	*out = (struct live_vendor){.stream = &world_session_ops,
				    .history = &world_history_ops};
	if (world_now->feed.is_polled)
		*out = (struct live_vendor){.history = &world_news_ops};
	return 0;
}

static void start(struct whole *w)
{
	const struct live_env env = {.config = &w->config,
				     .store = &w->store,
				     .symbols = w->store.symbols,
				     .sources = w->store.sources,
				     .vendor = world_vendor,
				     .ask = world_ask,
				     .arg = w};

	if (live_thread_new(&env, &w->world.live) < 0)
		world_die("live_thread_new");
}

static void set_polled(struct whole *w)
{
	struct config_feed *f = &w->feed;

	f->trades = f->quotes = false;
	f->news = f->is_polled = true;
	f->every_ns = 2 * NS_PER_S;
	f->look_back_ns = 60 * NS_PER_S;
	f->overlap_ns = 4 * NS_PER_S;
	f->refill_delay_ns = 0;
}

static struct world *make(uint64_t seed, bool quotes, bool is_polled)
{
	struct whole *w = calloc(1, sizeof(*w));

	world_now = w;
	simclock_set(SIMCLOCK_START);
	rng_seed(&w->world.rng, seed);
	tempdir_new(w->store.dir);
	w->store.world = &w->world;
	params_default(&w->config.derive);
	w->feed = (struct config_feed){.name = "feed",
				       .vendor = "fake",
				       .source = "src",
				       .trades = true,
				       .quotes = quotes,
				       .refill = true,
				       .mute_ns = 2 * NS_PER_S,
				       .overlap_ns = 3 * NS_PER_S,
				       .refill_delay_ns = 3 * NS_PER_S,
				       .refill_window_ns = 10 * NS_PER_S,
				       .give_up_ns = 86400 * NS_PER_S,
				       .symbols = w->symbols,
				       .n_symbols = WORLD_SYMBOLS};
	w->history_lag_ns = 2 * NS_PER_S;
	if (seed % 2 == 1) {
		w->history_lag_ns = 0;
		w->feed.refill_delay_ns = 0;
		w->feed.mute_ns = 4 * NS_PER_S;
	}
	w->world.skew_ns = ((int64_t)rng_below(&w->world.rng, 1600) - 800) * NS_PER_MS;
	for (size_t i = 0; i < WORLD_SYMBOLS; i++)
		(void)snprintf(w->symbols[i], SYMBOL_MAX + 1, "%s", world_names[i]);
	w->config.feeds = &w->feed;
	w->config.n_feeds = 1;
	if (is_polled)
		set_polled(w);
	store_open(&w->store);
	start(w);
	return &w->world;
}

struct world *world_new(uint64_t seed, bool quotes)
{
	return make(seed, quotes, false);
}

struct world *world_new_polled(uint64_t seed)
{
	return make(seed, false, true);
}

void world_free(struct world *o)
{
	struct whole *w = (struct whole *)o;

	live_thread_free(o->live);
	store_close(&w->store);
	params_deinit(&w->config.derive);
	tempdir_remove(w->store.dir);
	free(w);
}

void world_crash(struct world *o)
{
	struct whole *w = (struct whole *)o;

	live_thread_free(o->live);
	w->is_asked = false;
	store_close(&w->store);
	store_open(&w->store);
	start(w);
	o->crashes++;
}

void world_mute(struct world *o, int64_t ns)
{
	struct whole *w = (struct whole *)o;

	if (clock_wall_ns() < w->mute_until_ns)
		return;
	w->mute_until_ns = clock_wall_ns() + ns;
	/* What is swallowed for less than mute_ns nobody can notice. */
	w->is_swallowed = ns > w->feed.mute_ns + NS_PER_S && rng_below(&o->rng, 2) == 0;
	o->holes++;
}

void world_heal(struct world *o)
{
	o->cut = o->hole = o->crash = o->page_fails = o->forbidden = o->full = 0;
	o->refused = 0;
}

void world_step(struct world *o, bool trades)
{
	struct whole *w = (struct whole *)o;

	simclock_advance((1 + rng_below(&o->rng, 20)) * NS_PER_MS);
	if (w->feed.is_polled) {
		if (trades && world_chance(o, 300))
			world_make_article(w);
		trades = false;
	}
	if (trades && o->is_slow && world_chance(o, 200))
		world_make_tick(w);
	for (uint32_t n = rng_below(&o->rng, 3); trades && !o->is_slow && n > 0; n--)
		world_make_tick(w);
	if (world_chance(o, o->cut))
		cut(w);
	if (world_chance(o, o->hole))
		world_mute(o, rng_below(&o->rng, 8000) * NS_PER_MS);
	if (world_chance(o, o->crash))
		world_crash(o);
	live_thread_step(o->live);
	if (world_chance(o, 7000))
		store_turn(&w->store);
	world_history_turn(w);
}

void world_count(struct world *o, uint32_t counts[WORLD_TICKS])
{
	struct store_thread *st = &((struct whole *)o)->store;
	const struct record *recs;
	uint64_t pos = 1;
	uint32_t n;

	memset(counts, 0, WORLD_TICKS * sizeof(counts[0]));
	while (tickstore_peek(st->log, pos, &pos, &recs, &n) == 0) {
		for (uint32_t i = 0; i < n; i++) {
			const struct record *r = &recs[i];
			uint64_t k = r->source_seq - 1;

			if (r->type != RECORD_TICK)
				continue;
			if (k >= o->n_market ||
			    strcmp(symtab_name(st->symbols, r->symbol_id),
				   world_names[o->market[k].symbol]) != 0)
				world_die("a tick that is not the market's");
			counts[k]++;
		}
		pos += n;
	}
}

struct live_feed *world_feed(struct world *o)
{
	return &o->live->feeds[0];
}

const char *world_symbol(size_t i)
{
	return world_names[i];
}
