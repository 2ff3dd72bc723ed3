/*
 * daemon_history - the two threads that fetch and keep vendors' past; neither exists
 * without vendors in the configuration, but that jobs that compute are kept by one.  A
 * history.db that cannot be used is said, and keeps nobody else from working.
 */
#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon_parts.h"
#include <stdio.h>

static void go_without(struct daemon *d)
{
	(void)snprintf(d->history_why, sizeof(d->history_why), "%s", err_text());
	log_err("history", "%s; the daemon goes on without it", d->history_why);
}

int daemon_open_history(struct daemon *d)
{
	struct feed_env env = {.config = &d->config};
	int rc;

	if (d->config.n_vendors == 0 && d->config.analysis.dir[0] == '\0') {
		(void)snprintf(d->history_why, sizeof(d->history_why),
			       "no vendor is configured: add `vendors:` to the "
			       "configuration (for jobs that compute, analysis.dir is "
			       "enough)");
		return 0;
	}
	if (history_thread_new(&d->config, &d->history) < 0)
		go_without(d);
	if (d->config.n_vendors == 0)
		return 0;
	if (d->history != NULL) {
		env.is_full = history_is_full;
		env.arg = d->history;
	}
	rc = feed_thread_new(&env, &d->feed);
	if (rc == 0 && d->history != NULL)
		history_thread_feed(d->history, d->feed);
	return rc;
}

int daemon_start_history(struct daemon *d)
{
	int rc = d->feed != NULL ? feed_thread_start(d->feed) : 0;

	return rc < 0 || d->history == NULL ? rc : history_thread_start(d->history);
}

void daemon_stop_history(struct daemon *d)
{
	history_thread_quiesce(d->history);
	feed_thread_stop(d->feed);
	history_thread_stop(d->history);
}

void daemon_close_history(struct daemon *d)
{
	feed_thread_free(d->feed);
	d->feed = NULL;
	history_thread_free(d->history);
	d->history = NULL;
}
