/* liveworld_vendor - the market, the vendor's stream and its history (liveworld.h). */
#include "tests/integration/liveworld_parts.h"
#include <stdlib.h>
#include <string.h>

#define PAGE 40

/* ---- the vendor's stream, as our side understands it ---- */

struct stream {
	struct stream_sink sink;
	enum stream_state state;
	struct stream_counts counts;
};

static int session_open(const struct vendor_settings *s, const struct stream_want *want,
			const struct stream_sink *sink, struct stream **out)
{
	(void)s;
	(void)want;
	*out = calloc(1, sizeof(**out));
	(*out)->sink = *sink;
	return 0;
}

static void session_close(struct stream *st)
{
	free(st);
}

static int session_input(struct stream *st, const char *data, size_t len,
			 struct buf *out)
{
	struct feed_tick t;

	st->counts.messages++;
	if (len == sizeof(t)) {
		memcpy(&t, data, sizeof(t));
		st->counts.ticks++;
		return st->sink.tick(st->sink.arg, &t);
	}
	if (len == 5) {
		buf_add(out, "auth", 5);
		st->state = STREAM_AUTH;
	} else if (memcmp(data, "ok", 2) == 0) {
		buf_add(out, "sub", 4);
		st->state = STREAM_SUBSCRIBING;
	} else if (memcmp(data, "no", 2) == 0) {
		st->state = STREAM_ENDED;
	} else {
		st->state = STREAM_LIVE;
		if (world_now->world.first_on_ns == 0)
			world_now->world.first_on_ns = clock_wall_ns();
	}
	return 0;
}

static enum stream_state session_state(const struct stream *st)
{
	return st->state;
}

static void session_problem(const struct stream *st, struct vendor_problem *out)
{
	(void)st;
	*out = (struct vendor_problem){.verdict = VENDOR_AUTH, .why = "no such key"};
}

static void session_counts(const struct stream *st, struct stream_counts *out)
{
	*out = st->counts;
}

const struct stream_ops world_session_ops = {.name = "fake",
					     .is_websocket = true,
					     .path = "",
					     .open = session_open,
					     .close = session_close,
					     .input = session_input,
					     .state = session_state,
					     .problem = session_problem,
					     .counts = session_counts};
const struct vendor_ops world_history_ops = {.name = "fake",
					     .can = 1u << VENDOR_TRADES |
						    1u << VENDOR_QUOTES,
					     .symbols_max = 3};

/* ---- market and history ---- */

static struct feed_tick tick_of(const struct world_tick *m)
{
	struct feed_tick t = {.rec = {.type = RECORD_TICK,
				      .event_ns = m->event_ns,
				      .price_e9 = VALUE_NULL,
				      .size_e8 = VALUE_NULL,
				      .bid_e9 = VALUE_NULL,
				      .ask_e9 = VALUE_NULL,
				      .bid_size_e8 = VALUE_NULL,
				      .ask_size_e8 = VALUE_NULL,
				      .source_seq = m->seq}};

	memcpy(t.symbol, world_names[m->symbol], strlen(world_names[m->symbol]));
	if (m->is_trade) {
		t.rec.price_e9 = 100 * NS_PER_S;
		t.rec.size_e8 = 100000000;
	} else {
		t.rec.bid_e9 = 99 * NS_PER_S;
		t.rec.ask_e9 = 101 * NS_PER_S;
	}
	return t;
}

static void stream_tick(struct whole *w, const struct world_tick *m)
{
	struct ws *ws = w->pool != NULL ? w->pool->ws : NULL;
	struct feed_tick t = tick_of(m);

	bool is_mute = w->is_swallowed && clock_wall_ns() < w->mute_until_ns;

	if (ws != NULL && ws->is_live && !is_mute)
		world_say(ws, &t, sizeof(t));
}

void world_make_tick(struct whole *w)
{
	struct world *o = &w->world;
	struct world_tick *m = &o->market[o->n_market];
	bool again = o->n_market > 0 && world_chance(o, 300);

	if (o->n_market == WORLD_TICKS)
		return;
	if (again) /* a quote that is repeated, the same in all */
		*m = m[-1];
	else
		*m = (struct world_tick){
			.symbol = rng_below(&o->rng, WORLD_SYMBOLS - 1),
			.is_trade = !w->feed.quotes || world_chance(o, 5000),
			.event_ns = clock_wall_ns() + o->skew_ns -
				    rng_below(&o->rng, 1000) * NS_PER_MS,
			.seq = 1 + o->n_market};
	o->n_market++;
	stream_tick(w, m);
}

int world_ask(void *arg, const char *vendor, const struct vendor_ask *ask, fetch_fn fn,
	      void *fn_arg)
{
	struct whole *w = arg;

	(void)vendor;
	if (w->is_asked)
		world_die("two questions at once");
	w->question = (struct question){
		.ask = ask,
		.fn = fn,
		.arg = fn_arg,
		.due_ns = clock_wall_ns() + rng_below(&w->world.rng, 300) * NS_PER_MS};
	w->is_asked = true;
	return 0;
}

static bool is_asked_for(const struct vendor_ask *a, const struct world_tick *m)
{
	bool found = false;

	for (size_t i = 0; i < a->n_symbols; i++)
		found |= strcmp(a->symbols[i], world_names[m->symbol]) == 0;
	return found && m->is_trade == (a->what == VENDOR_TRADES) &&
	       m->event_ns >= a->start_ns && m->event_ns < a->end_ns &&
	       m->event_ns < clock_wall_ns() + world_now->world.skew_ns -
				     world_now->history_lag_ns;
}

void world_history_turn(struct whole *w)
{
	struct question *q = &w->question;
	struct fetch_news n = {.ask = q->ask};
	struct vendor_page page = {0};
	size_t last;
	bool is_full = false;

	if (!w->is_asked || clock_wall_ns() < q->due_ns)
		return;
	last = w->world.n_market;
	if (q->ask->what == VENDOR_NEWS) {
		last = w->world.n_articles;
		world_news_page(w, &page);
	}
	for (; q->next < w->world.n_market && !is_full; q->next++) {
		struct feed_tick t = tick_of(&w->world.market[q->next]);

		if (!is_asked_for(q->ask, &w->world.market[q->next]))
			continue;
		buf_add(&page.ticks, &t, sizeof(t));
		is_full = page.ticks.len == PAGE * sizeof(t);
	}
	q->due_ns = clock_wall_ns() + 20 * NS_PER_MS;
	n.page = &page;
	n.state = FETCH_PAGE;
	n.pages = ++q->pages;
	if (world_chance(&w->world, w->world.page_fails))
		n.state = FETCH_FAILED;
	n.problem.verdict = world_chance(&w->world, w->world.forbidden)
				    ? VENDOR_FORBIDDEN
				    : VENDOR_RETRY;
	w->is_asked = n.state == FETCH_PAGE;
	if (w->is_asked && q->fn(q->arg, &n) != 0)
		w->is_asked = false;
	if (n.state == FETCH_FAILED)
		(void)q->fn(q->arg, &n);
	if (w->is_asked && q->next >= last) {
		w->is_asked = false;
		n.state = FETCH_DONE;
		(void)q->fn(q->arg, &n);
	}
	buf_free(&page.ticks);
	buf_free(&page.articles);
}
