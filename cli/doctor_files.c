/* doctor_files - owners, modes and room of what tickbusd reads and writes. */
#include "cli/doctor.h"
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FREE_BAD  (UINT64_C(256) << 20)
#define FREE_WARN (UINT64_C(5) << 30)
#define NO_EXEC   127 /* of a program whose libraries are missing, too */

static const char *owner_name(uid_t uid, char buf[64])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(buf, 64, "%s", pw->pw_name);
	else
		(void)snprintf(buf, 64, "uid %u", (unsigned)uid);
	return buf;
}

/* May tickbusd rely on a file of this owner?  Root, ours, or the account's. */
static bool is_ours(const struct doctor *d, uid_t uid)
{
	const struct passwd *pw;

	if (d->status != NULL)
		return uid == d->daemon_uid || uid == 0;
	pw = getpwnam("tickbus");
	return uid == 0 || uid == geteuid() || (pw != NULL && uid == pw->pw_uid);
}

/* @forbidden bits and a foreign owner are bad; returns false when it said so. */
static bool check_mode(struct doctor *d, const char *name, const char *path,
		       mode_t forbidden)
{
	char why[64], who[64], todo[300];
	struct stat st;

	if (stat(path, &st) < 0) {
		doctor_add(d, errno == EACCES ? DOCTOR_WARN : DOCTOR_BAD, name,
			   errno == EACCES ? "run this as root" : "it must be there",
			   "%s: %s", path, strerror(errno));
		return false;
	}
	if (!is_ours(d, st.st_uid)) {
		doctor_add(d, DOCTOR_BAD, name,
			   "chown it to the account of tickbusd (tickbus)",
			   "%s belongs to %s", path, owner_name(st.st_uid, who));
		return false;
	}
	if (*doctor_mode_error(st.st_mode, forbidden, why) == '\0')
		return true;
	(void)snprintf(todo, sizeof(todo), "chmod %04o %.200s",
		       (unsigned)(st.st_mode & 07777 & ~forbidden), path);
	doctor_add(d, DOCTOR_BAD, name, todo, "%s: %s", path, why);
	return false;
}

static void check_config_file(struct doctor *d)
{
	const char *path = d->config_path;

	if (path == NULL && d->status != NULL)
		path = json_str(json_get(json_get(d->status, "result"), "config"), "");
	if (path != NULL && path[0] != '\0' && path[0] != '(' &&
	    check_mode(d, "configuration", path, S_IWGRP | S_IWOTH))
		doctor_add(d, DOCTOR_GOOD, "configuration", "",
			   "%s may be written by nobody else", path);
}

/* Everything in @dir that begins like one of tickbusd's files. */
static void check_inside(struct doctor *d, const char *dir)
{
	static const char *const ours[] = {"tickbus.db", "history.db", "highwater",
					   "ballast"};
	const struct dirent *e;
	DIR *list = opendir(dir);
	char path[PATH_MAX];
	unsigned n = 0;
	bool good = true;

	while (list != NULL && (e = readdir(list)) != NULL) {
		for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
			if (strncmp(e->d_name, ours[i], strlen(ours[i])) != 0)
				continue;
			(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
			good = check_mode(d, "state files", path, 0077) && good;
			n++;
		}
	}
	if (list == NULL)
		doctor_add(d, DOCTOR_WARN, "state files", "run this as root", "%s: %s",
			   dir, strerror(errno));
	else if (good)
		doctor_add(d, DOCTOR_GOOD, "state files", "",
			   "%u, for their owner alone", n);
	if (list != NULL)
		closedir(list);
}

static void check_state(struct doctor *d, const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0 && errno == ENOENT) {
		doctor_add(d, d->status != NULL ? DOCTOR_BAD : DOCTOR_WARN, "state",
			   "systemd makes it at the start; without systemd: mkdir -m "
			   "0700",
			   "%s is not there", dir);
		return;
	}
	if (!check_mode(d, "state", dir, 0077))
		return;
	doctor_add(d, DOCTOR_GOOD, "state", "", "%s", dir);
	check_inside(d, dir);
}

/* Of @dir, or of what is there above it. */
static void check_room(struct doctor *d, const char *dir)
{
	char path[PATH_MAX], *slash;
	enum doctor_state state;
	struct statvfs fs;
	uint64_t room;

	(void)snprintf(path, sizeof(path), "%s", dir);
	while (statvfs(path, &fs) < 0) {
		slash = strrchr(path, '/');
		if (slash == NULL || slash == path)
			return;
		*slash = '\0';
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	state = room < FREE_BAD    ? DOCTOR_BAD
		: room < FREE_WARN ? DOCTOR_WARN
				   : DOCTOR_GOOD;
	doctor_add(d, state, "disk",
		   state == DOCTOR_GOOD ? ""
					: "make room, or lower store.retain_size and "
					  "derived.retain_size",
		   "%.1f GB free at %s", (double)room / 1e9, path);
	if (fs.f_files > 0 && fs.f_favail < 1000)
		doctor_add(d, DOCTOR_BAD, "disk", "remove files",
			   "%llu inodes free at %s", (unsigned long long)fs.f_favail,
			   path);
	if (fs.f_flag & ST_RDONLY)
		doctor_add(d, DOCTOR_BAD, "disk", "mount it for writing",
			   "%s is read-only", path);
}

static void check_keys(struct doctor *d)
{
	char dir[256], path[PATH_MAX];
	const struct dirent *e;
	bool good;
	unsigned n = 0;
	DIR *list;

	if (!doctor_config(&d->config, "credentials", dir, sizeof(dir)) ||
	    strcmp(dir, "off") == 0)
		return;
	good = check_mode(d, "credentials", dir, S_IWGRP | S_IWOTH);
	list = opendir(dir);
	while (list != NULL && (e = readdir(list)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		good = check_mode(d, "credentials", path, 0177) && good;
		n++;
	}
	if (list != NULL)
		closedir(list);
	if (good)
		doctor_add(d, DOCTOR_GOOD, "credentials", "",
			   "%u keys in %s, for their owner alone", n, dir);
}

/* The archive's helper: a path, or a name beside tickbusd or where programs are. */
static bool find_helper(const struct doctor *d, const char *program, char *path)
{
	static const char *const places[] = {"", "../bin/", "../archive/"};
	const char *slash = strrchr(d->daemon_path, '/');
	char dir[PATH_MAX - 300];

	(void)snprintf(dir, sizeof(dir), "%.*s",
		       slash == NULL ? 0 : (int)(slash - d->daemon_path),
		       d->daemon_path);
	(void)snprintf(path, PATH_MAX, "%s", program);
	if (strchr(program, '/') != NULL)
		return access(path, X_OK) == 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(path, PATH_MAX, "%s/%s%.255s", dir, places[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	(void)snprintf(path, PATH_MAX, "/usr/bin/%s", program);
	return access(path, X_OK) == 0;
}

/* Optional; when it is configured, its folder and its helper must be there. */
static void check_archive(struct doctor *d)
{
	char dir[256] = "off", program[256] = "tickbus-archive";
	char path[PATH_MAX], *argv[] = {path, NULL};
	struct buf out = {0};
	bool is_on;
	int rc;

	(void)doctor_config(&d->config, "archive.dir", dir, sizeof(dir));
	(void)doctor_config(&d->config, "archive.program", program, sizeof(program));
	is_on = strcmp(dir, "off") != 0;
	if (is_on && access(dir, F_OK) == 0)
		(void)check_mode(d, "archive", dir, S_IWGRP | S_IWOTH);
	if (!find_helper(d, program, path)) {
		doctor_add(d, is_on ? DOCTOR_BAD : DOCTOR_GOOD, "archive",
			   is_on ? "tools/setup-archive, build and install again; or "
				   "archive.dir: off"
				 : "",
			   "%s is not installed%s", program,
			   is_on ? "" : " (it is optional, and off)");
		return;
	}
	rc = doctor_run(argv, false, &out);
	buf_free(&out);
	if (rc == NO_EXEC || rc < 0)
		doctor_add(d, is_on ? DOCTOR_BAD : DOCTOR_WARN, "archive",
			   "tools/setup-archive fetches DuckDB; then build again",
			   "%s does not start: a library is missing", path);
	else
		doctor_add(d, DOCTOR_GOOD, "archive", "", "%s starts; %s", path, dir);
}

void doctor_files(struct doctor *d)
{
	char dir[256];

	check_config_file(d);
	if (doctor_config(&d->config, "store.dir", dir, sizeof(dir))) {
		check_state(d, dir);
		check_room(d, dir);
	}
	check_keys(d);
	check_archive(d);
}
