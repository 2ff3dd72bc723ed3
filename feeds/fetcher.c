#include "feeds/fetcher.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/question.h"
#include "feeds/ratelimit.h"
#include "feeds/retry.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT    8
#define ATTEMPTS     6
#define WAIT_MAX_NS  (300 * NS_PER_S)
#define BACKOFF_NS   (NS_PER_S / 2)
#define EMPTY_MAX    1000 /* pages without a row, one after the other */
#define STARTED_MORE 4    /* times in_flight: questions that rest between attempts */

struct fetcher {
	struct http_pool *http;
	struct fetcher_params p;
	struct retry_policy policy;
	struct ratelimit rate;
	struct rng chance;
	struct question_list queue;
	struct question_list started;
	size_t in_flight;
	uint64_t last_id;
	struct fetch_counts counts;
	struct vendor_page answer;  /* its memory is used again and again */
	struct vendor_problem doom; /* of those that are_doomed */
	struct question *telling;   /* whose asker is being told */
};

int fetcher_new(struct http_pool *http, const struct fetcher_params *p,
		struct fetcher **out)
{
	struct fetcher *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return err_set(-ENOMEM, "no memory for a fetcher");
	f->http = http;
	f->p = *p;
	if (f->p.in_flight == 0)
		f->p.in_flight = IN_FLIGHT;
	f->policy = (struct retry_policy){
		.attempts = p->attempts != 0 ? p->attempts : ATTEMPTS,
		.wait_max_ns = p->wait_max_ns != 0 ? p->wait_max_ns : WAIT_MAX_NS,
		.backoff_ns = p->backoff_ns != 0 ? p->backoff_ns : BACKOFF_NS,
	};
	rng_seed(&f->chance, p->seed);
	rc = ratelimit_init(&f->rate, p->requests, p->per_ns, p->burst);
	if (rc < 0) {
		free(f);
		return rc;
	}
	*out = f;
	return 0;
}

static void question_free(struct question *q)
{
	struct fetcher *f = q->f;

	if (q->transfer != NULL) {
		http_cancel(q->transfer);
		ratelimit_there(&f->rate, q->ticket, clock_mono_ns());
		f->in_flight--;
	}
	question_remove(q->is_started ? &f->started : &f->queue, q);
	buf_free(&q->tokens);
	free(q);
}

void fetcher_free(struct fetcher *f)
{
	if (f == NULL)
		return;
	while (f->queue.first != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is out of its list */
		question_free(f->queue.first);
	while (f->started.first != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): likewise */
		question_free(f->started.first);
	ratelimit_free(&f->rate);
	vendor_page_free(&f->answer);
	free(f);
}

int fetcher_ask(struct fetcher *f, const struct vendor_ask *ask, fetch_fn fn, void *arg,
		uint64_t *out_id)
{
	struct question *q;
	int rc = f->p.ops->check(&f->p.settings, ask);

	if (rc < 0)
		return rc;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(-ENOMEM, "no memory for a question");
	q->f = f;
	q->id = ++f->last_id;
	q->ask = *ask;
	q->fn = fn;
	q->arg = arg;
	q->news.ask = &q->ask;
	question_add(&f->queue, q);
	if (out_id != NULL)
		*out_id = q->id;
	return 0;
}

void fetcher_cancel(struct fetcher *f, uint64_t id)
{
	struct question *q = question_find(&f->started, id);

	if (q == NULL)
		q = question_find(&f->queue, id);
	if (q == NULL)
		return;
	if (q == f->telling)
		q->is_gone = true; /* whoever tells it frees it */
	else
		question_free(q);
}

/* Tell the asker; afterwards the question may be gone: false. */
static bool tell(struct question *q, enum fetch_state state)
{
	struct fetcher *f = q->f;
	int rc;

	q->news.state = state;
	f->telling = q;
	rc = q->fn(q->arg, &q->news);
	f->telling = NULL;
	if (rc == 0 && !q->is_gone && state == FETCH_PAGE)
		return true;
	question_free(q);
	return false;
}

static void fail(struct question *q, const struct vendor_problem *problem)
{
	q->f->counts.failed++;
	q->news.problem = *problem;
	tell(q, FETCH_FAILED);
}

static void __attribute__((format(printf, 3, 4)))
fail_saying(struct question *q, enum vendor_verdict verdict, const char *fmt, ...)
{
	struct vendor_problem problem = {.verdict = verdict};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(problem.why, sizeof(problem.why), fmt, ap);
	va_end(ap);
	fail(q, &problem);
}

/*
 * The last look at a sentence that may quote a vendor: an answer can echo the
 * request, and so a key.
 */
static void hide_keys(const struct fetcher *f, struct vendor_problem *problem)
{
	const struct secret *keys[] = {f->p.settings.key, f->p.settings.key_secret};

	for (size_t i = 0; i < 2; i++)
		if (keys[i] != NULL &&
		    secret_in(keys[i], problem->why, strlen(problem->why)))
			(void)snprintf(
				problem->why, sizeof(problem->why),
				"%s answered with a text that holds our key; it is "
				"not repeated here",
				f->p.settings.name);
}

/* Wrong for one is wrong for all that wait: do not ask the same with a bad key. */
static void doom_all(struct fetcher *f, const struct vendor_problem *problem)
{
	f->doom = *problem;
	for (struct question *q = f->queue.first; q != NULL; q = q->next)
		q->is_doomed = true;
	for (struct question *q = f->started.first; q != NULL; q = q->next)
		q->is_doomed = true;
}

static void fail_doomed(struct fetcher *f, struct question_list *l)
{
	struct question *q = l->first;

	/* From the front each time: the asker may cancel others meanwhile. */
	while (q != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): from the front anew */
		if (q->is_doomed && q->transfer == NULL) {
			q->is_doomed = false;
			fail(q, &f->doom);
			q = l->first;
		} else {
			q = q->next;
		}
	}
}

/* An attempt came to nothing: again later, or the end. */
static void try_again(struct question *q, struct vendor_problem *problem,
		      const struct http_answer *a, int64_t now_ns)
{
	struct fetcher *f = q->f;
	struct retry_case c = {
		.verdict = problem->verdict,
		.attempt = q->attempt,
		.retry_after = a->retry_after,
		.limit_reset = a->limit_reset,
		.wall_ns = clock_wall_ns(),
	};
	struct retry_decision d;

	if (problem->verdict == VENDOR_GARBLED)
		q->garbled++;
	c.garbled = q->garbled;
	retry_decide(&f->policy, &c, &f->chance, &d);
	switch (d.action) {
	case RETRY_NEVER:
		break;
	case RETRY_GIVE_UP: {
		size_t len = strlen(problem->why);

		(void)snprintf(problem->why + len, sizeof(problem->why) - len,
			       " (given up after %u attempts)", q->attempt);
		break;
	}
	case RETRY_TOO_LONG:
		fail_saying(
			q, problem->verdict,
			"%s asks to wait %lld s, and we wait %lld s at most: %.160s",
			f->p.settings.name, (long long)(d.wait_ns / NS_PER_S),
			(long long)(f->policy.wait_max_ns / NS_PER_S), problem->why);
		return;
	case RETRY_AFTER:
		f->counts.retries++;
		q->not_before_ns = now_ns + d.wait_ns;
		if (problem->verdict == VENDOR_LIMITED)
			ratelimit_hold(&f->rate, now_ns, now_ns + d.wait_ns,
				       &f->chance);
		return;
	}
	if (problem->verdict == VENDOR_AUTH)
		doom_all(f, problem);
	fail(q, problem);
}

static uint64_t rows_of(const struct vendor_page *p)
{
	return p->bars.len / sizeof(struct vendor_bar) +
	       p->ticks.len / sizeof(struct feed_tick) +
	       p->articles.len / sizeof(struct hist_article) +
	       p->actions.len / sizeof(struct hist_action);
}

/* The whole page was read: hand it on, and see to the next. */
static void take_page(struct question *q)
{
	struct fetcher *f = q->f;
	uint64_t rows = rows_of(&f->answer);

	f->counts.rows += rows;
	q->news.rows += rows;
	q->news.pages++;
	q->news.page = &f->answer;
	q->attempt = q->garbled = 0;
	q->empty = rows != 0 ? 0 : q->empty + 1;
	memcpy(q->page, f->answer.next, sizeof(q->page));
	if (!tell(q, FETCH_PAGE))
		return;
	q->news.page = NULL;
	if (q->page[0] == '\0') {
		f->counts.done++;
		tell(q, FETCH_DONE);
	} else if (question_token_repeats(q, q->page)) {
		fail_saying(
			q, VENDOR_REFUSED,
			"%s gave the same page token twice (page %u): stopped, since "
			"its pages would have no end",
			f->p.settings.name, q->news.pages);
	} else if (q->empty >= EMPTY_MAX) {
		fail_saying(
			q, VENDOR_REFUSED,
			"%s sent %u pages without a row, one after the other: stopped",
			f->p.settings.name, q->empty);
	}
}

/* Where to, without path and query: those may hold what is nobody's business. */
static void say_redirect(const struct fetcher *f, const struct http_answer *a,
			 struct vendor_problem *out)
{
	const char *scheme = strstr(a->location, "://");
	const char *host = scheme != NULL ? scheme + 3 : a->location;
	size_t end = (size_t)(host - a->location) + strcspn(host, "/?#");

	out->verdict = VENDOR_REFUSED;
	(void)snprintf(
		out->why, sizeof(out->why),
		"%s answers %ld and sends us to '%.*s': not followed, since keys "
		"go to no other host",
		f->p.settings.base_url, a->status, (int)(end < 120 ? end : 120),
		a->location);
}

/* The vendor's support asks for it. */
static void add_request_id(struct vendor_problem *problem, const char *id)
{
	size_t len = strlen(problem->why);

	if (id[0] != '\0')
		(void)snprintf(problem->why + len, sizeof(problem->why) - len,
			       " (request %.60s)", id);
}

/* What the answer was good for: 0 the page is in f->answer, 1: @problem says. */
static int read_answer(struct question *q, const struct http_answer *a,
		       struct vendor_problem *problem)
{
	struct fetcher *f = q->f;
	const struct vendor_settings *s = &f->p.settings;

	*problem = (struct vendor_problem){0};
	if (a->error < 0) {
		problem->verdict = retry_error(a->error);
		(void)snprintf(problem->why, sizeof(problem->why), "%s", a->why);
	} else if (a->status >= 300 && a->status < 400) {
		say_redirect(f, a, problem);
	} else if (a->status < 200 || a->status >= 400) {
		f->p.ops->problem(s, a->status, a->content_type, a->body, a->len,
				  problem);
	} else {
		vendor_page_reset(&f->answer);
		if (f->p.ops->parse(s, &q->ask, q->page, a->body, a->len, &f->answer) ==
		    0)
			return 0;
		f->p.ops->problem(s, a->status, a->content_type, a->body, a->len,
				  problem);
	}
	add_request_id(problem, a->request_id);
	hide_keys(f, problem);
	return 1;
}

/* X-RateLimit-Remaining: 0, and when there will be more. */
static void heed_limit(struct fetcher *f, const struct http_answer *a, int64_t now_ns)
{
	int64_t wait;

	if (strcmp(a->limit_left, "0") == 0 &&
	    retry_reset(a->limit_reset, clock_wall_ns(), &wait) == 0 &&
	    wait <= f->policy.wait_max_ns)
		ratelimit_hold(&f->rate, now_ns, now_ns + wait, &f->chance);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct question *q = arg;
	struct fetcher *f = q->f;
	int64_t now_ns = clock_mono_ns();
	struct vendor_problem problem;

	q->transfer = NULL;
	ratelimit_there(&f->rate, q->ticket, now_ns);
	f->in_flight--;
	f->counts.bytes += a->len;
	if (a->error == 0 && a->status == 429)
		f->counts.limited++;
	if (a->error == 0)
		heed_limit(f, a, now_ns);
	q->news.warning = a->warning;
	if (read_answer(q, a, &problem) == 0)
		take_page(q);
	else
		try_again(q, &problem, a, now_ns);
}

static void start_request(struct question *q, int64_t now_ns)
{
	struct fetcher *f = q->f;
	const struct vendor_settings *s = &f->p.settings;
	struct vendor_request r = {0};
	struct http_request h;
	int rc = f->p.ops->request(s, &q->ask, q->page, &r);

	if (rc == 0) {
		h = (struct http_request){
			.base_url = s->base_url,
			.target = buf_text(&r.target),
			.headers = (const char *)r.headers.data,
			.headers_len = r.headers.len,
			.form = r.is_post ? buf_text(&r.form) : NULL,
			.form_len = r.form.len,
		};
		rc = http_send(f->http, &h, on_answer, q, &q->transfer);
	}
	vendor_request_free(&r);
	if (rc < 0) {
		fail_saying(q, VENDOR_REFUSED, "%s cannot be asked: %s", s->name,
			    err_text());
		return;
	}
	q->ticket = ratelimit_take(&f->rate, now_ns, &f->chance);
	f->in_flight++;
	f->counts.requests++;
	q->news.requests++;
	q->attempt++;
}

/* Who is next: started ones first, the oldest of them; NULL and how long until one
   is (-1: none rests). */
static struct question *pick(struct fetcher *f, int64_t now_ns, int64_t *wait_ns)
{
	*wait_ns = -1;
	for (struct question *q = f->started.first; q != NULL; q = q->next) {
		int64_t wait = q->not_before_ns - now_ns;

		if (q->transfer != NULL)
			continue;
		if (wait <= 0)
			return q;
		if (*wait_ns < 0 || wait < *wait_ns)
			*wait_ns = wait;
	}
	if (f->queue.first != NULL &&
	    f->started.n < (size_t)f->p.in_flight * STARTED_MORE)
		return f->queue.first;
	return NULL;
}

int64_t fetcher_step(struct fetcher *f, int64_t now_ns)
{
	int64_t wait_ns = -1;

	fail_doomed(f, &f->queue);
	fail_doomed(f, &f->started);
	f->counts.held_until_ns = f->rate.held_ns > now_ns ? f->rate.held_ns : 0;
	while (f->in_flight < f->p.in_flight) {
		struct question *q = pick(f, now_ns, &wait_ns);
		int64_t at_ns = ratelimit_next_ns(&f->rate, now_ns);

		if (q == NULL)
			return wait_ns;
		if (at_ns == RATELIMIT_ON_WAY)
			return -1; /* an answer comes first, and we are asked again */
		if (at_ns > now_ns)
			return at_ns - now_ns;
		if (!q->is_started) {
			question_remove(&f->queue, q);
			question_add(&f->started, q);
			q->is_started = true;
		}
		start_request(q, now_ns);
	}
	return -1;
}

size_t fetcher_open(const struct fetcher *f)
{
	return f->queue.n + f->started.n;
}

void fetcher_counts(const struct fetcher *f, struct fetch_counts *out)
{
	*out = f->counts;
}
