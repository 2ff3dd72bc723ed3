/* duck_watch - a limit of time, kept by a thread. */
#include "archive/duck_own.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct duck_watch {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct timespec until;
	duckdb_connection con;
	bool done;
	bool barked;
	uint64_t limit_ms;
	pthread_t thread;
};

static void *watch(void *arg)
{
	struct duck_watch *w = arg;

	pthread_mutex_lock(&w->lock);
	while (!w->done && !w->barked) {
		if (pthread_cond_timedwait(&w->wake, &w->lock, &w->until) != ETIMEDOUT)
			continue;
		w->barked = true;
		duckdb_interrupt(w->con);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void destroy(struct duck_watch *w)
{
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int duck_watch_start(struct duck *d, uint64_t limit_ms, struct duck_watch **out)
{
	struct duck_watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int rc;

	if (!w)
		return err_set(-ENOMEM, "no memory for a time limit");
	w->con = d->con;
	w->limit_ms = limit_ms;
	clock_gettime(CLOCK_MONOTONIC, &w->until);
	w->until.tv_sec += (time_t)(limit_ms / 1000);
	w->until.tv_nsec += (long)(limit_ms % 1000) * 1000000;
	if (w->until.tv_nsec >= 1000000000) {
		w->until.tv_sec++;
		w->until.tv_nsec -= 1000000000;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&w->thread, NULL, watch, w);
	if (rc != 0) {
		destroy(w);
		return err_set(-rc, "no thread for the time limit: %s", strerror(rc));
	}
	*out = w;
	return 0;
}

int duck_watch_stop(struct duck_watch *w, int rc)
{
	pthread_mutex_lock(&w->lock);
	w->done = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	if (rc == -ETIMEDOUT)
		err_set(rc,
			"stopped after its limit of %llu ms: ask for less, or "
			"raise the limit",
			(unsigned long long)w->limit_ms);
	destroy(w);
	return rc;
}
