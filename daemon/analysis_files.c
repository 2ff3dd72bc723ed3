/*
 * analysis_files - the folder of results.  Names are made of a job's number and of a
 * format that stands in a table, and opened below the folder's descriptor: there is
 * nothing in them that leads elsewhere.
 */
#include "base/err.h"
#include "base/log.h"
#include "daemon/analysis_parts.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX  "job-"
#define PARTIAL ".job-"

static void name_of(uint64_t id, const char *format, char out[ANALYSIS_NAME_MAX])
{
	(void)snprintf(out, ANALYSIS_NAME_MAX, PREFIX "%" PRIu64 ".%s", id, format);
}

static void partial_of(uint64_t id, char out[ANALYSIS_NAME_MAX])
{
	(void)snprintf(out, ANALYSIS_NAME_MAX, PARTIAL "%" PRIu64 ".part", id);
}

/* Ours, and nobody else can write there: what is renamed stays what it was. */
static int check_folder(const struct analysis_room *r)
{
	struct stat st;

	if (fstat(r->dir_fd, &st) < 0)
		return err_set(-errno, "%s: %s", r->dir, strerrordesc_np(errno));
	if (st.st_uid != geteuid())
		return err_set(-EPERM, "%s belongs to another user (analysis.dir)",
			       r->dir);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(-EPERM,
			       "%s can be written by others: chmod go-w (analysis.dir)",
			       r->dir);
	return 0;
}

int analysis_files_open(struct analysis_room *r)
{
	const struct config *c = r->config;
	char *whole;
	int rc;

	if (c->analysis.dir[0] != '\0')
		(void)snprintf(r->dir, sizeof(r->dir), "%s", c->analysis.dir);
	else
		(void)snprintf(r->dir, sizeof(r->dir), "%s/analysis", c->store.dir);
	if (mkdir(r->dir, 0700) < 0 && errno != EEXIST)
		return err_set(-errno, "%s: %s (analysis.dir)", r->dir,
			       strerrordesc_np(errno));
	r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r->dir_fd < 0)
		return err_set(-errno, "%s: %s (analysis.dir)", r->dir,
			       strerrordesc_np(errno));
	rc = check_folder(r);
	whole = rc < 0 ? NULL : realpath(r->dir, NULL);
	if (whole != NULL)
		(void)snprintf(r->dir, sizeof(r->dir), "%s", whole);
	free(whole);
	return rc;
}

int analysis_files_begin(struct analysis_room *r, uint64_t id)
{
	char name[ANALYSIS_NAME_MAX];
	int fd;

	partial_of(id, name);
	(void)unlinkat(r->dir_fd, name, 0);
	fd = openat(r->dir_fd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 ? fd
		       : err_set(-errno, "%s/%s: %s", r->dir, name,
				 strerrordesc_np(errno));
}

void analysis_files_end(int fd)
{
	close(fd);
}

void analysis_files_drop(struct analysis_room *r, uint64_t id)
{
	char name[ANALYSIS_NAME_MAX];

	partial_of(id, name);
	(void)unlinkat(r->dir_fd, name, 0);
}

int analysis_files_keep(struct analysis_room *r, uint64_t id, const char *format,
			int fd, uint64_t *out_bytes)
{
	char from[ANALYSIS_NAME_MAX], to[ANALYSIS_NAME_MAX];
	struct stat st;

	partial_of(id, from);
	name_of(id, format, to);
	if (fsync(fd) < 0 || fstat(fd, &st) < 0 ||
	    renameat(r->dir_fd, from, r->dir_fd, to) < 0 || fsync(r->dir_fd) < 0)
		return err_set(-errno, "%s/%s: %s", r->dir, to, strerrordesc_np(errno));
	*out_bytes = (uint64_t)st.st_size;
	return 0;
}

void analysis_files_remove(struct analysis_room *r, uint64_t id, const char *format)
{
	char name[ANALYSIS_NAME_MAX];

	name_of(id, format, name);
	(void)unlinkat(r->dir_fd, name, 0);
}

void analysis_room_path(const struct analysis_room *r, uint64_t id, const char *format,
			char out[ANALYSIS_PATH_MAX])
{
	char name[ANALYSIS_NAME_MAX];

	name_of(id, format, name);
	(void)snprintf(out, ANALYSIS_PATH_MAX, "%s/%s", r->dir, name);
}

/* The number in a name of ours; 0: it is none. */
static uint64_t number_in(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end;
	uint64_t id;

	if (strncmp(name, prefix, n) != 0 || name[n] < '1' || name[n] > '9')
		return 0;
	id = strtoull(name + n, &end, 10);
	return *end == '.' ? id : 0;
}

void analysis_files_sweep(struct analysis_room *r,
			  bool (*is_known)(void *arg, uint64_t id), void *arg)
{
	int fd = openat(r->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (list == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((e = readdir(list)) != NULL) {
		uint64_t id = number_in(e->d_name, PREFIX);
		uint64_t part = number_in(e->d_name, PARTIAL);

		if ((id != 0 && !is_known(arg, id)) ||
		    (part != 0 && !is_known(arg, part)))
			(void)unlinkat(r->dir_fd, e->d_name, 0);
	}
	closedir(list);
}
