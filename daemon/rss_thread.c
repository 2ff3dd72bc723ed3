/* rss_thread - see rss_thread.h; a feed's inside is rss_feed.c. */
#include "daemon/rss_thread.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/rss_feed.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TURN_NS       NS_PER_S /* a sleeper still shows that it lives */
#define HOST_REQUESTS 300u     /* a minute, of all feeds of a server */
#define HOST_BURST    20u

struct rss_thread {
	struct rss_env env;
	struct http_pool *http; /* owned */
	struct rss_feed *feeds; /* owned */
	size_t n;
	struct rss_host *hosts; /* owned */
	size_t n_hosts;
	pthread_mutex_t lock;     /* of board */
	struct rss_status *board; /* owned; what was said last of each feed */
	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	atomic_ulong moved;
};

const char *rss_state_name(enum rss_state s)
{
	static const char *const names[] = {
#define X(id, label, help) label,
		RSS_STATES(X)
#undef X
	};

	return names[s];
}

static void wake(void *arg)
{
	http_wake(((struct rss_thread *)arg)->http);
}

static void tell(struct rss_thread *t)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->n; i++)
		t->board[i] = t->feeds[i].status;
	(void)pthread_mutex_unlock(&t->lock);
}

static void *body(void *arg)
{
	struct rss_thread *t = arg;

	while (!atomic_load(&t->stop)) {
		int64_t now = clock_mono_ns(), due = now + TURN_NS;

		atomic_fetch_add_explicit(&t->moved, 1, memory_order_relaxed);
		for (size_t i = 0; i < t->n; i++) {
			int64_t d = rss_feed_step(&t->feeds[i], now);

			due = d < due ? d : due;
		}
		tell(t);
		now = clock_mono_ns();
		if (http_step(t->http, due > now ? due - now : 0) < 0)
			log_warn("rss", "%s", err_text());
	}
	return NULL;
}

/* ---- making it ---- */

static int open_pool(const struct config *c, struct http_pool **out)
{
	const struct config_fetch *f = &c->fetch;
	const struct http_params p = {.ca_file = f->ca_file[0] ? f->ca_file : NULL,
				      .plain_allowed = f->plain_http,
				      .private_allowed = f->private_addresses,
				      .connect_ns = f->connect_ns,
				      .total_ns = f->total_ns,
				      .stall_ns = f->stall_ns,
				      .in_flight_max = f->connections};

	return http_pool_new(&p, out);
}

static int host_of(struct rss_thread *t, const char *url, struct rss_host **out)
{
	char name[160];
	struct rss_host *h;

	(void)rss_feed_host(url, name);
	for (size_t i = 0; i < t->n_hosts; i++)
		if (strcmp(t->hosts[i].name, name) == 0) {
			*out = &t->hosts[i];
			return 0;
		}
	h = *out = &t->hosts[t->n_hosts++];
	memcpy(h->name, name, sizeof(name));
	rng_seed(&h->chance, (uint64_t)clock_wall_ns() + t->n_hosts);
	return ratelimit_init(&h->limit, HOST_REQUESTS, 60 * NS_PER_S, HOST_BURST);
}

int rss_thread_new(const struct rss_env *env, struct rss_thread **out)
{
	const struct config *c = env->config;
	struct rss_thread *t = calloc(1, sizeof(*t));
	struct rss_host *host;
	int rc;

	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the feeds of rss");
	t->env = *env;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->feeds = calloc(c->n_rss + 1, sizeof(*t->feeds));
	t->hosts = calloc(c->n_rss + 1, sizeof(*t->hosts));
	t->board = calloc(c->n_rss + 1, sizeof(*t->board));
	if (t->feeds == NULL || t->hosts == NULL || t->board == NULL)
		rc = err_set(-ENOMEM, "out of memory for the feeds of rss");
	else
		rc = open_pool(c, &t->http);
	for (size_t i = 0; i < c->n_rss && rc == 0; i++) {
		rc = host_of(t, c->rss[i].url, &host);
		if (rc < 0)
			break;
		t->n = i + 1;
		rc = rss_feed_init(&t->feeds[i], c, i, t->http, host, env->store);
		t->feeds[i].producer.sender.wake = wake;
		t->feeds[i].producer.sender.wake_arg = t;
	}
	if (rc < 0) {
		rss_thread_free(t);
		return rc;
	}
	tell(t);
	*out = t;
	return 0;
}

void rss_thread_free(struct rss_thread *t)
{
	if (t == NULL)
		return;
	http_pool_free(t->http); /* before whom its answers would be told to */
	for (size_t i = 0; i < t->n; i++)
		rss_feed_deinit(&t->feeds[i]);
	for (size_t i = 0; i < t->n_hosts; i++)
		ratelimit_free(&t->hosts[i].limit);
	(void)pthread_mutex_destroy(&t->lock);
	free(t->feeds);
	free(t->hosts);
	free(t->board);
	free(t);
}

int rss_thread_start(struct rss_thread *t)
{
	int rc = pthread_create(&t->thread, NULL, body, t);

	if (rc != 0)
		return err_set(-rc, "cannot start the feeds of rss: %s", strerror(rc));
	t->is_running = true;
	(void)pthread_setname_np(t->thread, "rss");
	return 0;
}

void rss_thread_stop(struct rss_thread *t)
{
	if (t == NULL || !t->is_running)
		return;
	atomic_store(&t->stop, true);
	wake(t);
	(void)pthread_join(t->thread, NULL);
	t->is_running = false;
}

uint64_t rss_thread_moved(const struct rss_thread *t)
{
	return atomic_load_explicit(&t->moved, memory_order_relaxed);
}

size_t rss_thread_count(const struct rss_thread *t)
{
	return t != NULL ? t->n : 0;
}

void rss_thread_status(struct rss_thread *t, size_t i, struct rss_status *out)
{
	(void)pthread_mutex_lock(&t->lock);
	*out = t->board[i];
	(void)pthread_mutex_unlock(&t->lock);
}
