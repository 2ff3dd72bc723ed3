/* thread_room - see thread_room.h. */
#include "daemon/thread_room.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct room {
	pthread_mutex_t lock; /* held until all have been started */
};

static void *wait_for_all(void *arg)
{
	struct room *r = arg;

	(void)pthread_mutex_lock(&r->lock);
	(void)pthread_mutex_unlock(&r->lock);
	return NULL;
}

int thread_room_check(unsigned n)
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	struct room r;
	unsigned started = 0;
	int rv = 0;

	if (threads == NULL)
		return err_set(-ENOMEM, "out of memory for the threads");
	(void)pthread_mutex_init(&r.lock, NULL);
	(void)pthread_mutex_lock(&r.lock);
	while (started < n && rv == 0) {
		rv = pthread_create(&threads[started], NULL, wait_for_all, &r);
		started += rv == 0;
	}
	(void)pthread_mutex_unlock(&r.lock);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_mutex_destroy(&r.lock);
	free(threads);
	if (rv == 0)
		return 0;
	return err_set(-rv,
		       "cannot start %u threads, only %u: %s; raise TasksMax= or the "
		       "limit on processes",
		       n, started, strerror(rv));
}
