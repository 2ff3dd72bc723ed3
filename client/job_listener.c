/*
 * job_listener - how far the daemon's jobs are, off the socket of status events. A word
 * about a job replaces the one before, so nothing is numbered, kept or fetched here.
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/feedsock.h"
#include "client/options.h"
#include "proto/job_progress.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct tickbus_job) == sizeof(struct job_progress) &&
		       offsetof(struct tickbus_job, text) ==
			       offsetof(struct job_progress, text),
	       "a job of the header is one of the wire");

struct tickbus_jobs {
	struct options options;
	struct feedsock socket;
	struct splink_msg *msg; /* owned; NULL: none */
	struct job_progress_view view;
	uint32_t at; /* the next job of it */
};

int tickbus_jobs_open(const struct tickbus_options *options, struct tickbus_jobs **out)
{
	struct tickbus_jobs *j = calloc(1, sizeof(*j));
	int rc;

	if (j == NULL)
		return err_set(-ENOMEM, "no memory for a subscription to jobs");
	rc = options_init(&j->options, options);
	if (rc == 0)
		rc = feedsock_open(&j->socket, j->options.url[TICKBUS_STATUS],
				   EVENT_JOB, -1);
	if (rc < 0) {
		free(j);
		return rc;
	}
	*out = j;
	return 0;
}

void tickbus_jobs_close(struct tickbus_jobs *j)
{
	if (j == NULL)
		return;
	feedsock_close(&j->socket);
	free(j->msg);
	free(j);
}

/* The next message of jobs; others (heartbeats) only say that the daemon lives. */
static bool take(struct tickbus_jobs *j)
{
	size_t skip = j->socket.topic_len;

	free(j->msg);
	j->msg = NULL;
	j->view.n = j->at = 0;
	while (feedsock_take(&j->socket, &j->msg) == 0) {
		if (j->msg->len >= skip &&
		    memcmp(j->msg->data, j->socket.topic, skip) == 0 &&
		    job_progress_open(j->msg->data + skip, j->msg->len - skip,
				      &j->view) == 0)
			return true;
		free(j->msg);
		j->msg = NULL;
	}
	j->msg = NULL; /* what was not for us has been freed */
	j->view.n = 0;
	return false;
}

int tickbus_jobs_next(struct tickbus_jobs *j, int timeout_ms, struct tickbus_job *out)
{
	int64_t until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	struct job_progress job;

	while (j->at >= j->view.n && !take(j)) {
		int64_t left_ms = (until_ns - clock_mono_ns()) / NS_PER_MS;

		if (timeout_ms >= 0 && left_ms <= 0)
			return TICKBUS_TIMEOUT;
		if (feedsock_is_silent(&j->socket, j->options.heartbeat_ms))
			feedsock_renew(&j->socket);
		if (timeout_ms < 0 || left_ms > j->options.heartbeat_ms)
			left_ms = j->options.heartbeat_ms;
		splink_wait(&j->socket.link, (int)left_ms);
	}
	job_progress_get(&j->view, j->at++, &job);
	memcpy(out, &job, sizeof(*out));
	return 0;
}

const char *tickbus_job_what_name(unsigned what)
{
	return job_what_name(what);
}

const char *tickbus_job_state_name(unsigned state)
{
	return job_state_name(state);
}
