/* hangup - see hangup.h. */
#include "client/hangup.h"
#include "base/clock.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* Freed by whoever is the last to look. */
struct closing {
	nng_socket socket;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool is_over;
	bool is_left; /* the caller has gone */
};

static void drop(struct closing *c)
{
	(void)pthread_mutex_destroy(&c->lock);
	(void)pthread_cond_destroy(&c->over);
	free(c);
}

static void *body(void *arg)
{
	struct closing *c = arg;
	bool is_left;

	(void)nng_close(c->socket);
	(void)pthread_mutex_lock(&c->lock);
	c->is_over = true;
	is_left = c->is_left;
	(void)pthread_cond_signal(&c->over);
	(void)pthread_mutex_unlock(&c->lock);
	if (is_left)
		drop(c);
	return NULL;
}

/* True when the thread was waited for. */
static bool wait_for(struct closing *c)
{
	int64_t ns = clock_mono_ns() + HANGUP_MS * NS_PER_MS;
	struct timespec until = {ns / NS_PER_S, ns % NS_PER_S};
	int rc = 0;
	bool is_over;

	(void)pthread_mutex_lock(&c->lock);
	while (!c->is_over && rc == 0)
		rc = pthread_cond_clockwait(&c->over, &c->lock, CLOCK_MONOTONIC,
					    &until);
	is_over = c->is_over;
	c->is_left = !is_over;
	(void)pthread_mutex_unlock(&c->lock);
	return is_over;
}

/* With all signals blocked: they are the caller's. */
static int start(struct closing *c, pthread_t *out)
{
	sigset_t all, before;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(out, NULL, body, c);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void hangup(nng_socket socket)
{
	struct closing *c = calloc(1, sizeof(*c));
	pthread_t thread;

	if (c == NULL) {
		(void)nng_close(socket);
		return;
	}
	c->socket = socket;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_cond_init(&c->over, NULL);
	if (start(c, &thread) != 0) {
		(void)nng_close(socket);
		drop(c);
	} else if (wait_for(c)) {
		(void)pthread_join(thread, NULL);
		drop(c);
	} else {
		(void)pthread_detach(thread);
	}
}
