/* archive_run - ask for the directory, then become the program. */
#include "cli/archive_run.h"
#include "base/buf.h"
#include "cli/query.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "tickbus-archive"

bool archive_run_take(struct archive_run *r, int option)
{
	switch (option) {
	case ARCHIVE_RUN_DIR:
		r->dir = optarg;
		return true;
	case ARCHIVE_RUN_MEMORY:
		r->memory = optarg;
		return true;
	case ARCHIVE_RUN_THREADS:
		r->threads = optarg;
		return true;
	case ARCHIVE_RUN_NO_FLUSH:
		r->no_flush = true;
		return true;
	default:
		return false;
	}
}

int archive_run_add(struct archive_run *r, const char *word)
{
	if (r->n_args == ARCHIVE_RUN_ARGS_MAX)
		return cli_error(CLI_USAGE, "more than %d words for the archive",
				 ARCHIVE_RUN_ARGS_MAX);
	r->args[r->n_args++] = word;
	return CLI_OK;
}

int archive_run_option(struct archive_run *r, const char *name, const char *value)
{
	char *text = r->names[r->n_args % ARCHIVE_RUN_ARGS_MAX];
	int rc;

	(void)snprintf(text, ARCHIVE_RUN_NAME_MAX, "--%s", name);
	rc = archive_run_add(r, text);
	return rc == CLI_OK && value != NULL ? archive_run_add(r, value) : rc;
}

/* The answer to a command without arguments: 0 and @out, 1: a no (@why), < 0. */
static int ask(const struct tickbus_options *options, const char *cmd, char **out,
	       struct json_token *result, struct buf *why)
{
	struct json_token answer, ok, error;
	struct buf request = {0};
	struct json_scan scan;
	char text[512];
	int rc;

	buf_printf(&request, "{\"cmd\":\"%s\"}", cmd);
	rc = tickbus_ask(options, buf_text(&request), out);
	buf_free(&request);
	if (rc < 0)
		return rc;
	scan = (struct json_scan){.at = *out, .end = *out + strlen(*out)};
	if (!json_scan_value(&scan, &answer) || !query_member(&answer, "ok", &ok))
		return buf_printf(why, "its answer is no JSON object"), 1;
	if (ok.type == JSON_TRUE && query_member(&answer, "result", result))
		return 0;
	buf_printf(why, "%s",
		   query_member(&answer, "error", &error)
			   ? query_text(&error, text, sizeof(text))
			   : "it says no");
	return 1;
}

/* What is new goes to the archive first.  Without that the answer is older, not wrong,
   so a no is a word on standard error. */
static int flush(struct cli *c)
{
	struct tickbus_options patient = c->options;
	struct json_token result;
	struct buf why = {0};
	char *answer = NULL;
	int rc;

	/* What waits may be a day of many symbols. */
	if (patient.timeout_ms == 0)
		patient.timeout_ms = 60000;
	rc = ask(&patient, "archive_flush", &answer, &result, &why);
	if (rc < 0)
		rc = cli_unavailable(c, rc);
	else if (rc == 1)
		(void)fprintf(stderr,
			      "tickbusctl: the daemon did not hand over what is newer "
			      "than the archive (%s)\n",
			      buf_text(&why));
	tickbus_free(answer);
	buf_free(&why);
	return rc > 1 ? rc : CLI_OK;
}

/* Of the answer to archive_status; false: it has none. */
static bool dir_of(const struct json_token *result, struct buf *out)
{
	struct json_token archive, dir;
	char path[PATH_MAX];

	if (!query_member(result, "archive", &archive))
		archive = *result;
	if (!query_member(&archive, "dir", &dir) || dir.type != JSON_STRING ||
	    dir.len == 0 || dir.len >= sizeof(path))
		return false;
	buf_printf(out, "%s", query_text(&dir, path, sizeof(path)));
	return true;
}

bool archive_run_has(struct cli *c)
{
	struct json_token result, archive, enabled;
	struct buf why = {0};
	struct buf dir = {0};
	char *answer = NULL;
	bool yes = ask(&c->options, "archive_status", &answer, &result, &why) == 0 &&
		   dir_of(&result, &dir);

	/* A directory that nobody hands anything over to is not up to date. */
	if (yes && query_member(&result, "archive", &archive) &&
	    query_member(&archive, "enabled", &enabled))
		yes = enabled.type == JSON_TRUE;

	tickbus_free(answer);
	buf_free(&why);
	buf_free(&dir);
	return yes;
}

static int find_dir(struct cli *c, struct buf *out)
{
	struct json_token result;
	struct buf why = {0};
	char *answer = NULL;
	int rc = ask(&c->options, "archive_status", &answer, &result, &why);

	if (rc < 0)
		rc = cli_unavailable(c, rc);
	else if (rc == 1)
		rc = cli_error(CLI_NEGATIVE,
			       "the daemon names no archive (%s): say which with "
			       "--archive DIR",
			       buf_text(&why));
	else if (!dir_of(&result, out))
		rc = cli_error(CLI_NEGATIVE,
			       "the daemon keeps no archive: give it one (archive: "
			       "dir: in its configuration), or name one with "
			       "--archive DIR");
	tickbus_free(answer);
	buf_free(&why);
	return rc;
}

/* Beside tickbusctl, where both are installed; else wherever PATH has it. */
static int become(const char *const *args)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - sizeof(PROGRAM));
	char *const *argv = (char *const *)args;

	if (n > 0) {
		self[n] = '\0';
		memcpy(strrchr(self, '/') + 1, PROGRAM, sizeof(PROGRAM));
		execv(self, argv);
	}
	if (n <= 0 || errno == ENOENT)
		execvp(PROGRAM, argv);
	if (errno == ENOENT)
		return cli_error(CLI_UNAVAILABLE,
				 PROGRAM " is not installed: it needs DuckDB, which "
					 "tools/setup-archive fetches; build tickbus "
					 "again after that");
	return cli_error(CLI_UNAVAILABLE, PROGRAM " cannot be run: %s",
			 strerror(errno));
}

int archive_run_exec(struct cli *c, const struct archive_run *r)
{
	const char *args[ARCHIVE_RUN_ARGS_MAX + 8];
	struct buf dir = {0};
	size_t n = 0;
	int rc = CLI_OK;

	if (r->dir == NULL && !r->no_flush)
		rc = flush(c);
	if (rc == CLI_OK && r->dir == NULL)
		rc = find_dir(c, &dir);
	if (rc == CLI_OK) {
		args[n++] = PROGRAM;
		args[n++] = "--archive";
		args[n++] = r->dir != NULL ? r->dir : buf_text(&dir);
		if (r->memory != NULL)
			args[n++] = "--memory", args[n++] = r->memory;
		if (r->threads != NULL)
			args[n++] = "--threads", args[n++] = r->threads;
		for (size_t i = 0; i < r->n_args; i++)
			args[n++] = r->args[i];
		args[n] = NULL;
		rc = become(args);
	}
	buf_free(&dir);
	return rc;
}
