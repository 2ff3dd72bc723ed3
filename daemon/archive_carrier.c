/* archive_carrier - see archive_carrier.h. */
#include "daemon/archive_carrier.h"
#include "archive/pipeframe.h"
#include "base/err.h"
#include "base/log.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S  INT64_C(1000000000)
#define ANSWER_NS (120 * NS_PER_S)

extern char **environ;

struct question {
	struct question *next;
	struct buf doc;
	struct buf bulk;
	archive_reply_fn fn;
	void *arg;
};

struct archive_carrier {
	char *program, *dir; /* owned */
	char memory[24], threads[16];
	struct timeval patience;
	pthread_t thread;
	bool has_thread;
	/* the thread's own */
	int fd; /* -1: no helper */
	/* behind the lock */
	pthread_mutex_t lock;
	pthread_cond_t bell;
	struct question *first, **last;
	uint64_t bytes;
	bool is_stopping;
	pid_t pid; /* 0: none; ended by who holds the lock */
	struct archive_carrier_status status;
};

/* ---- the process ---- */

static int spawn(struct archive_carrier *h, int theirs, pid_t *pid)
{
	char *argv[] = {h->program,  "--archive", h->dir,  "--memory", h->memory,
			"--threads", h->threads,  "serve", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, pipes;
	int rc;

	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	sigaddset(&pipes, SIGXFSZ);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(&attr, &pipes);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
							     POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnp(pid, h->program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc == 0 ? 0
		       : err_set(-rc, "cannot start %s: %s", h->program, strerror(rc));
}

static int begin(struct archive_carrier *h)
{
	pid_t pid = 0;
	int pair[2];
	int rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(-errno, "no pipe to the archive: %s", strerror(errno));
	(void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &h->patience,
			 sizeof(h->patience));
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &h->patience,
			 sizeof(h->patience));
	rc = spawn(h, pair[1], &pid);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	h->fd = pair[0];
	pthread_mutex_lock(&h->lock);
	h->pid = pid;
	h->status.starts++;
	h->status.pid = pid;
	h->status.is_running = true;
	if (h->is_stopping)
		(void)kill(pid, SIGKILL);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

/* Append how the process ended, when that was not by us. */
static void say_status(int status, char why[CARRIER_WHY_MAX])
{
	size_t n = strlen(why);

	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		(void)snprintf(why + n, CARRIER_WHY_MAX - n, " (%s)",
			       strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		(void)snprintf(why + n, CARRIER_WHY_MAX - n, " (exit status %d)",
			       WEXITSTATUS(status));
}

/* @why NULL: in order; else it is shown from now on. */
static void end(struct archive_carrier *h, const char *why)
{
	char text[CARRIER_WHY_MAX];
	int status = 0;
	pid_t pid;

	(void)snprintf(text, sizeof(text), "%s", why ? why : "");
	if (h->fd < 0) {
		pthread_mutex_lock(&h->lock);
		memcpy(h->status.why, text, sizeof(text));
		pthread_mutex_unlock(&h->lock);
		return;
	}
	close(h->fd);
	h->fd = -1;
	pthread_mutex_lock(&h->lock);
	pid = h->pid;
	h->pid = 0;
	if (why) /* an orderly one ends with its input */
		(void)kill(pid, SIGKILL);
	h->status.pid = 0;
	h->status.is_running = false;
	h->status.deaths += why != NULL;
	pthread_mutex_unlock(&h->lock);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (why) {
		say_status(status, text);
		log_warn("archive",
			 "tickbus-archive (process %d) was ended: %s; it is "
			 "started again when it is needed",
			 (int)pid, text);
	}
	pthread_mutex_lock(&h->lock);
	memcpy(h->status.why, text, sizeof(text));
	pthread_mutex_unlock(&h->lock);
}

/* ---- the thread ---- */

static void answer(struct question *q, const struct pipeframe *f)
{
	q->fn(q->arg, f ? f->doc : NULL, f ? f->bulk : NULL, f ? f->bulk_len : 0);
	buf_free(&q->doc);
	buf_free(&q->bulk);
	free(q);
}

/* Wait so long for the end, or until there is a question; NULL: the end. */
static struct question *next(struct archive_carrier *h)
{
	struct question *q = NULL;

	pthread_mutex_lock(&h->lock);
	while (h->first == NULL && !h->is_stopping)
		pthread_cond_wait(&h->bell, &h->lock);
	if (!h->is_stopping) {
		q = h->first;
		h->first = q->next;
		if (h->first == NULL)
			h->last = &h->first;
		h->bytes -= q->doc.len + q->bulk.len;
		h->status.waiting--;
	}
	pthread_mutex_unlock(&h->lock);
	return q;
}

static void pause_a_second(struct archive_carrier *h)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&h->lock);
	while (!h->is_stopping &&
	       pthread_cond_timedwait(&h->bell, &h->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&h->lock);
}

/* Without a helper the others that wait would only wait for the same. */
static void answer_waiting(struct archive_carrier *h)
{
	struct question *all, *q;

	pthread_mutex_lock(&h->lock);
	all = h->first;
	h->first = NULL;
	h->last = &h->first;
	h->bytes = 0;
	h->status.waiting = 0;
	pthread_mutex_unlock(&h->lock);
	while ((q = all) != NULL) {
		all = q->next;
		answer(q, NULL);
	}
}

static void put(struct archive_carrier *h, struct question *q)
{
	struct pipeframe f = {0};
	int rc = h->fd < 0 ? begin(h) : 0;
	bool is_begun = rc == 0;

	if (rc == 0)
		rc = pipeframe_write(h->fd, q->doc.data, q->doc.len, q->bulk.data,
				     q->bulk.len);
	if (rc == 0)
		rc = pipeframe_read(h->fd, &f);
	if (rc == -EAGAIN)
		rc = err_set(-ETIMEDOUT, "no answer within %lld ms (archive.limit)",
			     (long long)h->patience.tv_sec * 1000 +
				     h->patience.tv_usec / 1000);
	if (rc == 0) {
		answer(q, &f);
		pipeframe_free(&f);
		return;
	}
	end(h, rc == PIPEFRAME_END ? "it has ended by itself" : err_text());
	answer(q, NULL);
	pipeframe_free(&f);
	if (!is_begun)
		answer_waiting(h);
	pause_a_second(h);
}

static void *body(void *arg)
{
	struct archive_carrier *h = arg;
	struct question *q;

	while ((q = next(h)) != NULL)
		put(h, q);
	end(h, NULL);
	return NULL;
}

/* ---- from outside ---- */

int archive_carrier_ask(void *to, const char *doc, size_t doc_len, const void *bulk,
			size_t bulk_len, archive_reply_fn fn, void *arg)
{
	struct archive_carrier *h = to;
	struct question *q = calloc(1, sizeof(*q));
	bool is_full;

	if (q == NULL)
		return err_set(-ENOMEM, "out of memory for a question to the archive");
	*q = (struct question){.fn = fn, .arg = arg};
	buf_add(&q->doc, doc, doc_len);
	buf_add(&q->bulk, bulk, bulk_len);
	pthread_mutex_lock(&h->lock);
	is_full = h->is_stopping || h->status.waiting >= ARCHIVE_QUESTIONS_MAX ||
		  (h->bytes > 0 && h->bytes + doc_len + bulk_len > ARCHIVE_BYTES_MAX);
	if (!is_full) {
		*h->last = q;
		h->last = &q->next;
		h->bytes += doc_len + bulk_len;
		h->status.waiting++;
		h->status.questions++;
		pthread_cond_signal(&h->bell);
	}
	pthread_mutex_unlock(&h->lock);
	if (!is_full)
		return 0;
	buf_free(&q->doc);
	buf_free(&q->bulk);
	free(q);
	return err_set(-EAGAIN, "too many questions wait for the archive");
}

void archive_carrier_status(struct archive_carrier *h,
			    struct archive_carrier_status *out)
{
	pthread_mutex_lock(&h->lock);
	*out = h->status;
	pthread_mutex_unlock(&h->lock);
}

int archive_carrier_new(const struct archive_carrier_options *o,
			struct archive_carrier **out)
{
	int64_t answer_ns = o->answer_ns > 0 ? o->answer_ns : ANSWER_NS;
	struct archive_carrier *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the archive");
	h->program = strdup(o->program);
	h->dir = strdup(o->dir);
	if (h->program == NULL || h->dir == NULL) {
		free(h->program);
		free(h->dir);
		free(h);
		return err_set(-ENOMEM, "out of memory for the archive");
	}
	(void)snprintf(h->memory, sizeof(h->memory), "%llu",
		       (unsigned long long)(o->memory_bytes >> 20));
	(void)snprintf(h->threads, sizeof(h->threads), "%u", o->threads);
	h->patience.tv_sec = answer_ns / NS_PER_S;
	h->patience.tv_usec = answer_ns % NS_PER_S / 1000;
	h->fd = -1;
	h->last = &h->first;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->bell, NULL);
	*out = h;
	return 0;
}

int archive_carrier_start(struct archive_carrier *h)
{
	int rc = pthread_create(&h->thread, NULL, body, h);

	if (rc != 0)
		return err_set(-rc, "no thread for the archive: %s", strerror(rc));
	h->has_thread = true;
	return 0;
}

void archive_carrier_stop(struct archive_carrier *h)
{
	if (h == NULL || !h->has_thread)
		return;
	pthread_mutex_lock(&h->lock);
	h->is_stopping = true;
	/* What it is at is asked again, and its files are replaced as a whole. */
	if (h->pid != 0)
		(void)kill(h->pid, SIGKILL);
	pthread_cond_signal(&h->bell);
	pthread_mutex_unlock(&h->lock);
	(void)pthread_join(h->thread, NULL);
	h->has_thread = false;
	answer_waiting(h);
}

void archive_carrier_free(struct archive_carrier *h)
{
	if (h == NULL)
		return;
	archive_carrier_stop(h);
	pthread_cond_destroy(&h->bell);
	pthread_mutex_destroy(&h->lock);
	free(h->program);
	free(h->dir);
	free(h);
}
