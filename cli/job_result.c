/* job_result - see job_result.h. */
#include "cli/job_result.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

static int cannot(const char *what)
{
	return cli_error(CLI_IO, "%s: %s", what, strerror(errno));
}

/* Where it lies, into @path. */
static int find(struct cli *c, uint64_t id, char path[PATH_MAX])
{
	struct json_token job, result;
	char request[64];
	struct query q;
	int rc;

	(void)snprintf(request, sizeof(request),
		       "{\"cmd\":\"job\",\"id\":%llu,\"n\":0}", (unsigned long long)id);
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return rc;
	if (query_member(&q.result, "job", &job) &&
	    query_member(&job, "result", &result))
		(void)query_text(&result, path, PATH_MAX);
	else
		rc = cli_error(CLI_NEGATIVE, "job %llu has no result",
			       (unsigned long long)id);
	query_free(&q);
	return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int copy(int from, int to)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = read(from, piece, sizeof(piece))) > 0)
		if (write_all(to, piece, (size_t)n) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* Beside it under another name first, with the rights that a new file gets. */
static int put(int from, const char *path)
{
	char beside[PATH_MAX];
	mode_t mask = umask(0);
	int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path), to, rc;

	(void)umask(mask);
	to = n < (int)sizeof(beside) ? mkostemp(beside, O_CLOEXEC) : -1;
	if (to < 0)
		return cannot(path);
	rc = copy(from, to) < 0 || fchmod(to, 0666 & ~mask) < 0 || fsync(to) < 0 ||
			     rename(beside, path) < 0
		     ? cannot(path)
		     : CLI_OK;
	if (rc != CLI_OK)
		(void)unlink(beside);
	close(to);
	return rc;
}

int job_result_bring(struct cli *c, uint64_t id, const char *path)
{
	char from[PATH_MAX] = "";
	int rc = find(c, id, from), fd;

	if (rc != CLI_OK)
		return rc;
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return cannot(from);
	if (strcmp(path, "-") == 0)
		rc = copy(fd, STDOUT_FILENO) < 0 ? cannot("the output") : CLI_OK;
	else
		rc = put(fd, path);
	close(fd);
	return rc;
}
