/*
 * archive_live - what is not closed yet, in a generation of directories of its own:
 *
 *	DIR/.live/now -> BOOT-3		the one that is read
 *	DIR/.live/BOOT-3/equities_1min/symbol=X/...
 *	DIR/.live/BOOT-4/		the one in the making
 *
 * Nothing here is synced: it can be handed over again.  So what another boot of this
 * machine left may be torn, and is no generation any more: BOOT is the kernel's id.
 */
#include "archive/archive_own.h"
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

#define BOOT_MAX       40
#define GENERATION_MAX (BOOT_MAX + 24)

/* Where there is no such file, every boot is the same one. */
static void boot_id(char out[BOOT_MAX])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(out, BOOT_MAX, f))
		memcpy(out, "boot", 5);
	out[strcspn(out, "\n/.")] = '\0';
	if (f)
		fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* The name that DIR/.live/now points to; false: there is none of this boot. */
static bool current(const struct archive *a, char out[GENERATION_MAX])
{
	char boot[BOOT_MAX];
	struct buf path = {0};
	ssize_t n;

	boot_id(boot);
	buf_printf(&path, "%s/.live/now", a->dir);
	n = readlink(buf_text(&path), out, GENERATION_MAX - 1);
	buf_free(&path);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return strncmp(out, boot, strlen(boot)) == 0 && out[strlen(boot)] == '-' &&
	       !strchr(out, '/');
}

static void let_go(struct archive *a)
{
	if (a->live_fd >= 0)
		close(a->live_fd);
	a->live_fd = -1;
}

/* A shared lock keeps the generation where it is while somebody reads it.  Between the
   name and the lock it may have been replaced: then again. */
int archive_live(struct archive *a, struct buf *out)
{
	char name[GENERATION_MAX];
	char again[GENERATION_MAX];
	struct buf path = {0};
	int rc = 1;

	let_go(a);
	for (int i = 0; rc == 1 && i < 10 && current(a, name); i++) {
		path.len = 0;
		buf_printf(&path, "%s/.live/%s", a->dir, name);
		a->live_fd = open(buf_text(&path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (a->live_fd >= 0 && flock(a->live_fd, LOCK_SH | LOCK_NB) == 0 &&
		    current(a, again) && strcmp(name, again) == 0)
			rc = 0;
		else
			let_go(a);
	}
	if (rc == 0)
		buf_add(out, path.data, path.len);
	buf_text(out);
	buf_free(&path);
	return rc;
}

/* Every generation but @keep that nobody reads. */
static void sweep(const struct archive *a, const char *keep)
{
	struct buf path = {0};
	struct dirent *e;
	DIR *d;

	buf_printf(&path, "%s/.live", a->dir);
	d = opendir(buf_text(&path));
	while (d && (e = readdir(d)) != NULL) {
		int fd;

		if (e->d_name[0] == '.' || strcmp(e->d_name, "now") == 0 ||
		    strcmp(e->d_name, keep) == 0)
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		path.len = 0;
		buf_printf(&path, "%s/.live/%s", a->dir, e->d_name);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			nftw(buf_text(&path), remove_one, 16, FTW_DEPTH | FTW_PHYS);
		close(fd);
	}
	if (d)
		closedir(d);
	buf_free(&path);
}

/* A number that no generation has which is still there. */
static unsigned next_number(const struct archive *a)
{
	struct buf path = {0};
	struct dirent *e;
	unsigned max = 0;
	DIR *d;

	buf_printf(&path, "%s/.live", a->dir);
	d = opendir(buf_text(&path));
	while (d && (e = readdir(d)) != NULL) {
		const char *dash = strrchr(e->d_name, '-');
		unsigned n = dash ? (unsigned)strtoul(dash + 1, NULL, 10) : 0;

		max = n > max ? n : max;
	}
	if (d)
		closedir(d);
	buf_free(&path);
	return max + 1;
}

int archive_live_begin(struct archive *a)
{
	char name[GENERATION_MAX] = "";
	char boot[BOOT_MAX];
	struct buf path = {0};
	int rc;

	if (!a->is_writer)
		return err_set(-EROFS, "%s: opened for reading alone", a->dir);
	archive_live_drop(a);
	if (!current(a, name))
		name[0] = '\0';
	sweep(a, name);
	boot_id(boot);
	buf_printf(&path, "%s/.live/%s-%u", a->dir, boot, next_number(a));
	rc = layout_mkdirs(buf_text(&path));
	if (rc == 0)
		a->live_new = strdup((const char *)path.data);
	buf_free(&path);
	return rc;
}

int archive_live_end(struct archive *a)
{
	const char *name = a->live_new ? strrchr(a->live_new, '/') + 1 : NULL;
	struct buf link = {0};
	struct buf now = {0};
	int rc = 0;

	if (!name)
		return err_set(-EINVAL, "no live put was begun");
	buf_printf(&link, "%s/link", a->tmp);
	buf_printf(&now, "%s/.live/now", a->dir);
	unlink(buf_text(&link));
	if (symlink(name, (const char *)link.data) < 0 ||
	    rename((const char *)link.data, buf_text(&now)) < 0)
		rc = err_set(-errno, "%s: %s", (char *)now.data, strerror(errno));
	if (rc == 0) {
		let_go(a);
		sweep(a, name);
		free(a->live_new);
		a->live_new = NULL;
	}
	buf_free(&link);
	buf_free(&now);
	return rc;
}

void archive_live_drop(struct archive *a)
{
	let_go(a);
	if (a->live_new)
		nftw(a->live_new, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(a->live_new);
	a->live_new = NULL;
}
