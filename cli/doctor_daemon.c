/* doctor_daemon - the program, whether one runs, and its configuration. */
#include "cli/doctor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/tickbusd/tickbusd.yaml"

/* What Debian 12 has and the build asks for; older ones have faults that we know. */
static const struct {
	const char *name;
	unsigned major, minor;
} least[] = {{"SQLite", 3, 40},       {"nng", 1, 5},      {"libuv", 1, 44},
	     {"libmicrohttpd", 0, 9}, {"libcurl", 7, 87}, {"libwebsockets", 4, 1}};

static void check_library(struct doctor *d, const char *line, struct buf *all)
{
	char name[32];
	unsigned major, minor;

	if (sscanf(line, "%31s %u.%u", name, &major, &minor) != 3)
		return;
	buf_printf(all, "%s%s", all->len > 0 ? ", " : "", line);
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		if (strcmp(least[i].name, name) != 0)
			continue;
		if (major < least[i].major ||
		    (major == least[i].major && minor < least[i].minor))
			doctor_add(d, DOCTOR_BAD, "libraries",
				   "install the distribution's updates",
				   "%s is older than %u.%u", line, least[i].major,
				   least[i].minor);
	}
}

static void check_program(struct doctor *d)
{
	char *argv[] = {d->daemon_path, "--version", NULL}, *line, *save;
	struct buf out = {0}, all = {0};
	int rc = doctor_run(argv, false, &out);

	line = rc == 0 ? strtok_r(buf_text(&out), "\n", &save) : NULL;
	if (line == NULL || strncmp(line, "tickbusd ", 9) != 0) {
		doctor_add(d, DOCTOR_BAD, "program",
			   "install tickbus again, or name it with --daemon PATH",
			   "%s does not run (exit status %d)", d->daemon_path, rc);
		buf_free(&out);
		return;
	}
	if (strcmp(line + 9, tickbus_version()) == 0)
		doctor_add(d, DOCTOR_GOOD, "program", "", "%s is %s", d->daemon_path,
			   line);
	else
		doctor_add(d, DOCTOR_WARN, "program",
			   "install programs and library of one release",
			   "%s is %s, tickbusctl is %s", d->daemon_path, line,
			   tickbus_version());
	while ((line = strtok_r(NULL, "\n", &save)) != NULL)
		check_library(d, line, &all);
	if (all.len > 0)
		doctor_add(d, DOCTOR_GOOD, "libraries", "", "%s", buf_text(&all));
	buf_free(&all);
	buf_free(&out);
}

/* The result of an admin command; NULL when there is none.  @out_rc: why not. */
static struct json *ask(struct doctor *d, const char *request, int *out_rc)
{
	struct json *answer = NULL;
	char *text;

	*out_rc = tickbus_ask(&d->cli->options, request, &text);
	if (*out_rc < 0)
		return NULL;
	*out_rc = json_parse(text, strlen(text), &answer);
	tickbus_free(text);
	return answer;
}

static void check_store(struct doctor *d, const struct json *store)
{
	const char *alarm = json_str(json_get(store, "alarm"), "");
	const char *warning = json_str(json_get(store, "warning"), "");

	if (json_bool(json_get(store, "dead"), false))
		doctor_add(d, DOCTOR_BAD, "log",
			   "OPERATIONS.md, \"A failed write\": look at the disk, start "
			   "again",
			   "a write failed, nothing is accepted");
	else if (json_bool(json_get(store, "disk_full"), false))
		doctor_add(d, DOCTOR_BAD, "log", "make room; it goes on by itself",
			   "the last commit found no space");
	else if (alarm[0] != '\0')
		doctor_add(d, DOCTOR_BAD, "log",
			   "OPERATIONS.md, \"Loss\": let producers send again", "%s",
			   alarm);
	else if (warning[0] != '\0')
		doctor_add(d, DOCTOR_WARN, "log", "tickbusctl status has the details",
			   "%s", warning);
	else
		doctor_add(d, DOCTOR_GOOD, "log", "", "%s, nothing is missing",
			   json_str(json_get(store, "durability"), "?"));
}

static void check_running(struct doctor *d)
{
	const struct json *result;
	struct stat st;
	char proc[64];
	const char *state;
	int rc;

	d->status = ask(d, "{\"cmd\":\"status\"}", &rc);
	result = d->status == NULL ? NULL : json_get(d->status, "result");
	if (rc == -EACCES || rc == -EPERM) {
		doctor_add(d, DOCTOR_WARN, "daemon", "run this as root",
			   "the admin socket is there, but not for this user");
		return;
	}
	if (result == NULL) {
		json_free(d->status);
		d->status = NULL;
		doctor_add(d, DOCTOR_WARN, "daemon", "systemctl start tickbusd",
			   "no tickbusd answers on %s",
			   d->cli->options.admin_path != NULL
				   ? d->cli->options.admin_path
				   : CLI_ADMIN_PATH);
		return;
	}
	(void)snprintf(proc, sizeof(proc), "/proc/%.0f",
		       json_num(json_get(result, "pid"), 0));
	d->daemon_uid = stat(proc, &st) == 0 ? st.st_uid : geteuid();
	state = json_str(json_get(result, "state"), "?");
	doctor_add(d, strcmp(state, "ready") == 0 ? DOCTOR_GOOD : DOCTOR_WARN, "daemon",
		   strcmp(state, "ready") == 0 ? "" : "wait, and look again",
		   "pid %.0f is %s since %.0f s, at position %.0f",
		   json_num(json_get(result, "pid"), 0), state,
		   json_num(json_get(result, "uptime_s"), 0),
		   json_num(json_get(result, "position"), 0));
	check_store(d, json_get(result, "store"));
}

/* What the daemon runs with, for the other checks. */
static bool config_in_force(struct doctor *d)
{
	struct json *answer;
	const char *text;
	int rc;

	if (d->status == NULL)
		return false;
	answer = ask(d, "{\"cmd\":\"config\"}", &rc);
	text = answer == NULL
		       ? ""
		       : json_str(json_get(json_get(answer, "result"), "yaml"), "");
	buf_add(&d->config, text, strlen(text));
	json_free(answer);
	return d->config.len > 0;
}

static void check_config(struct doctor *d)
{
	const char *path = d->config_path;
	char *argv[] = {d->daemon_path, "--print-config", "--config", NULL, NULL};
	struct buf out = {0};
	int rc;

	if (path == NULL && d->status != NULL)
		path = json_str(json_get(json_get(d->status, "result"), "config"), "");
	if (path == NULL || (path[0] != '/' && d->config_path == NULL))
		path = access(CONFIG_PATH, F_OK) == 0 ? CONFIG_PATH : NULL;
	argv[3] = (char *)path;
	if (path == NULL)
		argv[2] = NULL;
	rc = doctor_run(argv, false, &out);
	if (rc == 0) {
		doctor_add(d, DOCTOR_GOOD, "configuration", "", "%s is good",
			   path != NULL ? path : "the built-in one");
	} else {
		struct buf why = {0};

		(void)doctor_run(argv, true, &why);
		doctor_add(d, DOCTOR_BAD, "configuration",
			   "tickbusd --check-config FILE names every error", "%s: %.*s",
			   path != NULL ? path : "built in",
			   (int)strcspn(buf_text(&why), "\n"), buf_text(&why));
		buf_free(&why);
	}
	if (!config_in_force(d) && rc == 0)
		buf_add(&d->config, out.data, out.len);
	buf_free(&out);
}

void doctor_daemon(struct doctor *d)
{
	doctor_find_daemon(d->daemon_path);
	check_program(d);
	check_running(d);
	check_config(d);
}
