/* archive - opening: the directory, its lock, the place for unfinished files. */
#include "archive/archive_own.h"
#include "archive/layout.h"
#include "archive/past.h"
#include "base/err.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Whoever works in a directory of .tmp holds a lock on it: what can be locked is left
   over from a process that died. */
static void sweep(const char *tmp)
{
	DIR *d = opendir(tmp);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "at-", 3) != 0)
			continue;
		int fd =
			openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct buf path = {0};

		if (fd < 0)
			continue;
		buf_printf(&path, "%s/%s", tmp, e->d_name);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			nftw(buf_text(&path), remove_one, 8, FTW_DEPTH | FTW_PHYS);
		close(fd);
		buf_free(&path);
	}
	if (d)
		closedir(d);
}

static int lock_writer(struct archive *a, const char *tmp)
{
	struct buf path = {0};
	int rc = 0;

	buf_printf(&path, "%s/lock", tmp);
	a->lock = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (a->lock < 0)
		rc = err_set(-errno, "%s: %s", buf_text(&path), strerror(errno));
	else if (flock(a->lock, LOCK_EX | LOCK_NB) < 0)
		rc = err_set(-EBUSY,
			     "%s: another process writes to this archive; one "
			     "may at a time",
			     a->dir);
	buf_free(&path);
	return rc;
}

static int take_place(struct archive *a, const char *tmp)
{
	struct buf path = {0};
	struct stat st;

	buf_printf(&path, "%s/at-XXXXXX", tmp);
	buf_text(&path);
	if (!mkdtemp((char *)path.data)) {
		buf_free(&path);
		return err_set(-errno, "%s: %s", tmp, strerror(errno));
	}
	free(a->tmp);
	a->tmp = (char *)path.data;
	a->tmp_fd = open(a->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->tmp_fd >= 0 && flock(a->tmp_fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(a->tmp_fd, &st) == 0 && st.st_nlink > 0)
		return 0;
	if (a->tmp_fd >= 0)
		close(a->tmp_fd);
	a->tmp_fd = -1;
	return 0;
}

/* A reader changes nothing: it may have no right to, and what it made would be its own
   and in the writer's way.  So where it cannot work beside the files, or nobody has
   yet, it works elsewhere. */
static void reader_tmp(struct buf *tmp)
{
	const char *other = getenv("TMPDIR");

	if (access(buf_text(tmp), W_OK | X_OK) == 0)
		return;
	tmp->len = 0;
	buf_printf(tmp, "%s", other && other[0] == '/' ? other : "/tmp");
}

static int make_tmp(struct archive *a, bool writer)
{
	struct buf tmp = {0};
	int rc = 0;

	buf_printf(&tmp, "%s/.tmp", a->dir);
	if (writer)
		rc = layout_mkdirs(buf_text(&tmp));
	else
		reader_tmp(&tmp);
	if (rc == 0 && writer)
		rc = lock_writer(a, buf_text(&tmp));
	if (rc == 0 && writer)
		sweep(buf_text(&tmp));
	/* Again when a writer's sweep came between the two steps. */
	for (int i = 0; rc == 0 && a->tmp_fd < 0 && i < 10; i++)
		rc = take_place(a, buf_text(&tmp));
	if (rc == 0 && a->tmp_fd < 0)
		rc = err_set(-EAGAIN, "%s: no place there", buf_text(&tmp));
	buf_free(&tmp);
	return rc;
}

int archive_open(const struct archive_options *o, struct archive **out)
{
	struct archive *a;
	char *real;
	int rc;

	if (!o->dir || !o->dir[0] || strpbrk(o->dir, "*?[]'\"\n"))
		return err_set(-EINVAL,
			       "'%s' cannot be an archive: a path without any "
			       "of * ? [ ] ' \" is needed",
			       o->dir ? o->dir : "");
	rc = o->writer ? layout_mkdirs(o->dir) : 0;
	if (rc < 0)
		return rc;
	real = realpath(o->dir, NULL);
	if (!real)
		return err_set(-errno, "%s: %s: there is no archive", o->dir,
			       strerror(errno));
	a = calloc(1, sizeof(*a));
	if (!a)
		abort();
	*a = (struct archive){.dir = real,
			      .lock = -1,
			      .tmp_fd = -1,
			      .live_fd = -1,
			      .memory_bytes = o->memory_bytes,
			      .threads = o->threads,
			      .is_writer = o->writer};
	rc = strpbrk(real, "*?[]'\"\n")
		     ? err_set(-EINVAL,
			       "%s: quotes and glob characters in the path of "
			       "an archive",
			       real)
		     : make_tmp(a, o->writer);
	if (rc < 0) {
		archive_close(a);
		return rc;
	}
	*out = a;
	return 0;
}

void archive_close(struct archive *a)
{
	if (!a)
		return;
	archive_put_drop(a);
	archive_live_drop(a);
	duck_close(a->writer);
	duck_close(a->reader);
	past_close(a->past);
	if (a->tmp)
		nftw(a->tmp, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (a->tmp_fd >= 0)
		close(a->tmp_fd);
	if (a->lock >= 0)
		close(a->lock);
	free(a->tmp);
	free(a->dir);
	free(a);
}

const char *archive_dir(const struct archive *a)
{
	return a->dir;
}

void archive_tmp(struct archive *a, struct buf *out, const char *suffix)
{
	buf_printf(out, "%s/%llu%s", a->tmp, (unsigned long long)++a->made, suffix);
}

int archive_reader(struct archive *a, struct duck **out)
{
	struct duck_options o = {a->memory_bytes, a->threads, a->tmp, a->dir};
	int rc = a->reader ? 0 : duck_open(&o, &a->reader);

	*out = a->reader;
	return rc;
}

int archive_past(struct archive *a, struct past **out)
{
	int rc = a->past ? 0 : past_open(a->dir, a->tmp, 0, &a->past);

	*out = a->past;
	return rc;
}
