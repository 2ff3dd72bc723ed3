/* otlp_thread - see otlp_thread.h. */
#include "daemon/otlp_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "bus/stats.h"
#include "feeds/http.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define QUEUE_TRACES 1024u
#define BATCH_TRACES 64u
#define LINGER_NS    NS_PER_S         /* a batch waits so long for more */
#define GIVE_UP_NS   (300 * NS_PER_S) /* ... and is tried for so long */
#define LAST_NS      NS_PER_S         /* for the last one */
#define STEP_NS      (200 * NS_PER_MS)
#define CONNECT_NS   (5 * NS_PER_S)
#define TOTAL_NS     (10 * NS_PER_S)
#define ANSWER_MAX   (64u << 10)
#define URL_MAX      256

static const char content_type[] = "Content-Type: application/json";

struct otlp_thread {
	struct otlp_resource resource;
	struct mailbox *queue; /* owned; struct otlp_trace */
	struct parker parker;
	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	/* the loop's: a bucket of one second */
	int64_t per_trace_ns, credit_ns, credited_ns;
	/* the thread's */
	struct http_pool *http; /* owned; http_wake() is anybody's */
	char base_url[URL_MAX];
	const char *path; /* constant, or in @target */
	char target[URL_MAX];
	struct otlp_trace batch[BATCH_TRACES];
	uint32_t n_batch;
	struct buf body;
	struct rng chance;
	bool is_answered;
	struct otlp_verdict verdict;
	char why[ERR_TEXT_MAX];
	uint32_t spans, attempt; /* of the request under way */
	/* It was said already: */
	bool is_failing, is_dropping;
};

static void wake(void *arg)
{
	struct otlp_thread *t = arg;

	parker_wake(&t->parker);
}

static void split(struct otlp_thread *t, const char *url)
{
	const char *host = strstr(url, "://") + 3;
	const char *slash = strchr(host, '/');
	size_t len = slash == NULL ? strlen(url) : (size_t)(slash - url);

	(void)snprintf(t->base_url, sizeof(t->base_url), "%.*s", (int)len, url);
	(void)snprintf(t->target, sizeof(t->target), "%s",
		       slash == NULL ? "/v1/traces" : slash);
}

int otlp_thread_new(const struct otlp_params *p, struct otlp_thread **out)
{
	const struct http_params http = {.ca_file = p->ca_file,
					 .plain_allowed = true,
					 .private_allowed = true,
					 .connect_ns = CONNECT_NS,
					 .total_ns = TOTAL_NS,
					 .stall_ns = TOTAL_NS,
					 .body_max = ANSWER_MAX,
					 .in_flight_max = 1};
	struct otlp_thread *t = calloc(1, sizeof(*t));
	uint8_t random[24];
	uint64_t seed;
	int rc;

	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the export of traces");
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		free(t);
		return err_set(-EIO, "no random bytes for trace ids");
	}
	memcpy(&seed, random + 16, sizeof(seed));
	rng_seed(&t->chance, seed);
	otlp_resource_init(&t->resource, random, p->epoch);
	parker_init(&t->parker);
	split(t, p->url);
	t->per_trace_ns = NS_PER_S / p->rate;
	t->credit_ns = NS_PER_S;
	rc = mailbox_new(QUEUE_TRACES, sizeof(struct otlp_trace), wake, t, &t->queue);
	if (rc == 0)
		rc = http_pool_new(&http, &t->http);
	if (rc < 0) {
		otlp_thread_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

void otlp_thread_free(struct otlp_thread *t)
{
	if (t == NULL)
		return;
	http_pool_free(t->http);
	mailbox_free(t->queue);
	buf_free(&t->body);
	free(t);
}

const struct otlp_resource *otlp_thread_resource(const struct otlp_thread *t)
{
	return &t->resource;
}

/* ---- the loop's side ---- */

/* By the time of the steps themselves; the clock is not asked. */
static bool may_pass(struct otlp_thread *t, int64_t now_ns)
{
	int64_t since = now_ns - t->credited_ns;

	if (since > 0) {
		t->credited_ns = now_ns;
		t->credit_ns = since < NS_PER_S - t->credit_ns ? t->credit_ns + since
							       : NS_PER_S;
	}
	if (t->credit_ns < t->per_trace_ns)
		return false;
	t->credit_ns -= t->per_trace_ns;
	return true;
}

void otlp_thread_offer(struct otlp_thread *t, const struct trace_step *s, bool is_slow)
{
	const struct otlp_trace trace = {.step = *s, .is_slow = is_slow};

	if (!may_pass(t, s->at_ns[TRACE_PUBLISH]) && !is_slow)
		stats_add(STAT_OTLP_PASSED_OVER, 1);
	else if (mailbox_post(t->queue, &trace) != 0)
		stats_add(STAT_OTLP_DROPPED, otlp_spans(s));
}

/* ---- requests ---- */

static void on_answer(void *arg, const struct http_answer *a)
{
	struct otlp_thread *t = arg;
	const struct otlp_answer answer = {.error = a->error,
					   .status = a->status,
					   .retry_after = a->retry_after,
					   .body = a->body,
					   .len = a->len,
					   .spans = t->spans,
					   .attempt = t->attempt,
					   .wall_ns = clock_wall_ns()};

	t->is_answered = true;
	otlp_judge(&answer, &t->chance, &t->verdict);
	if (a->error != 0)
		(void)snprintf(t->why, sizeof(t->why), "%s", a->why);
	else
		(void)snprintf(t->why, sizeof(t->why), "%.120s%.80s answers %ld",
			       t->base_url, t->target, a->status);
}

/* The verdict is in t->verdict.  When the daemon ends it has until @end_ns. */
static void ask(struct otlp_thread *t, int64_t *end_ns)
{
	const struct http_request r = {.base_url = t->base_url,
				       .target = t->target,
				       .headers = content_type,
				       .headers_len = sizeof(content_type),
				       .form = (const char *)t->body.data,
				       .form_len = t->body.len};
	struct http_transfer *transfer = NULL;

	t->is_answered = false;
	t->verdict = (struct otlp_verdict){.action = OTLP_REFUSED};
	stats_add(STAT_OTLP_REQUESTS, 1);
	if (http_send(t->http, &r, on_answer, t, &transfer) < 0) {
		(void)snprintf(t->why, sizeof(t->why), "%s", err_text());
		return;
	}
	while (!t->is_answered) {
		if (atomic_load(&t->stop)) {
			int64_t now = clock_mono_ns();

			if (*end_ns == 0)
				*end_ns = now + LAST_NS;
			if (now >= *end_ns)
				break;
		}
		(void)http_step(t->http, STEP_NS);
	}
	if (t->is_answered)
		return;
	http_cancel(transfer);
	(void)snprintf(t->why, sizeof(t->why), "the daemon ends");
}

/* Sleep; what comes meanwhile waits in the queue. */
static void rest(struct otlp_thread *t, int64_t ns)
{
	int64_t end = clock_mono_ns() + ns;

	for (int64_t left = ns; left > 0 && !atomic_load(&t->stop);
	     left = end - clock_mono_ns()) {
		parker_prepare(&t->parker);
		if (atomic_load(&t->stop))
			parker_cancel(&t->parker);
		else
			parker_wait(&t->parker, left);
	}
}

static void taken(struct otlp_thread *t)
{
	const struct otlp_verdict *v = &t->verdict;

	stats_add(STAT_OTLP_SPANS, t->spans - v->rejected);
	stats_add(STAT_OTLP_REJECTED, v->rejected);
	if (v->rejected > 0 || v->text[0] != '\0')
		log_warn("otlp", "the collector refused %llu of %u spans: %s",
			 (unsigned long long)v->rejected, t->spans,
			 v->text[0] != '\0' ? v->text : "it does not say why");
	if (t->is_failing)
		log_info("otlp", "traces are exported again");
	t->is_failing = t->is_dropping = false;
}

static void given_up(struct otlp_thread *t)
{
	stats_add(STAT_OTLP_DROPPED, t->spans);
	if (!t->is_dropping)
		log_warn("otlp", "%s; spans are dropped until it is well again",
			 t->why);
	t->is_failing = t->is_dropping = true;
}

static void deliver(struct otlp_thread *t, int64_t *end_ns)
{
	int64_t began = clock_mono_ns();

	t->body.len = 0;
	t->spans = otlp_encode(&t->resource, t->batch, t->n_batch, &t->body);
	for (t->attempt = 1;; t->attempt++) {
		ask(t, end_ns);
		if (t->verdict.action == OTLP_TAKEN) {
			taken(t);
			return;
		}
		stats_add(STAT_OTLP_FAILURES, 1);
		if (t->verdict.action != OTLP_AGAIN || atomic_load(&t->stop) ||
		    clock_mono_ns() + t->verdict.wait_ns - began > GIVE_UP_NS) {
			given_up(t);
			return;
		}
		if (!t->is_failing)
			log_warn("otlp", "%s; it is asked again", t->why);
		t->is_failing = true;
		rest(t, t->verdict.wait_ns);
	}
}

/* ---- the thread ---- */

/* The next trace, waiting until @due_ns (0: for ever) or the end; false: none. */
static bool next(struct otlp_thread *t, int64_t due_ns, struct otlp_trace *out)
{
	for (;;) {
		int64_t left = due_ns == 0 ? -1 : due_ns - clock_mono_ns();

		if (mailbox_take(t->queue, out) == 0)
			return true;
		if (due_ns != 0 && left <= 0)
			return false;
		parker_prepare(&t->parker);
		if (mailbox_take(t->queue, out) == 0) {
			parker_cancel(&t->parker);
			return true;
		}
		if (atomic_load(&t->stop)) {
			parker_cancel(&t->parker);
			return false;
		}
		parker_wait(&t->parker, left);
	}
}

/* False: the end has come and nothing is left. */
static bool gather(struct otlp_thread *t)
{
	int64_t due = 0;

	t->n_batch = 0;
	while (t->n_batch < BATCH_TRACES && next(t, due, &t->batch[t->n_batch]))
		if (t->n_batch++ == 0)
			due = clock_mono_ns() + LINGER_NS;
	return t->n_batch > 0;
}

static void *body(void *arg)
{
	struct otlp_thread *t = arg;
	int64_t end_ns = 0; /* of the last second; 0: it has not begun */

	while (gather(t))
		deliver(t, &end_ns);
	return NULL;
}

int otlp_thread_start(struct otlp_thread *t)
{
	int rc = pthread_create(&t->thread, NULL, body, t);

	if (rc != 0)
		return err_set(-rc, "cannot start the export of traces: %s",
			       strerror(rc));
	t->is_running = true;
	(void)pthread_setname_np(t->thread, "otlp");
	return 0;
}

void otlp_thread_stop(struct otlp_thread *t)
{
	if (t == NULL || !t->is_running)
		return;
	atomic_store(&t->stop, true);
	parker_wake(&t->parker);
	http_wake(t->http);
	(void)pthread_join(t->thread, NULL);
	t->is_running = false;
}
