/* live_thread - see live_thread.h; a feed's inside is live_feed.c and its like. */
#include "daemon/live_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/live_parts.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NEWS_SLOTS 1024
#define TELL_NS    (250 * NS_PER_MS)
#define END_NS     (3 * NS_PER_S) /* for the last ticks and the ledgers at the end */

void live_wake(void *arg)
{
	struct live_thread *t = arg;

	ws_wake(t->pool);
}

/* Of libwebsockets: at these levels it prints neither payload nor headers. */
static void on_lws_log(int level, const char *line)
{
	int n = (int)strcspn(line, "\n");

	(void)level;
	log_info("lws", "%.*s", n, line);
}

/* Of a feed that is polled all is good up to the oldest hole. */
static int64_t good_of(const struct live_feed *f)
{
	int64_t from_ns, to_ns;

	if (f->config->is_polled && ledger_open_hull(f->ledger, &from_ns, &to_ns))
		return from_ns;
	return ledger_good_ns(f->ledger);
}

static void fill_status(struct live_feed *f, struct live_status *s)
{
	size_t n;

	*s = (struct live_status){
		.state = f->link.state,
		.since_ns = f->since_wall_ns,
		.is_expected = f->link.is_expected,
		.is_blind = f->link.is_expected && f->link.state != LINK_ON,
		.is_paused = f->is_paused,
		.link = f->link.counts,
		.stream = f->total,
		.good_ns = good_of(f),
		.lag_ns = f->lag_ns,
		.symbols = f->n_symbols,
		.accepted = f->live.accepted + f->articles.counts.accepted,
		.refused = f->live.refused + f->refilled.refused +
			   f->articles.counts.refused,
		.waiting = live_producer_waiting(&f->live) +
			   live_producer_waiting(&f->refilled) +
			   news_producer_waiting(&f->articles),
		.refilled = f->refilled.accepted,
		.doubles = f->doubles + f->articles.counts.duplicate,
		.refills = f->refills,
		.refills_failed = f->refills_failed,
		.is_polled = f->config->is_polled,
		.polls = f->poll.polls,
		.shortened = f->poll.shortened,
		.nameless = f->poll.nameless};
	s->stream.messages += f->last.messages;
	s->stream.ticks += f->last.ticks;
	s->stream.bad += f->last.bad;
	s->stream.ignored += f->last.ignored;
	memcpy(s->name, f->config->name, sizeof(s->name));
	memcpy(s->vendor, f->config->vendor, sizeof(s->vendor));
	memcpy(s->source, f->config->source, sizeof(s->source));
	memcpy(s->why, f->link.why, sizeof(s->why));
	for (size_t i = 0; i < f->n_symbols; i++) {
		const struct ledger_span *v = ledger_spans(f->ledger, i, &n);

		for (size_t k = 0; k < n; k++) {
			s->open += v[k].kind == LEDGER_OPEN;
			s->lost += v[k].kind == LEDGER_LOST;
		}
	}
}

static void tell(struct live_thread *t, int64_t now_ns, bool at_once)
{
	for (size_t i = 0; i < t->n; i++) {
		struct live_feed *f = &t->feeds[i];
		struct buf ledger = {0};
		struct live_status s;

		if (!at_once && now_ns - f->told_ns < TELL_NS)
			continue;
		f->told_ns = now_ns;
		fill_status(f, &s);
		ledger_save(f->ledger, &ledger);
		live_board_put(t->board, i, &s, &ledger);
		buf_free(&ledger);
	}
}

void live_thread_step(struct live_thread *t)
{
	int64_t now = clock_mono_ns(), due = now + TELL_NS;
	size_t drop;

	atomic_fetch_add_explicit(&t->moved, 1, memory_order_relaxed);
	live_refill_news(t);
	drop = atomic_exchange(&t->drop, 0);
	if (drop > 0)
		live_feed_drop(&t->feeds[drop - 1]);
	for (size_t i = 0; i < t->n; i++) {
		int64_t d = live_feed_step(&t->feeds[i], now);

		if (d < due)
			due = d;
	}
	tell(t, now, false);
	now = clock_mono_ns();
	ws_step(t->pool, due > now ? due - now : 0);
}

static bool is_settled(struct live_thread *t)
{
	bool settled = true;

	for (size_t i = 0; i < t->n; i++) {
		live_past_save(&t->feeds[i], clock_mono_ns(), true);
		settled = settled && live_feed_is_settled(&t->feeds[i]);
	}
	return settled;
}

static void *body(void *arg)
{
	struct live_thread *t = arg;
	int64_t end;

	while (!atomic_load(&t->stop))
		live_thread_step(t);
	end = clock_mono_ns() + END_NS;
	for (size_t i = 0; i < t->n; i++)
		live_feed_hang_up(&t->feeds[i], clock_mono_ns());
	while (!is_settled(t) && clock_mono_ns() < end)
		live_thread_step(t);
	tell(t, clock_mono_ns(), true);
	return NULL;
}

static int make_pool(struct live_thread *t)
{
	struct ws_params p = {.log = on_lws_log};

	for (size_t i = 0; i < t->n; i++) {
		const char *ca = t->feeds[i].vendor.ca_file;

		if (ca[0] == '\0')
			continue;
		if (p.ca_file != NULL && strcmp(p.ca_file, ca) != 0)
			return err_set(-EINVAL,
				       "feeds.%s: one CA file must do for all vendors' "
				       "streams: %s or %s",
				       t->feeds[i].config->name, p.ca_file, ca);
		p.ca_file = ca;
	}
	return ws_pool_new(&p, &t->pool);
}

int live_thread_new(const struct live_env *env, struct live_thread **out)
{
	struct live_thread *t = calloc(1, sizeof(*t));
	size_t n = env->config->n_feeds;
	int rc = 0;

	if (t != NULL)
		t->feeds = calloc(n + 1, sizeof(*t->feeds));
	if (t == NULL || t->feeds == NULL) {
		free(t);
		return err_set(-ENOMEM, "out of memory for live feeds");
	}
	t->env = *env;
	for (size_t i = 0; i < n && rc == 0; i++) {
		t->n = i + 1;
		rc = live_feed_init(&t->feeds[i], t, i);
	}
	if (rc == 0)
		rc = make_pool(t);
	if (rc == 0)
		rc = mailbox_new(NEWS_SLOTS, sizeof(struct refill_news), live_wake, t,
				 &t->news);
	if (rc == 0)
		rc = live_board_new(n, &t->board);
	if (rc < 0) {
		live_thread_free(t);
		return rc;
	}
	tell(t, clock_mono_ns(), true);
	*out = t;
	return 0;
}

void live_thread_free(struct live_thread *t)
{
	struct refill_news n;

	if (t == NULL)
		return;
	while (t->news != NULL && mailbox_take(t->news, &n) == 0)
		buf_free(&n.rows);
	live_refill_free_all(t);
	for (size_t i = 0; i < t->n; i++)
		live_feed_deinit(&t->feeds[i]);
	ws_pool_free(t->pool);
	mailbox_free(t->news);
	live_board_free(t->board);
	free(t->feeds);
	free(t);
}

int live_thread_start(struct live_thread *t)
{
	int rc = pthread_create(&t->thread, NULL, body, t);

	if (rc != 0)
		return err_set(-rc, "cannot start the live feeds: %s", strerror(rc));
	t->is_running = true;
	(void)pthread_setname_np(t->thread, "live");
	return 0;
}

void live_thread_stop(struct live_thread *t)
{
	if (t == NULL || !t->is_running)
		return;
	atomic_store(&t->stop, true);
	ws_wake(t->pool);
	(void)pthread_join(t->thread, NULL);
	t->is_running = false;
}

bool live_thread_drop(struct live_thread *t, const char *feed)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->feeds[i].config->name, feed) != 0)
			continue;
		atomic_store(&t->drop, i + 1);
		ws_wake(t->pool);
		return true;
	}
	return false;
}

uint64_t live_thread_moved(const struct live_thread *t)
{
	return atomic_load_explicit(&t->moved, memory_order_relaxed);
}

struct live_board *live_thread_board(struct live_thread *t)
{
	return t != NULL ? t->board : NULL;
}
