/* live_feed - one vendor's stream: its connection, its session, its ticks
 * (live_parts.h). */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "daemon/live_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_NS (5 * NS_PER_S) /* how often old identities are forgotten */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- what the session says ---- */

static int on_tick(void *arg, const struct feed_tick *t)
{
	struct live_feed *f = arg;
	uint64_t id;

	if (t->rec.type != RECORD_TICK)
		return 0;
	id = known_id(t->symbol, &t->rec);
	f->lag_ns = clock_wall_ns() - t->rec.event_ns;
	if (known_live(f->known, id, t->rec.event_ns))
		f->doubles++;
	else
		live_producer_add(&f->live, t);
	return 0;
}

static int by_symbol(const void *a, const void *b)
{
	return memcmp(a, b, SYMBOL_MAX);
}

/* History and stream need not agree in which order an article names its symbols. */
void live_feed_sorted(const struct hist_article *a, struct hist_article *out)
{
	*out = *a;
	if (out->n_symbols > 0)
		qsort(out->symbols, out->n_symbols, SYMBOL_MAX, by_symbol);
}

void live_feed_article(struct live_feed *f, const struct hist_article *a)
{
	struct hist_article own;

	live_feed_sorted(a, &own);
	news_producer_add(&f->articles, &own);
}

static void on_article(void *arg, const struct hist_article *a)
{
	struct live_feed *f = arg;

	f->lag_ns = clock_wall_ns() - a->updated_ns;
	if (a->updated_ns > f->article_ns)
		f->article_ns = a->updated_ns;
	live_feed_article(f, a);
}

static void on_bad(void *arg, const char *why)
{
	struct live_feed *f = arg;

	log_warn("live", "%s: a message was not understood: %s", f->config->name, why);
}

static void add_counts(struct live_feed *f)
{
	struct stream_counts *t = &f->total, *c = &f->last;

	t->messages += c->messages;
	t->ticks += c->ticks;
	t->articles += c->articles;
	t->bad += c->bad;
	t->ignored += c->ignored;
	*c = (struct stream_counts){0};
}

/* ---- connection ---- */

static void act(struct live_feed *f, enum link_action a);

static void note_state(struct live_feed *f, enum link_state was)
{
	const struct livelink *l = &f->link;

	if (l->state == was)
		return;
	f->since_wall_ns = clock_wall_ns();
	if (l->state == LINK_WAITING || l->state == LINK_FAILED)
		log_warn("live", "%s: %s: %s", f->config->name,
			 livelink_state_name(l->state), l->why);
	else if (l->state == LINK_MUTE)
		log_warn("live",
			 "%s: mute: no data for %lld ms although it is connected",
			 f->config->name, (long long)(l->params.mute_ns / NS_PER_MS));
	else if (l->state == LINK_ON)
		log_info("live", "%s: live, %zu symbols", f->config->name,
			 f->n_symbols);
}

static void begin_flow(struct live_feed *f)
{
	f->is_cut = false;
	ledger_on(f->ledger, clock_wall_ns());
	f->is_ledger_dirty = true;
}

static void apply(struct live_feed *f, enum link_state was, enum link_action a)
{
	/* Who was silent may have dropped what it had to say. */
	if (was == LINK_MUTE && f->link.state == LINK_ON)
		begin_flow(f);
	note_state(f, was);
	act(f, a);
}

static void happen(struct live_feed *f, enum link_event e, const char *why)
{
	enum link_state was = f->link.state;

	apply(f, was, livelink_event(&f->link, e, why, clock_mono_ns()));
}

/* It held the key. */
void live_feed_wipe(struct live_feed *f)
{
	if (f->out.cap > 0)
		explicit_bzero(f->out.data, f->out.cap);
	f->out.len = 0;
}

static void end_session(struct live_feed *f)
{
	if (f->stream != NULL)
		f->ops->close(f->stream);
	f->stream = NULL;
	add_counts(f);
	f->ws = NULL;
	f->is_paused = false;
	live_feed_wipe(f);
	if (ledger_is_on(f->ledger))
		f->is_cut = true;
}

/* Why the session gave up: its problem says whether time will help. */
static void give_up(struct live_feed *f)
{
	struct vendor_problem p = {.verdict = VENDOR_RETRY};
	bool refused;

	f->ops->problem(f->stream, &p);
	refused = p.verdict == VENDOR_AUTH || p.verdict == VENDOR_FORBIDDEN ||
		  p.verdict == VENDOR_REFUSED;
	happen(f, refused ? LINK_EV_REFUSED : LINK_EV_LOST,
	       p.why[0] != '\0' ? p.why : "the vendor ended the session");
}

/* The session's answers: messages ended by NUL, or bytes. */
static int send_out(struct live_feed *f)
{
	const char *at = (const char *)f->out.data;
	size_t left = f->out.len;
	int rc = 0;

	if (!f->ops->is_websocket)
		rc = left > 0 ? ws_send(f->ws, at, left) : 0;
	while (f->ops->is_websocket && left > 0 && rc == 0) {
		size_t n = strnlen(at, left);

		if (n > 0)
			rc = ws_send(f->ws, at, n);
		n += n < left;
		at += n;
		left -= n;
	}
	live_feed_wipe(f);
	return rc;
}

/* Where the session stands now, told to the link; the ledger begins when it flows. */
static void follow(struct live_feed *f)
{
	static const enum link_event events[] = {[STREAM_OPEN] = LINK_EVENTS_N,
						 [STREAM_AUTH] = LINK_EV_AUTHENTICATES,
						 [STREAM_SUBSCRIBING] =
							 LINK_EV_SUBSCRIBES,
						 [STREAM_LIVE] = LINK_EV_FLOWS,
						 [STREAM_ENDED] = LINK_EVENTS_N};
	enum stream_state s = f->ops->state(f->stream);

	if (s == f->stream_state)
		return;
	f->stream_state = s;
	if (s == STREAM_ENDED) {
		give_up(f);
		return;
	}
	if (s == STREAM_LIVE)
		begin_flow(f);
	if (events[s] != LINK_EVENTS_N)
		happen(f, events[s], NULL);
}

static void on_open(void *arg)
{
	struct live_feed *f = arg;
	const struct stream_want want = {.symbols = f->symbols,
					 .n_symbols = f->n_symbols,
					 .trades = f->config->trades,
					 .quotes = f->config->quotes,
					 .news = f->config->news};
	const struct stream_sink sink = {
		.arg = f, .tick = on_tick, .article = on_article, .bad = on_bad};

	happen(f, LINK_EV_CONNECTED, NULL);
	f->stream_state = STREAM_OPEN;
	if (f->ops->open(&f->vendor.settings, &want, &sink, &f->stream) < 0) {
		f->stream = NULL;
		happen(f, LINK_EV_REFUSED, err_text());
	}
}

/* Is this a sign of life?  Ticks are; of a stream with heartbeats every message. */
static bool shows_life(struct live_feed *f)
{
	struct stream_counts was = f->last;

	f->ops->counts(f->stream, &f->last);
	return f->last.ticks != was.ticks || f->last.articles != was.articles ||
	       (!f->ops->is_websocket && f->last.messages != was.messages);
}

static int on_input(void *arg, const char *data, size_t len)
{
	struct live_feed *f = arg;
	int rc;

	if (f->stream == NULL)
		return -1;
	rc = f->ops->input(f->stream, data, len, &f->out);
	if (rc >= 0)
		rc = send_out(f);
	if (shows_life(f))
		happen(f, LINK_EV_DATA, NULL);
	if (rc < 0) {
		if (f->stream != NULL)
			give_up(f);
		return -1;
	}
	follow(f);
	return f->stream == NULL ? -1 : 0;
}

static void on_closed(void *arg, const char *why)
{
	struct live_feed *f = arg;

	f->ws = NULL;
	happen(f, LINK_EV_LOST, why);
}

static void dial(struct live_feed *f)
{
	const struct ws_handler h = {f, on_open, on_input, on_closed};
	const struct ws_target to = {.url = f->url,
				     .plain_allowed = f->vendor.plain_allowed,
				     .refuse = f->vendor.refuse};

	if (f->vendor.why[0] != '\0') {
		happen(f, LINK_EV_REFUSED, f->vendor.why);
	} else if (ws_dial(f->thread->pool, &to, &h, &f->ws) < 0) {
		f->ws = NULL;
		happen(f, LINK_EV_LOST, err_text());
	}
}

static void act(struct live_feed *f, enum link_action a)
{
	switch (a) {
	case LINK_NOTHING:
		break;
	case LINK_DIAL:
		dial(f);
		break;
	case LINK_HANG_UP:
		if (f->ws != NULL)
			ws_hang_up(f->ws);
		end_session(f);
		break;
	}
}

/* ---- what time brings ---- */

/* The market of any of its symbols is open.  Of news silence is no sign. */
static bool is_expected(struct live_feed *f, int64_t wall_ns)
{
	if (f->config->news)
		return false;
	for (size_t i = 0; i < f->n_symbols; i++)
		if (session_holds(&f->sessions[i], wall_ns))
			return true;
	return false;
}

/* What may come twice: the newest, and what lies in or beside a hole. */
struct keep {
	int64_t newest_ns, from_ns, to_ns;
};

static bool is_kept(void *arg, int64_t event_ns)
{
	const struct keep *k = arg;

	return event_ns >= k->newest_ns ||
	       (event_ns >= k->from_ns && event_ns < k->to_ns);
}

static void forget_old(struct live_feed *f, int64_t now_ns)
{
	int64_t margin = f->config->overlap_ns + f->config->refill_delay_ns + KEEP_NS;
	struct keep k = {.newest_ns = ledger_good_ns(f->ledger)};

	if (now_ns - f->kept_ns < KEEP_NS || k.newest_ns == INT64_MIN)
		return;
	f->kept_ns = now_ns;
	k.newest_ns -= margin;
	if (ledger_open_hull(f->ledger, &k.from_ns, &k.to_ns)) {
		k.from_ns -= margin;
		k.to_ns += margin;
	}
	known_keep(f->known, is_kept, &k);
}

/* The newest article that is in the log, when all are. */
static void follow_articles(struct live_feed *f)
{
	int64_t wall = clock_wall_ns();

	if (f->article_ns == INT64_MIN || news_producer_waiting(&f->articles) > 0)
		return;
	/* A time of the future must not make a hole look filled. */
	ledger_good(f->ledger, f->article_ns < wall ? f->article_ns : wall);
}

static void follow_log(struct live_feed *f)
{
	size_t waiting =
		live_producer_waiting(&f->live) + news_producer_waiting(&f->articles);

	follow_articles(f);

	if (known_is_overfull(f->known))
		f->blurred_ns = clock_wall_ns();
	if (f->live.good_ns != INT64_MIN)
		ledger_good(f->ledger, f->live.good_ns);
	if (f->is_cut && waiting == 0) {
		f->is_cut = false;
		ledger_off(f->ledger);
		f->is_ledger_dirty = true;
	}
	if (f->ws != NULL && !f->is_paused && waiting > LIVE_PRODUCER_HIGH) {
		ws_pause(f->ws, true);
		f->is_paused = true;
	} else if (f->ws != NULL && f->is_paused && waiting < LIVE_PRODUCER_LOW) {
		ws_pause(f->ws, false);
		f->is_paused = false;
	}
}

/* Its connection, its stream, its holes. */
static int64_t step_stream(struct live_feed *f, int64_t now_ns)
{
	int64_t due = now_ns + NS_PER_S;
	enum link_state was;

	if (f->link.state == LINK_IDLE && !atomic_load(&f->thread->stop))
		happen(f, LINK_EV_START, NULL);
	was = f->link.state;
	apply(f, was,
	      livelink_expect(&f->link, is_expected(f, clock_wall_ns()), now_ns));
	was = f->link.state;
	apply(f, was, livelink_step(&f->link, now_ns));
	due = earlier(due, f->link.due_ns);
	due = earlier(due, live_producer_step(&f->live, now_ns));
	due = earlier(due, live_producer_step(&f->refilled, now_ns));
	due = earlier(due, news_producer_step(&f->articles, now_ns));
	follow_log(f);
	if (!atomic_load(&f->thread->stop))
		due = earlier(due, live_refill_step(f, now_ns));
	forget_old(f, now_ns);
	return due;
}

/* What a round hands over is sent at once, and what the log took may end it. */
static int64_t step_polled(struct live_feed *f, int64_t now_ns)
{
	int64_t due = now_ns + NS_PER_S;

	due = earlier(due, news_producer_step(&f->articles, now_ns));
	due = earlier(due, live_poll_step(f, now_ns));
	return earlier(due, news_producer_step(&f->articles, now_ns));
}

int64_t live_feed_step(struct live_feed *f, int64_t now_ns)
{
	int64_t due = now_ns + NS_PER_S;

	if (f->past.phase != PAST_READ) {
		live_past_step(f, now_ns);
		return due;
	}
	if (f->past.is_asking)
		live_past_step(f, now_ns);
	due = f->config->is_polled ? step_polled(f, now_ns) : step_stream(f, now_ns);
	live_past_save(f, now_ns, false);
	return due;
}

void live_feed_hang_up(struct live_feed *f, int64_t now_ns)
{
	(void)now_ns;
	if (!f->config->is_polled && f->link.state != LINK_IDLE)
		happen(f, LINK_EV_STOP, NULL);
}

void live_feed_drop(struct live_feed *f)
{
	if (f->config->is_polled) /* it has no connection: it is asked for at once */
		f->poll.due_ns = 0;
	else
		happen(f, LINK_EV_LOST, "closed on purpose: chaos");
}

bool live_feed_is_settled(const struct live_feed *f)
{
	return f->past.phase != PAST_READ ||
	       (!f->is_cut && !f->past.is_asking && !f->is_ledger_dirty);
}

size_t live_feed_symbol(const struct live_feed *f, const char name[SYMBOL_MAX])
{
	size_t low = 0, high = f->n_symbols;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strncmp(f->symbols[mid], name, SYMBOL_MAX);

		if (order == 0)
			return mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return SIZE_MAX;
}
