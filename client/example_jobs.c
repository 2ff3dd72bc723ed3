/* example_jobs - what the daemon says of its jobs, a line each: example_jobs [URL] */
#include <stdio.h>
#include <tickbus.h>

int main(int argc, char **argv)
{
	struct tickbus_options options = {0};
	struct tickbus_jobs *jobs;
	struct tickbus_job job;
	int rc;

	if (argc > 1)
		options.url[TICKBUS_STATUS] = argv[1];
	rc = tickbus_jobs_open(&options, &jobs);
	while (rc == 0) {
		rc = tickbus_jobs_next(jobs, -1, &job);
		if (rc != 0)
			break;
		printf("job %llu, %s: %s, %u of %u, %u failed %.64s\n",
		       (unsigned long long)job.id, tickbus_job_what_name(job.what),
		       tickbus_job_state_name(job.state),
		       job.done + job.failed + job.cancelled, job.total, job.failed,
		       job.text);
		(void)fflush(stdout);
	}
	fprintf(stderr, "%s\n", tickbus_error());
	return 1;
}
