/*
 * live_poll - the news of a vendor that has no stream of them (live_parts.h): rounds of
 * questions, one per symbol, and a pause.
 *
 *	        ┌─ every ─┐      a question per symbol        all is in the log
 *	NONE ───┴────────────> ASKING ────────────────> STORING ────────> NONE
 *	                          |  failed: a hole,        what was answered
 *	                          |  owed still             is no hole
 *
 * It is a stream that never flows: a question asks for the time since the newest good
 * answer about its symbol, and for `refill_overlap` before that.  The ledger
 * (feeds/ledger.h) keeps since when, and the holes that failures leave, also over a
 * crash.  So an outage of ours or of theirs makes one longer question.  The log knows
 * which articles it has (daemon/intake_news.c).
 *
 * A vendor that is down is not asked for the next symbol, one that has no answer for
 * some symbol is asked for the others.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/timetext.h"
#include "daemon/live_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_MAX 3u          /* one after the other, then the round is over */
#define HELD_MAX     (16u << 20) /* bytes of articles, before they are handed over */
#define WINDOW_MIN   NS_PER_S
#define REFUSED_NS   (600 * NS_PER_S) /* a key that was refused is not tried sooner */

int live_poll_init(struct live_feed *f)
{
	const struct config_feed *c = f->config;
	struct live_poll *p = &f->poll;
	uint64_t seed = hash_bytes(HASH_SEED, c->name, strlen(c->name)) ^
			(uint64_t)clock_wall_ns();

	if (!c->is_polled)
		return 0;
	p->parts = calloc(f->n_symbols + 1, sizeof(*p->parts));
	if (p->parts == NULL)
		return err_set(-ENOMEM, "out of memory for the symbols of feed %s",
			       c->name);
	poll_init(&p->when, c->every_ns, seed);
	p->window_ns = c->refill_window_ns;
	f->link.is_expected = true;
	return 0;
}

void live_poll_deinit(struct live_feed *f)
{
	free(f->poll.parts);
	news_batch_deinit(&f->poll.batch);
	news_told_deinit(&f->poll.told);
}

/* ---- what is known of it ---- */

static void set_state(struct live_feed *f, enum link_state s, const char *why)
{
	struct livelink *l = &f->link;
	bool is_new = l->state != s || strcmp(l->why, why) != 0;

	if (is_new && s == LINK_ON && why[0] != '\0')
		log_warn("live", "%s: some of it cannot be had now: %s",
			 f->config->name, why);
	else if (is_new && s == LINK_ON)
		log_info("live", "%s: live, %zu symbols, asked for every %lld s",
			 f->config->name, f->n_symbols,
			 (long long)(f->config->every_ns / NS_PER_S));
	else if (is_new)
		log_warn("live", "%s: %s: %s", f->config->name, livelink_state_name(s),
			 why);
	if (l->state != s) {
		f->since_wall_ns = clock_wall_ns();
		l->counts.entered[s]++;
	}
	l->state = s;
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
}

static void lose(struct live_feed *f, size_t i, int64_t to_ns, const char *why)
{
	struct poll_part *part = &f->poll.parts[i];
	struct ledger_span s = {
		.from_ns = part->from_ns, .to_ns = to_ns, .kind = LEDGER_LOST};

	if (!part->is_lost)
		log_warn("live", "%s: news of %s that cannot be had: %s",
			 f->config->name, f->symbols[i], why);
	(void)snprintf(s.why, sizeof(s.why), "%.95s", why);
	ledger_settle(f->ledger, i, &s);
	f->is_ledger_dirty = true;
	part->from_ns = to_ns;
	part->is_lost = true;
}

/* It stays owed, and is asked for again; what is too old is given up. */
static void postpone(struct live_feed *f, size_t i, const char *why)
{
	struct poll_part *part = &f->poll.parts[i];

	part->is_failing = true;
	ledger_note(f->ledger, i, part->from_ns, part->to_ns, why);
	f->is_ledger_dirty = true;
	if (clock_wall_ns() - part->to_ns > f->config->give_up_ns)
		lose(f, i, part->to_ns, why);
}

static void note_trouble(struct live_feed *f, enum link_state s, const char *why)
{
	f->poll.trouble = s;
	(void)snprintf(f->poll.why, sizeof(f->poll.why), "%.239s", why);
}

/* The time up to this round's end is a hole of each symbol, until it is settled. */
static void open_round(struct live_feed *f)
{
	if (f->poll.is_open)
		return;
	f->poll.is_open = true;
	ledger_on(f->ledger, f->poll.to_ns);
	ledger_off(f->ledger);
	f->is_ledger_dirty = true;
}

/* A question for symbol @i came to nothing. */
static void fail(struct live_feed *f, size_t i, const struct vendor_problem *problem)
{
	struct live_poll *p = &f->poll;
	const char *why =
		problem->why[0] != '\0' ? problem->why : "the answer was cut off";

	open_round(f);
	f->refills_failed++;
	switch (problem->verdict) {
	case VENDOR_REFUSED:
	case VENDOR_UNKNOWN:
		p->refusals++;
		p->parts[i].is_failing = false;
		note_trouble(f, LINK_WAITING, why);
		lose(f, i, p->parts[i].to_ns, why);
		return;
	case VENDOR_AUTH:
	case VENDOR_FORBIDDEN:
		p->is_barred = true;
		f->link.counts.refused++;
		note_trouble(f, LINK_FAILED, why);
		break;
	case VENDOR_LIMITED:
		p->is_barred = true;
		note_trouble(f, LINK_WAITING, why);
		break;
	case VENDOR_RETRY:
	case VENDOR_GARBLED:
		p->failures++;
		note_trouble(f, LINK_WAITING, why);
		break;
	}
	postpone(f, i, why);
}

/* More pages than we take: what came of it is taken, and less is asked for at a time.
 */
static void shorten(struct live_feed *f, size_t i)
{
	struct live_poll *p = &f->poll;
	struct poll_part *part = &p->parts[i];
	char why[160], from[TIMETEXT_MAX], to[TIMETEXT_MAX];
	int64_t half = (part->to_ns - part->from_ns) / (2 * NS_PER_S) * NS_PER_S;

	(void)timetext_print(from, part->from_ns);
	(void)timetext_print(to, part->to_ns);
	(void)snprintf(why, sizeof(why), "%s has more than %u pages from %s to %s",
		       f->symbols[i], LIVE_PAGES_MAX, from, to);
	p->shortened++;
	open_round(f);
	if (half < WINDOW_MIN) {
		lose(f, i, part->to_ns, why);
		return;
	}
	log_warn("live", "%s: %s: asked for in shorter pieces", f->config->name, why);
	ledger_note(f->ledger, i, part->from_ns, part->to_ns, why);
	f->is_ledger_dirty = true;
	p->window_ns = half;
	p->has_more = true;
}

/* ---- a round ---- */

/*
 * What is owed of symbol @i from its oldest hole on, as much as one question asks for:
 * holes that touch are one, whatever was noted of them, and so is the time since then.
 * A vendor without pages is asked for all: its answer is the same.
 */
static void choose(struct live_feed *f, size_t i)
{
	struct live_poll *p = &f->poll;
	struct poll_part *part = &p->parts[i];
	size_t n, k = 0;
	const struct ledger_span *v = ledger_spans(f->ledger, i, &n);
	int64_t known_ns = ledger_end_ns(f->ledger, i), to_ns = p->to_ns;

	*part = (struct poll_part){.oldest_ns = INT64_MIN,
				   .is_failing = part->is_failing,
				   .is_lost = part->is_lost};
	while (k < n && v[k].kind != LEDGER_OPEN)
		k++;
	part->from_ns = k < n ? v[k].from_ns : known_ns;
	while (k + 1 < n && v[k + 1].kind == LEDGER_OPEN)
		k++;
	if (k + 1 < n) { /* there are more holes behind it */
		to_ns = v[k].to_ns;
		p->has_more = true;
	}
	if (f->history->has_pages && to_ns - part->from_ns > p->window_ns) {
		to_ns = part->from_ns + p->window_ns;
		p->has_more = true;
	}
	part->to_ns = to_ns > part->from_ns ? to_ns : part->from_ns;
}

static void begin(struct live_feed *f, int64_t now_ns)
{
	struct live_poll *p = &f->poll;

	/* Whole seconds, as articles have them: what is between them no vendor need
	   understand. */
	p->to_ns = clock_wall_ns() - f->config->refill_delay_ns;
	p->to_ns -= p->to_ns % NS_PER_S;
	ledger_begin(f->ledger, p->to_ns - f->config->look_back_ns);
	f->is_ledger_dirty |= p->polls == 0;
	p->has_more = p->is_barred = p->is_open = false;
	p->failures = p->answers = p->refusals = 0;
	p->at = 0;
	p->handed_ns = now_ns;
	p->polls++;
	for (size_t i = 0; i < f->n_symbols; i++)
		choose(f, i);
	p->phase = ROUND_ASKING;
}

static void hand_over(struct live_feed *f, int64_t now_ns)
{
	news_batch_give(&f->poll.batch, &f->articles, BATCH_BY_TEXT);
	f->poll.handed_ns = now_ns;
}

static enum vendor_verdict verdict_of(int rc)
{
	return rc == -EACCES   ? VENDOR_AUTH
	       : rc == -EINVAL ? VENDOR_REFUSED
			       : VENDOR_RETRY;
}

/* The next symbol's question, or the end of the asking. */
static void ask_next(struct live_feed *f, int64_t now_ns)
{
	struct live_poll *p = &f->poll;
	struct vendor_problem problem = {0};
	struct vendor_ask ask;
	int64_t before_ns;
	int rc;

	while (p->at < f->n_symbols && p->parts[p->at].to_ns == p->parts[p->at].from_ns)
		p->at++;
	if (p->at == f->n_symbols || p->is_barred || p->failures >= FAILURES_MAX ||
	    atomic_load(&f->thread->stop)) {
		hand_over(f, now_ns);
		p->phase = ROUND_STORING;
		return;
	}
	before_ns = f->config->overlap_ns < p->window_ns ? f->config->overlap_ns
							 : p->window_ns;
	ask = (struct vendor_ask){.what = VENDOR_NEWS,
				  .symbols = &f->symbols[p->at],
				  .n_symbols = 1,
				  .start_ns = p->parts[p->at].from_ns - before_ns,
				  .end_ns = p->parts[p->at].to_ns};
	rc = live_refill_ask(f, &ask, NULL, &p->ask);
	if (rc == 0)
		return;
	problem.verdict = verdict_of(rc);
	(void)snprintf(problem.why, sizeof(problem.why), "%s", err_text());
	fail(f, p->at++, &problem);
}

/* All that was answered is in the log. */
static void settle(struct live_feed *f, size_t i)
{
	struct poll_part *part = &f->poll.parts[i];
	struct ledger_span s = {.to_ns = part->to_ns, .ticks = part->articles};
	char why[LEDGER_WHY_MAX];

	part->is_lost = part->is_lost && part->oldest_ns > part->from_ns;
	if (part->oldest_ns > part->from_ns) {
		(void)snprintf(why, sizeof(why), "%s says its newest %u articles only",
			       f->config->vendor, f->history->rows_max[VENDOR_NEWS]);
		lose(f, i,
		     part->oldest_ns < part->to_ns ? part->oldest_ns : part->to_ns,
		     why);
	}
	/* Of one kind, whether it brought any: so the rounds of a day are one span, and
	   the ledger that is saved behind each of them is small. */
	s.from_ns = part->from_ns;
	s.kind = LEDGER_REFILLED;
	ledger_settle(f->ledger, i, &s);
}

static void end(struct live_feed *f, int64_t now_ns)
{
	struct live_poll *p = &f->poll;
	int64_t wait_ns = f->config->every_ns;
	bool is_failing = false, is_down;

	open_round(f);
	f->is_ledger_dirty = true;
	for (size_t i = 0; i < f->n_symbols; i++) {
		if (p->parts[i].is_answered)
			settle(f, i);
		is_failing |= p->parts[i].is_failing;
	}
	/* Who is answered about one symbol is not blind for the failure of another. */
	is_failing |= p->refusals > 0;
	is_down = is_failing && p->answers == 0;
	set_state(f, is_down ? p->trouble : LINK_ON, is_failing ? p->why : "");
	if (is_down)
		wait_ns = poll_garbled(&p->when, clock_wall_ns());
	else
		p->when.failures = 0;
	if (is_down && p->trouble == LINK_FAILED && wait_ns < REFUSED_NS)
		wait_ns = REFUSED_NS;
	if (p->has_more && !is_failing)
		wait_ns = 0;
	if (!p->has_more)
		p->window_ns = f->config->refill_window_ns;
	news_told_forget(&p->told, p->to_ns - f->config->overlap_ns);
	p->due_ns = now_ns + wait_ns;
	p->phase = ROUND_NONE;
}

int64_t live_poll_step(struct live_feed *f, int64_t now_ns)
{
	struct live_poll *p = &f->poll;

	if (p->phase == ROUND_NONE && now_ns >= p->due_ns &&
	    !atomic_load(&f->thread->stop))
		begin(f, now_ns);
	while (p->phase == ROUND_ASKING && p->ask == NULL)
		ask_next(f, now_ns);
	if (p->phase == ROUND_STORING && news_producer_waiting(&f->articles) == 0)
		end(f, now_ns);
	return p->phase == ROUND_NONE ? p->due_ns : INT64_MAX;
}

/* ---- answers ---- */

static bool is_ours(const struct live_feed *f, const struct hist_article *a)
{
	for (uint32_t i = 0; i < a->n_symbols; i++)
		if (live_feed_symbol(f, a->symbols[i]) != SIZE_MAX)
			return true;
	return false;
}

/* Of what a vendor's search finds not all is about what was asked. */
static void take_article(struct live_feed *f, const struct hist_article *a)
{
	struct live_poll *p = &f->poll;
	struct hist_article own;

	live_feed_sorted(a, &own);
	if (!is_ours(f, a))
		p->nameless++;
	else if (news_told(&p->told, &own))
		f->doubles++;
	else
		news_batch_add(&p->batch, &own);
}

static void take_page(struct live_feed *f, const struct refill_news *n)
{
	const struct hist_article *a = (const void *)n->rows.data;
	size_t count = n->rows.len / sizeof(*a);
	struct live_poll *p = &f->poll;
	struct poll_part *part = &p->parts[p->at];
	int64_t oldest_ns = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		oldest_ns = a[i].created_ns < oldest_ns ? a[i].created_ns : oldest_ns;
		part->articles += a[i].updated_ns >= part->from_ns &&
				  a[i].updated_ns < part->to_ns;
		take_article(f, &a[i]);
	}
	if (n->is_all_it_has)
		part->oldest_ns = oldest_ns;
}

void live_poll_news(struct live_feed *f, struct refill_news *n)
{
	struct live_poll *p = &f->poll;
	int64_t now_ns = clock_mono_ns();

	if (n->ask != p->ask)
		return;
	if (n->state == FETCH_PAGE) {
		take_page(f, n);
	} else {
		bool was_too_much = live_refill_was_too_much(n->ask);

		p->ask = NULL;
		if (n->state == FETCH_DONE) {
			f->refills++;
			p->answers++;
			p->failures = 0;
			p->parts[p->at].is_answered = true;
			p->parts[p->at].is_failing = false;
		} else if (was_too_much) {
			p->answers++;
			p->parts[p->at].is_failing = false;
			shorten(f, p->at);
		} else if (!atomic_load(&f->thread->stop)) {
			fail(f, p->at, &n->problem);
		}
		p->at++;
	}
	if (news_batch_size(&p->batch) > HELD_MAX ||
	    now_ns - p->handed_ns >= f->config->every_ns)
		hand_over(f, now_ns);
}
