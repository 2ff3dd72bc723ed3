/*
 * live_refill - holes of the ledger become questions to the vendor's history, and its
 * answers ticks (live_parts.h).
 *
 *	IDLE ──> ASKING trades ──> ASKING quotes ──> SETTLING ──> IDLE
 *	  ^         | failed: later, smaller, one by one, or lost      (all is in the
 *log)
 *	  +---------+
 *
 * One part of the oldest hole at a time, for all symbols that miss the same, as many as
 * the vendor answers at once.  A question asks for a little more than the part, on both
 * sides; what the log has is dropped (feeds/known.h).
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/live_parts.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX     2000000u /* of one question: a shorter time is asked for above */
#define TOO_MUCH     (ROWS_MAX + 1ul)
#define LOOK_NS      (100 * NS_PER_MS) /* how often the ledger is searched for holes */
#define WINDOW_MIN   NS_PER_S
#define RETRY_MIN_NS (2 * NS_PER_S)
#define RETRY_MAX_NS (600 * NS_PER_S)
#define FORBIDDEN_NS (300 * NS_PER_S) /* some plans see what is older than 15 min */

bool live_refill_was_too_much(const struct refill_ask *a)
{
	return atomic_load(&a->rows) > ROWS_MAX;
}

/* ---- on the thread that fetches ---- */

static const struct buf *rows_of(const struct refill_ask *a, const struct fetch_news *n)
{
	return a->ask.what == VENDOR_NEWS ? &n->page->articles : &n->page->ticks;
}

/* A vendor without pages has said as much as it says at a time, and nothing of it lies
   before the range: what is older it does not say. */
static bool is_all_it_has(const struct refill_ask *a, const struct vendor_page *p)
{
	const struct vendor_ops *v = a->feed->history;
	uint32_t most = v->rows_max[VENDOR_NEWS];

	return a->ask.what == VENDOR_NEWS && !v->has_pages && most > 0 &&
	       p->skipped == 0 && p->articles.len / sizeof(struct hist_article) >= most;
}

static bool is_too_much(struct refill_ask *a, const struct fetch_news *n)
{
	if (a->ask.what == VENDOR_NEWS && n->pages > LIVE_PAGES_MAX)
		atomic_store(&a->rows, TOO_MUCH);
	else
		atomic_fetch_add(&a->rows,
				 n->page->ticks.len / sizeof(struct feed_tick));
	return live_refill_was_too_much(a);
}

static int tell(struct refill_ask *a, const struct fetch_news *n)
{
	struct refill_news letter = {.ask = a, .state = n->state};

	if (n->state == FETCH_PAGE) {
		buf_add(&letter.rows, rows_of(a, n)->data, rows_of(a, n)->len);
		letter.is_all_it_has = is_all_it_has(a, n->page);
	}
	if (n->state == FETCH_FAILED)
		letter.problem = n->problem;
	while (mailbox_post(a->feed->thread->news, &letter) == MAILBOX_FULL) {
		/* The end must be heard; a page may be had again. */
		if (n->state != FETCH_PAGE && !atomic_load(&a->feed->thread->stop))
			continue;
		buf_free(&letter.rows);
		return -EAGAIN;
	}
	return 0;
}

static int on_news(void *arg, const struct fetch_news *n)
{
	struct refill_ask *a = arg;
	struct live_thread *t = a->feed->thread;
	struct fetch_news end = {.state = FETCH_FAILED};
	int rc;

	if (n->state != FETCH_PAGE)
		return tell(a, n);
	rc = atomic_load(&t->stop) ? -ECANCELED : 0;
	if (rc == 0 && is_too_much(a, n))
		rc = -E2BIG;
	if (rc == 0)
		rc = tell(a, n);
	if (rc == 0)
		return 0;
	/* No further call comes: say ourselves that it is over. */
	end.problem.verdict = rc == -E2BIG ? VENDOR_LIMITED : VENDOR_RETRY;
	(void)tell(a, &end);
	return rc;
}

/* ---- on the LIVE thread ---- */

int live_refill_init(struct live_feed *f)
{
	struct refill *r = &f->refill;

	r->members = calloc(f->n_symbols + 1, sizeof(*r->members));
	r->fresh = calloc(f->n_symbols + 1, sizeof(*r->fresh));
	r->rows = calloc(f->n_symbols + 1, sizeof(*r->rows));
	r->window_ns = f->config->refill_window_ns;
	if (r->members == NULL || r->fresh == NULL || r->rows == NULL)
		return err_set(-ENOMEM, "out of memory for the refills of feed %s",
			       f->config->name);
	return 0;
}

void live_refill_deinit(struct live_feed *f)
{
	free(f->refill.members);
	free(f->refill.fresh);
	free(f->refill.rows);
}

static void ask_free(struct live_thread *t, struct refill_ask *a)
{
	struct refill_ask **at = &t->asks;

	while (*at != NULL && *at != a)
		at = &(*at)->next;
	if (*at != NULL)
		*at = (*at)->next;
	free(a->names);
	free(a);
}

void live_refill_free_all(struct live_thread *t)
{
	while (t->asks != NULL)
		ask_free(t, t->asks);
}

/* The oldest open span of a symbol; NULL: none. */
static const struct ledger_span *oldest(const struct live_feed *f, size_t symbol)
{
	size_t n;
	const struct ledger_span *v = ledger_spans(f->ledger, symbol, &n);

	for (size_t k = 0; k < n; k++)
		if (v[k].kind == LEDGER_OPEN)
			return &v[k];
	return NULL;
}

static const struct ledger_span *oldest_of_all(const struct live_feed *f)
{
	const struct ledger_span *first = NULL;

	for (size_t i = 0; i < f->n_symbols; i++) {
		const struct ledger_span *s = oldest(f, i);

		if (s != NULL && (first == NULL || s->from_ns < first->from_ns))
			first = s;
	}
	return first;
}

/* Choose the part and its members; false: nothing is open. */
static bool choose(struct live_feed *f)
{
	struct refill *r = &f->refill;
	size_t max = f->history != NULL && !r->one_by_one ? f->history->symbols_max : 1;
	const struct ledger_span *first = oldest_of_all(f);
	int64_t was_ns = r->from_ns;

	if (first == NULL)
		return false;
	r->from_ns = first->from_ns;
	r->to_ns = first->to_ns - first->from_ns > r->window_ns
			   ? first->from_ns + r->window_ns
			   : first->to_ns;
	r->n_members = 0;
	for (size_t i = 0; i < f->n_symbols && r->n_members < (max > 0 ? max : 1);
	     i++) {
		const struct ledger_span *s = oldest(f, i);

		if (s != NULL && s->from_ns == r->from_ns && s->to_ns >= r->to_ns)
			r->members[r->n_members++] = i;
	}
	/* An attempt after one that was cut off adds to what that one brought. */
	if (r->from_ns != was_ns)
		memset(r->fresh, 0, f->n_symbols * sizeof(*r->fresh));
	memset(r->rows, 0, f->n_symbols * sizeof(*r->rows));
	return true;
}

static void settle(struct live_feed *f, enum ledger_kind kind, const char *why)
{
	struct refill *r = &f->refill;

	for (size_t k = 0; k < r->n_members; k++) {
		size_t i = r->members[k];
		struct ledger_span s = {.from_ns = r->from_ns,
					.to_ns = r->to_ns,
					.ticks = r->fresh[i],
					.kind = (uint8_t)kind};

		if (kind == LEDGER_REFILLED && r->rows[i] == 0)
			s.kind = LEDGER_QUIET;
		if (why != NULL)
			(void)snprintf(s.why, sizeof(s.why), "%s", why);
		ledger_settle(f->ledger, i, &s);
		r->fresh[i] = 0;
	}
	f->is_ledger_dirty = true;
	r->phase = REFILL_IDLE;
}

static void lose(struct live_feed *f, const char *why)
{
	log_warn("live", "%s: a hole of %zu symbols cannot be filled: %s",
		 f->config->name, f->refill.n_members, why);
	settle(f, LEDGER_LOST, why);
}

/* Try again later; too old a hole is given up. */
static void postpone(struct live_feed *f, int64_t wait_ns, const char *why)
{
	struct refill *r = &f->refill;

	if (clock_wall_ns() - r->to_ns > f->config->give_up_ns) {
		lose(f, why);
		return;
	}
	for (size_t k = 0; k < r->n_members; k++)
		ledger_note(f->ledger, r->members[k], r->from_ns, r->to_ns, why);
	f->is_ledger_dirty = true;
	log_info("live", "%s: a hole is not filled yet: %s", f->config->name, why);
	r->due_ns = clock_mono_ns() + wait_ns;
	r->phase = REFILL_IDLE;
}

static int64_t retry_ns(struct refill *r)
{
	int64_t w = RETRY_MIN_NS;

	for (uint32_t i = 1; i < r->failures && w < RETRY_MAX_NS; i++)
		w *= 2;
	return w < RETRY_MAX_NS ? w : RETRY_MAX_NS;
}

static bool wants(const struct live_feed *f, enum vendor_what what)
{
	return what == VENDOR_TRADES   ? f->config->trades
	       : what == VENDOR_QUOTES ? f->config->quotes
				       : f->config->news;
}

int live_refill_ask(struct live_feed *f, const struct vendor_ask *ask,
		    const char **names, struct refill_ask **out)
{
	const struct live_env *env = &f->thread->env;
	struct refill_ask *a = calloc(1, sizeof(*a));
	int rc;

	if (a == NULL) {
		free(names);
		return err_set(-ENOMEM, "out of memory for a question");
	}
	*a = (struct refill_ask){
		.feed = f, .ask = *ask, .names = names, .next = f->thread->asks};
	f->thread->asks = a;
	*out = a;
	rc = env->ask(env->arg, f->config->vendor, &a->ask, on_news, a);
	if (rc < 0) {
		ask_free(f->thread, a);
		*out = NULL;
	}
	return rc;
}

static int ask_members(struct live_feed *f)
{
	struct refill *r = &f->refill;
	struct vendor_ask ask = {.what = r->what,
				 .n_symbols = r->n_members,
				 .start_ns = r->from_ns - f->config->overlap_ns,
				 .end_ns = r->to_ns + f->config->overlap_ns};
	const char **names;

	assert(r->n_members > 0);
	ask.symbols = names = calloc(r->n_members, sizeof(*names));
	if (names == NULL)
		return err_set(-ENOMEM, "out of memory for a question");
	for (size_t k = 0; k < r->n_members; k++)
		names[k] = f->symbols[r->members[k]];
	return live_refill_ask(f, &ask, names, &r->ask);
}

static void ask(struct live_feed *f)
{
	struct refill *r = &f->refill;

	known_refill_begin(f->known);
	r->phase = REFILL_ASKING;
	if (ask_members(f) < 0) {
		r->failures++;
		postpone(f, retry_ns(r), err_text());
	}
}

/* The next kind of tick, or none is left. */
static void ask_next(struct live_feed *f, enum vendor_what from)
{
	struct refill *r = &f->refill;

	for (r->what = from; r->what <= VENDOR_NEWS; r->what++) {
		if (!wants(f, r->what))
			continue;
		ask(f);
		return;
	}
	r->phase = REFILL_SETTLING;
}

/* May the vendor be asked at all? */
static const char *obstacle(const struct live_feed *f)
{
	if (!f->config->refill)
		return "refill is off in the configuration";
	for (enum vendor_what w = VENDOR_TRADES; w <= VENDOR_NEWS; w++)
		if (wants(f, w) && (f->history == NULL || !(f->history->can & 1u << w)))
			return "the vendor has no history of such ticks or news";
	if (f->refill.from_ns - f->config->overlap_ns < f->blurred_ns)
		return "more ticks lie around it than can be told apart";
	return NULL;
}

static void begin(struct live_feed *f)
{
	struct refill *r = &f->refill;
	int64_t ready_ns;
	const char *why;

	if (!choose(f)) {
		r->one_by_one = false;
		r->window_ns = f->config->refill_window_ns;
		r->due_ns = clock_mono_ns() + LOOK_NS;
		return;
	}
	why = obstacle(f);
	if (why != NULL) {
		lose(f, why);
		return;
	}
	ready_ns = r->to_ns + f->config->overlap_ns + f->config->refill_delay_ns;
	if (clock_wall_ns() < ready_ns) {
		r->due_ns = clock_mono_ns() + ready_ns - clock_wall_ns();
		return;
	}
	ask_next(f, VENDOR_TRADES);
}

static void take_ticks(struct live_feed *f, const struct buf *ticks)
{
	const struct feed_tick *t = (const void *)ticks->data;
	size_t n = ticks->len / sizeof(*t);
	struct refill *r = &f->refill;

	for (size_t k = 0; k < n; k++) {
		int64_t ns = t[k].rec.event_ns;
		size_t i = live_feed_symbol(f, t[k].symbol);

		if (i == SIZE_MAX || t[k].rec.type != RECORD_TICK)
			continue;
		r->rows[i] += ns >= r->from_ns && ns < r->to_ns;
		if (known_refill(f->known, known_id(t[k].symbol, &t[k].rec), ns)) {
			f->doubles++;
			continue;
		}
		r->fresh[i]++;
		live_producer_add(&f->refilled, &t[k]);
	}
}

/* What of them the log has is its own to know. */
static void take_articles(struct live_feed *f, const struct buf *articles)
{
	const struct hist_article *a = (const void *)articles->data;
	size_t n = articles->len / sizeof(*a);
	struct refill *r = &f->refill;

	for (size_t k = 0; k < n; k++) {
		bool is_inside =
			a[k].updated_ns >= r->from_ns && a[k].updated_ns < r->to_ns;

		for (uint32_t s = 0; s < a[k].n_symbols && is_inside; s++) {
			size_t i = live_feed_symbol(f, a[k].symbols[s]);

			if (i != SIZE_MAX)
				r->rows[i]++, r->fresh[i]++;
		}
		live_feed_article(f, &a[k]);
	}
}

static void fail(struct live_feed *f, const struct vendor_problem *p)
{
	struct refill *r = &f->refill;
	const char *why = p->why[0] != '\0' ? p->why : "the answer was cut off";

	f->refills_failed++;
	r->failures++;
	switch (p->verdict) {
	case VENDOR_REFUSED:
	case VENDOR_UNKNOWN:
		if (r->n_members > 1) {
			r->one_by_one = true;
			r->phase = REFILL_IDLE;
			return;
		}
		lose(f, why);
		return;
	case VENDOR_FORBIDDEN:
		postpone(f, FORBIDDEN_NS, why);
		return;
	case VENDOR_AUTH:
		postpone(f, RETRY_MAX_NS, why);
		return;
	case VENDOR_RETRY:
	case VENDOR_LIMITED:
	case VENDOR_GARBLED:
		postpone(f, retry_ns(r), why);
		return;
	}
}

static void end_ask(struct live_feed *f, struct refill_news *n)
{
	struct refill *r = &f->refill;
	bool was_too_much = live_refill_was_too_much(n->ask);

	r->ask = NULL;
	ask_free(f->thread, n->ask);
	if (n->state == FETCH_DONE) {
		f->refills++;
		r->failures = 0;
		ask_next(f, r->what + 1);
	} else if (was_too_much && r->window_ns > WINDOW_MIN) {
		r->window_ns /=
			2; /* what came of it is known and comes no second time */
		r->phase = REFILL_IDLE;
	} else {
		fail(f, &n->problem);
	}
}

void live_refill_news(struct live_thread *t)
{
	struct refill_news n;

	while (mailbox_take(t->news, &n) == 0) {
		struct live_feed *f = n.ask->feed;

		if (f->config->is_polled)
			live_poll_news(f, &n);
		else if (n.state == FETCH_PAGE && f->refill.ask == n.ask &&
			 f->refill.what == VENDOR_NEWS)
			take_articles(f, &n.rows);
		else if (n.state == FETCH_PAGE && f->refill.ask == n.ask)
			take_ticks(f, &n.rows);
		buf_free(&n.rows);
		if (n.state != FETCH_PAGE && f->config->is_polled)
			ask_free(t, n.ask);
		else if (n.state != FETCH_PAGE)
			end_ask(f, &n);
	}
}

int64_t live_refill_step(struct live_feed *f, int64_t now_ns)
{
	struct refill *r = &f->refill;

	if (r->phase == REFILL_SETTLING && live_producer_waiting(&f->refilled) == 0 &&
	    news_producer_waiting(&f->articles) == 0)
		settle(f, LEDGER_REFILLED, NULL);
	if (r->phase == REFILL_IDLE && now_ns >= r->due_ns) {
		r->due_ns = 0;
		begin(f);
	}
	return r->phase == REFILL_IDLE && r->due_ns > now_ns ? r->due_ns : INT64_MAX;
}
