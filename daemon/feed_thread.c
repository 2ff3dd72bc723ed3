/* feed_thread - see feed_thread.h. */
#include "daemon/feed_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "bus/stats.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS_MAX 4096
#define IDLE_NS    NS_PER_S /* a sleeper still shows that it lives */

/* A question from here to its last answer. */
struct order {
	struct order *prev, *next;
	struct feed_thread *thread;
	uint64_t id;
	size_t vendor;
	struct vendor_ask ask;
	fetch_fn fn;
	void *arg;
	uint64_t fetcher_id; /* 0: its fetcher does not know it yet */
};

struct letter {
	struct order *order; /* NULL: cancel */
	uint64_t cancel_id;
};

struct vendor {
	struct feed_vendor public;
	struct secret *key;        /* owned */
	struct secret *key_secret; /* owned */
	struct fetcher *fetcher;   /* owned; NULL: it cannot be asked */
	struct fetch_counts told;  /* lock */
	char warning[200];         /* FEED; the last that was logged */
};

struct feed_thread {
	struct feed_env env;
	struct http_pool *pool; /* owned */
	struct vendor vendors[CONFIG_VENDORS_MAX];
	size_t n_vendors;
	struct mailbox *box; /* owned; struct letter */
	_Atomic uint64_t last_id;
	struct order *orders; /* FEED; newest first */
	pthread_mutex_t lock; /* guards the counters that were told */
	pthread_t thread;
	bool running_thread;
	atomic_bool stop;
	_Atomic uint64_t moved;
};

static void wake(void *arg)
{
	http_wake(((struct feed_thread *)arg)->pool);
}

/* ---- orders ---- */

ON_FEED static void forget(struct order *o)
{
	if (o->prev != NULL)
		o->prev->next = o->next;
	else
		o->thread->orders = o->next;
	if (o->next != NULL)
		o->next->prev = o->prev;
	free(o);
}

/* Once, and not with every page. */
ON_FEED static void log_warning(struct vendor *v, const char *warning)
{
	if (warning[0] == '\0' ||
	    strncmp(v->warning, warning, sizeof(v->warning) - 1) == 0)
		return;
	(void)snprintf(v->warning, sizeof(v->warning), "%s", warning);
	log_warn("feed", "%s warns: %s", v->public.config->name, v->warning);
}

static int on_news(void *arg, const struct fetch_news *n)
{
	struct order *o = arg;
	int rc;

	role_assert_feed();
	if (n->state == FETCH_PAGE)
		log_warning(&o->thread->vendors[o->vendor], n->warning);
	rc = o->fn(o->arg, n);
	if (n->state != FETCH_PAGE || rc != 0)
		forget(o);
	return rc;
}

ON_FEED static void end_order(struct order *o, const char *why)
{
	struct fetch_news n = {.state = FETCH_FAILED,
			       .ask = &o->ask,
			       .problem = {.verdict = VENDOR_REFUSED}};

	if (o->fetcher_id != 0)
		fetcher_cancel(o->thread->vendors[o->vendor].fetcher, o->fetcher_id);
	(void)snprintf(n.problem.why, sizeof(n.problem.why), "%s", why);
	(void)on_news(o, &n);
}

ON_FEED static void take_order(struct feed_thread *f, struct order *o)
{
	o->next = f->orders;
	if (o->next != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): forget() unlinks first */
		o->next->prev = o;
	f->orders = o;
	if (fetcher_ask(f->vendors[o->vendor].fetcher, &o->ask, on_news, o,
			&o->fetcher_id) < 0)
		end_order(o, err_text());
}

ON_FEED static struct order *find(const struct feed_thread *f, uint64_t id)
{
	struct order *o = f->orders;

	while (o != NULL && o->id != id)
		o = o->next;
	return o;
}

ON_FEED static void take_letters(struct feed_thread *f)
{
	struct letter l;

	while (mailbox_take(f->box, &l) == 0) {
		struct order *o = l.order != NULL ? NULL : find(f, l.cancel_id);

		if (l.order != NULL)
			take_order(f, l.order);
		else if (o != NULL)
			end_order(o, "cancelled");
	}
}

/* Nothing is answered any more. */
ON_FEED static void end_all(struct feed_thread *f)
{
	take_letters(f);
	while (f->orders != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): likewise */
		end_order(f->orders, "the daemon stops");
}

/* ---- making it ---- */

static int load_key(const struct config *c, const char *name, struct secret **out)
{
	if (name[0] == '\0')
		return 0;
	return secret_load(name, c->credentials[0] ? c->credentials : NULL, out);
}

static int load_vendor(struct feed_thread *f, const struct config_vendor *c,
		       struct vendor *v)
{
	static const char *const adapters[] = {[CONFIG_ALPACA] = "alpaca",
					       [CONFIG_POLYGON] = "polygon",
					       [CONFIG_DATABENTO] = "databento",
					       [CONFIG_YAHOO] = "yahoo"};
	struct vendor_settings *s = &v->public.settings;
	struct fetcher_params p = {.in_flight = c->in_flight,
				   .requests = c->requests,
				   .per_ns = c->requests != 0 ? c->per_ns : 0,
				   .burst = c->burst,
				   .attempts = c->attempts,
				   .wait_max_ns = c->wait_max_ns,
				   .seed = (uint64_t)clock_wall_ns() + f->n_vendors};
	int rc;

	v->public.config = c;
	v->public.ops = vendor_find(adapters[c->adapter]);
	if (v->public.ops == NULL)
		return err_set(-ENOENT, "there is no adapter %s", adapters[c->adapter]);
	(void)snprintf(s->name, sizeof(s->name), "%s", v->public.ops->name);
	(void)snprintf(s->base_url, sizeof(s->base_url), "%s", c->base_url);
	(void)snprintf(s->feed, sizeof(s->feed), "%s", c->feed);
	(void)snprintf(s->dataset, sizeof(s->dataset), "%s", c->dataset);
	rc = load_key(f->env.config, c->key, &v->key);
	if (rc == 0)
		rc = load_key(f->env.config, c->secret, &v->key_secret);
	if (rc < 0)
		return rc;
	s->key = v->key;
	s->key_secret = v->key_secret;
	p.ops = v->public.ops;
	p.settings = *s;
	return fetcher_new(f->pool, &p, &v->fetcher);
}

static int open_pool(const struct config_fetch *c, struct http_pool **out)
{
	const struct http_params p = {.ca_file = c->ca_file[0] ? c->ca_file : NULL,
				      .plain_allowed = c->plain_http,
				      .private_allowed = c->private_addresses,
				      .connect_ns = c->connect_ns,
				      .total_ns = c->total_ns,
				      .stall_ns = c->stall_ns,
				      .body_max = c->body_bytes_max,
				      .in_flight_max = c->connections};

	return http_pool_new(&p, out);
}

int feed_thread_new(const struct feed_env *env, struct feed_thread **out)
{
	struct feed_thread *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return err_set(-ENOMEM, "out of memory for the feed thread");
	f->env = *env;
	(void)pthread_mutex_init(&f->lock, NULL);
	rc = open_pool(&env->config->fetch, &f->pool);
	if (rc == 0)
		rc = mailbox_new(ORDERS_MAX, sizeof(struct letter), wake, f, &f->box);
	if (rc < 0) {
		feed_thread_free(f);
		return rc;
	}
	for (size_t i = 0; i < env->config->n_vendors; i++) {
		struct vendor *v = &f->vendors[f->n_vendors++];

		if (load_vendor(f, &env->config->vendors[i], v) == 0)
			continue;
		(void)snprintf(v->public.why, sizeof(v->public.why), "%.300s",
			       err_text());
		log_err("feeds", "vendor %s cannot be asked: %s",
			env->config->vendors[i].name, v->public.why);
	}
	*out = f;
	return 0;
}

void feed_thread_free(struct feed_thread *f)
{
	if (f == NULL)
		return;
	role_assert_feed(); /* its thread is gone */
	if (f->box != NULL)
		end_all(f);
	for (size_t i = 0; i < f->n_vendors; i++) {
		fetcher_free(f->vendors[i].fetcher);
		secret_free(f->vendors[i].key);
		secret_free(f->vendors[i].key_secret);
	}
	http_pool_free(f->pool);
	mailbox_free(f->box);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- asking ---- */

int feed_thread_ask(struct feed_thread *f, const char *vendor,
		    const struct vendor_ask *ask, fetch_fn fn, void *arg,
		    uint64_t *out_id)
{
	const struct feed_vendor *v = feed_thread_vendor(f, vendor);
	struct letter l;
	int rc;

	if (v == NULL)
		return err_set(-ENOENT, "there is no vendor %.40s in the configuration",
			       vendor);
	if (v->why[0] != '\0')
		return err_set(-EACCES, "%s", v->why);
	rc = v->ops->check(&v->settings, ask);
	if (rc < 0)
		return rc;
	l = (struct letter){.order = calloc(1, sizeof(*l.order))};
	if (l.order == NULL)
		return err_set(-EAGAIN, "out of memory for a question to %s", vendor);
	*l.order = (struct order){
		.thread = f,
		.id = atomic_fetch_add(&f->last_id, 1) + 1,
		.vendor = (size_t)((const struct vendor *)v - f->vendors),
		.ask = *ask,
		.fn = fn,
		.arg = arg};
	*out_id = l.order->id; /* before its answer can come */
	if (mailbox_post(f->box, &l) == MAILBOX_FULL) {
		free(l.order);
		return err_set(-EAGAIN, "too many questions wait for %s", vendor);
	}
	return 0;
}

void feed_thread_cancel(struct feed_thread *f, uint64_t id)
{
	const struct letter l = {.cancel_id = id};

	/* Full of questions: it is asked again by whoever still wants it ended. */
	if (mailbox_post(f->box, &l) == MAILBOX_FULL)
		stats_add(STAT_MAILBOX_FULL, 1);
}

void feed_thread_wake(struct feed_thread *f)
{
	http_wake(f->pool);
}

/* ---- who can be asked ---- */

const struct feed_vendor *feed_thread_vendor(const struct feed_thread *f,
					     const char *name)
{
	for (size_t i = 0; i < f->n_vendors; i++)
		if (strcmp(f->vendors[i].public.config->name, name) == 0)
			return &f->vendors[i].public;
	return NULL;
}

const struct feed_vendor *feed_thread_vendor_at(const struct feed_thread *f, size_t i)
{
	return i < f->n_vendors ? &f->vendors[i].public : NULL;
}

void feed_thread_counts(struct feed_thread *f, size_t i, struct fetch_counts *out)
{
	(void)pthread_mutex_lock(&f->lock);
	*out = f->vendors[i].told;
	(void)pthread_mutex_unlock(&f->lock);
}

/* ---- the thread ---- */

ON_FEED static void tell_counts(struct feed_thread *f)
{
	for (size_t i = 0; i < f->n_vendors; i++) {
		struct vendor *v = &f->vendors[i];
		struct fetch_counts now;

		if (v->fetcher == NULL)
			continue;
		fetcher_counts(v->fetcher, &now);
		stats_add(STAT_VENDOR_REQUESTS, now.requests - v->told.requests);
		stats_add(STAT_VENDOR_RETRIES, now.retries - v->told.retries);
		stats_add(STAT_VENDOR_LIMITED, now.limited - v->told.limited);
		stats_add(STAT_VENDOR_FAILED, now.failed - v->told.failed);
		stats_add(STAT_VENDOR_ROWS, now.rows - v->told.rows);
		stats_add(STAT_VENDOR_BYTES, now.bytes - v->told.bytes);
		(void)pthread_mutex_lock(&f->lock);
		v->told = now;
		(void)pthread_mutex_unlock(&f->lock);
	}
}

/* Send what may be sent; how long until more may. */
ON_FEED static int64_t step_fetchers(struct feed_thread *f)
{
	int64_t now = clock_mono_ns(), wait = IDLE_NS;

	if (f->env.is_full != NULL && f->env.is_full(f->env.arg))
		return wait; /* whoever takes a page wakes us */
	for (size_t i = 0; i < f->n_vendors; i++) {
		int64_t w = f->vendors[i].fetcher == NULL
				    ? -1
				    : fetcher_step(f->vendors[i].fetcher, now);

		if (w >= 0 && w < wait)
			wait = w;
	}
	return wait;
}

static void *body(void *arg)
{
	struct feed_thread *f = arg;

	role_self = &role_feed;
	role_assert_feed();
	while (!atomic_load(&f->stop)) {
		int64_t wait;

		take_letters(f);
		wait = step_fetchers(f);
		if (http_step(f->pool, wait) < 0)
			log_warn("feeds", "%s", err_text());
		tell_counts(f);
		atomic_fetch_add_explicit(&f->moved, 1, memory_order_relaxed);
	}
	end_all(f);
	return NULL;
}

int feed_thread_start(struct feed_thread *f)
{
	int rc = pthread_create(&f->thread, NULL, body, f);

	if (rc != 0)
		return err_set(-rc, "cannot start the feed thread: %s", strerror(rc));
	f->running_thread = true;
	(void)pthread_setname_np(f->thread, "feed");
	return 0;
}

void feed_thread_stop(struct feed_thread *f)
{
	if (f == NULL || !f->running_thread)
		return;
	atomic_store(&f->stop, true);
	http_wake(f->pool);
	(void)pthread_join(f->thread, NULL);
	f->running_thread = false;
}

uint64_t feed_thread_moved(const struct feed_thread *f)
{
	return atomic_load_explicit(&f->moved, memory_order_relaxed);
}
