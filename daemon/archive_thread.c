/* archive_thread - see archive_thread.h. */
#include "daemon/archive_thread.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "bus/stats.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLUSHES_MAX 64
#define RETRY_NS    (5 * NS_PER_S)
#define SLEEP_NS    NS_PER_S
#define SOON_NS     (10 * NS_PER_MS)

struct flush {
	archive_flushed_fn fn;
	void *arg;
};

struct archive_thread {
	struct archive_env env;
	struct mailbox *box;
	struct parker parker;
	pthread_t thread;
	bool is_running;
	atomic_bool stop;
	struct flush flushes[FLUSHES_MAX]; /* to be answered after the hand-over */
	size_t n_flushes;
	int64_t due_ns;
	pthread_mutex_t lock; /* guards status */
	struct archive_thread_status status;
};

static void wake(void *arg)
{
	parker_wake(&((struct archive_thread *)arg)->parker);
}

int archive_thread_new(const struct archive_env *env, struct archive_thread **out)
{
	struct archive_thread *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the archive's thread");
	t->env = *env;
	parker_init(&t->parker);
	(void)pthread_mutex_init(&t->lock, NULL);
	rc = mailbox_new(FLUSHES_MAX, sizeof(struct flush), wake, t, &t->box);
	if (rc < 0) {
		archive_thread_free(t);
		return rc;
	}
	*out = t;
	return 0;
}

static void cancel(const struct flush *f)
{
	f->fn(f->arg, err_set(-ECANCELED, "the daemon is stopping"));
}

void archive_thread_free(struct archive_thread *t)
{
	struct flush f;

	if (t == NULL)
		return;
	while (t->box != NULL && mailbox_take(t->box, &f) == 0)
		cancel(&f);
	mailbox_free(t->box);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

int archive_flush(struct archive_thread *t, archive_flushed_fn fn, void *arg)
{
	const struct flush f = {.fn = fn, .arg = arg};
	int rc = mailbox_post(t->box, &f);

	if (rc == MAILBOX_FULL)
		stats_add(STAT_MAILBOX_FULL, 1);
	return rc;
}

void archive_thread_status(struct archive_thread *t, struct archive_thread_status *out)
{
	(void)pthread_mutex_lock(&t->lock);
	*out = t->status;
	(void)pthread_mutex_unlock(&t->lock);
}

bool archive_thread_stopping(const struct archive_thread *t)
{
	return t != NULL && atomic_load(&t->stop);
}

/* ---- the thread ---- */

/* The hand-over ended: well (0), or not. */
ON_ARCHIVE static void ended(struct archive_thread *t, int rc)
{
	int64_t now = clock_mono_ns();

	(void)pthread_mutex_lock(&t->lock);
	if (rc == 0) {
		t->status.handovers++;
		t->status.done_ns = clock_wall_ns();
		t->status.why[0] = '\0';
	} else {
		t->status.failures++;
		(void)snprintf(t->status.why, sizeof(t->status.why), "%s", err_text());
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (rc < 0)
		stats_add(STAT_ARCHIVE_FAILURES, 1);
	for (size_t i = 0; i < t->n_flushes; i++)
		t->flushes[i].fn(t->flushes[i].arg, rc);
	t->n_flushes = 0;
	t->due_ns = now + (rc == 0 || t->env.every_ns < RETRY_NS ? t->env.every_ns
								 : RETRY_NS);
}

/* 0, ARCHIVE_MORE or ARCHIVE_SOON. */
ON_ARCHIVE static int hand_over(struct archive_thread *t)
{
	int rc;

	if (t->n_flushes == 0 && clock_mono_ns() < t->due_ns)
		return 0;
	rc = t->env.step(t->env.arg, t->n_flushes > 0);
	if (rc > 0)
		return rc;
	if (rc < 0 && !atomic_load(&t->stop))
		log_warn("archive", "%s; handed over again later", err_text());
	ended(t, rc);
	return 0;
}

/* Who comes in the middle of a hand-over is answered by the next. */
static void rest(struct archive_thread *t, bool is_between)
{
	parker_prepare(&t->parker);
	if (atomic_load(&t->stop)) {
		parker_cancel(&t->parker);
	} else if (is_between && mailbox_take(t->box, &t->flushes[t->n_flushes]) == 0) {
		t->n_flushes++;
		parker_cancel(&t->parker);
	} else {
		parker_wait(&t->parker, is_between ? SLEEP_NS : SOON_NS);
	}
}

static void *body(void *arg)
{
	struct archive_thread *t = arg;
	int more = 0;

	role_self = &role_archive;
	role_assert_archive();
	while (!atomic_load(&t->stop)) {
		while (more == 0 && t->n_flushes < FLUSHES_MAX &&
		       mailbox_take(t->box, &t->flushes[t->n_flushes]) == 0)
			t->n_flushes++;
		more = hand_over(t);
		if (more != ARCHIVE_MORE)
			rest(t, more == 0);
	}
	for (size_t i = 0; i < t->n_flushes; i++)
		cancel(&t->flushes[i]);
	t->n_flushes = 0;
	return NULL;
}

int archive_thread_start(struct archive_thread *t)
{
	int rc = pthread_create(&t->thread, NULL, body, t);

	if (rc != 0)
		return err_set(-rc, "cannot start the archive's thread: %s",
			       strerror(rc));
	t->is_running = true;
	(void)pthread_setname_np(t->thread, "archive");
	return 0;
}

void archive_thread_quiesce(struct archive_thread *t)
{
	if (t == NULL)
		return;
	atomic_store(&t->stop, true);
	parker_wake(&t->parker);
}

void archive_thread_stop(struct archive_thread *t)
{
	if (t == NULL || !t->is_running)
		return;
	archive_thread_quiesce(t);
	(void)pthread_join(t->thread, NULL);
	t->is_running = false;
}
