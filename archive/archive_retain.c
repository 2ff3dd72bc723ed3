/*
 * archive_retain - what is older than asked goes, whole partitions at a time.
 *
 * A partition leaves by one rename into .tmp, so it is there with its manifest or gone
 * with it; what a crash leaves in .tmp is swept by the next writer.
 */
#include "archive/archive_own.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
	struct archive *a;
	enum kinds kind;
	int64_t before_ns;
	struct archive_retained *sum;
};

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* The folders above that are empty now, up to the kind's own, which stays.  Returns how
   many went; @path is cut down to the first that stays. */
static int remove_empty(const struct archive *a, struct buf *path)
{
	int n = 0;

	for (;;) {
		char *slash = strrchr(buf_text(path), '/');

		path->len = (size_t)(slash - (char *)path->data);
		if (!strchr(buf_text(path) + strlen(a->dir) + 1, '/') ||
		    rmdir((char *)path->data) < 0)
			return n;
		n++;
	}
}

static int drop(const struct job *j, const char *part_dir)
{
	struct buf away = {0};
	struct buf up = {0};
	int rc = 0;

	archive_tmp(j->a, &away, ".old");
	buf_printf(&up, "%s", part_dir);
	if (rename(part_dir, buf_text(&away)) < 0)
		rc = err_set(-errno, "%s: cannot be taken out: %s", part_dir,
			     strerror(errno));
	if (rc == 0) {
		(void)remove_empty(j->a, &up);
		rc = layout_sync_dir((const char *)up.data);
		nftw((const char *)away.data, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	buf_free(&away);
	buf_free(&up);
	return rc;
}

static int retain_part(void *arg, const char *part_dir)
{
	struct job *j = arg;
	struct layout_manifest m = {0};
	struct layout_part part;
	struct buf file = {0};
	struct stat st;
	int rc;

	if (layout_unpath(part_dir, &part) < 0 || part.kind != j->kind)
		return 0;
	if (layout_end(&part) > j->before_ns)
		return 0;
	buf_printf(&file, "%s/data.parquet", part_dir);
	if (stat(buf_text(&file), &st) == 0) {
		j->sum->files++;
		j->sum->bytes += (uint64_t)st.st_size;
	}
	buf_free(&file);
	/* A damaged manifest keeps nothing from going. */
	if (layout_read(part_dir, &m) == 0)
		j->sum->rows += m.now.rows;
	rc = drop(j, part_dir);
	return rc;
}

int archive_retain(struct archive *a, enum kinds kind, int64_t before_ns,
		   struct archive_retained *out)
{
	struct job j = {a, kind, before_ns, out};

	*out = (struct archive_retained){0};
	if (!a->is_writer)
		return err_set(-EROFS, "%s: opened for reading alone", a->dir);
	return archive_each(a, retain_part, &j);
}
