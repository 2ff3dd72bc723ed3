/*
 * ballast - a file of nothing, to be thrown overboard when the disk is full.
 *
 * SQLite needs room in the WAL even to delete: without this, a full disk could
 * not be pruned.  Retention drops it, tick makes it again when there is room for
 * several of it.
 */
#include "base/err.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NAME "ballast"

int tickstore_ballast_make(struct tickstore *ts)
{
	uint64_t bytes = ts->params.ballast_bytes;
	struct statvfs fs;
	int rc = 0;
	int fd;

	if (fstatvfs(ts->dirfd, &fs) < 0)
		return err_set(-errno, "ballast: %s", strerrordesc_np(errno));
	if ((uint64_t)fs.f_bavail * fs.f_frsize < 4 * bytes)
		return err_set(-ENOSPC, "ballast: less than 4 x %llu bytes are free",
			       (unsigned long long)bytes);
	fd = openat(ts->dirfd, NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(-errno, "ballast: create: %s", strerrordesc_np(errno));
	rc = -posix_fallocate(fd, 0, (off_t)bytes);
	close(fd);
	if (rc < 0) {
		(void)unlinkat(ts->dirfd, NAME, 0);
		return err_set(rc, "ballast: allocate: %s", strerrordesc_np(-rc));
	}
	ts->status.ballast = true;
	return 0;
}

void tickstore_ballast_drop(struct tickstore *ts)
{
	(void)unlinkat(ts->dirfd, NAME, 0);
	ts->status.ballast = false;
}
