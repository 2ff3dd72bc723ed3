/*
 * daemon_analysis - the jobs that compute: where history.db is, since they are rows of
 * it.  A folder of results that cannot be used is said, and keeps nobody else from
 * working.
 */
#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon_parts.h"
#include <stdio.h>

int daemon_open_analysis(struct daemon *d)
{
	const char *why = NULL;
	int rc = job_progress_board_new(d, &d->progress);

	if (rc < 0)
		return rc;
	if (d->config.analysis.jobs == 0)
		why = "analysis.jobs is 0: no job computes";
	else if (d->history == NULL)
		why = d->history_why;
	else if (d->config.listen.admin[0] == '\0')
		why = "listen.admin is off: whoever computes asks it";
	else if (analysis_room_new(&d->config, d->history, &d->analysis) < 0)
		why = err_text();
	if (why == NULL)
		return 0;
	(void)snprintf(d->analysis_why, sizeof(d->analysis_why), "%s", why);
	if (d->history != NULL && d->config.analysis.jobs != 0)
		log_err("analysis", "%s; the daemon goes on without it", why);
	return 0;
}

int daemon_start_analysis(struct daemon *d)
{
	return d->analysis == NULL ? 0 : analysis_room_start(d->analysis);
}
