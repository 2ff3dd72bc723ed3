/* statedir - modes are set by name, whatever the umask. */
#include "store/statedir.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

bool statedir_is_network(uint64_t f_type)
{
	static const uint64_t network[] = {
		0x6969,     /* NFS */
		0x517B,     /* SMB */
		0xFF534D42, /* CIFS */
		0xFE534D42, /* SMB2 */
		0x564C,     /* NCP */
		0x73757245, /* Coda */
		0x5346414F, /* AFS */
		0x6B414653, /* kAFS */
		0x01021997, /* 9P */
		0x00C36400, /* Ceph */
		0x0BD00BD0, /* Lustre */
		0x47504653, /* GPFS */
		0x7461636F, /* OCFS2: a cluster's */
		0x01161970, /* GFS2: a cluster's */
		0x19830326, /* BeeGFS */
	};

	/* Some kernels sign-extend the magic number. */
	f_type &= UINT32_MAX;
	for (size_t i = 0; i < sizeof(network) / sizeof(network[0]); i++)
		if (f_type == network[i])
			return true;
	return false;
}

static int check(int fd, const char *path)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return err_set(-errno, "state directory %s: %s", path,
			       strerrordesc_np(errno));
	if (statedir_is_network((uint64_t)fs.f_type))
		return err_set(-ENOTSUP,
			       "state directory %s is on a network file system, whose "
			       "locks and syncs the log cannot rely on",
			       path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			-EACCES,
			"state directory %s may be written by others (mode %04o): "
			"chmod 0700 it",
			path, st.st_mode & 07777);
	return 0;
}

int statedir_open(const char *path, int *out_fd)
{
	int fd;
	int rc;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(-errno, "state directory %s: create: %s", path,
			       strerrordesc_np(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(-errno, "state directory %s: open: %s", path,
			       strerrordesc_np(errno));
	rc = check(fd, path);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*out_fd = fd;
	return 0;
}

int statedir_own_only(int dirfd, const char *name)
{
	if (fchmodat(dirfd, name, 0600, 0) < 0 && errno != ENOENT)
		return err_set(-errno, "state file %s: chmod 0600: %s", name,
			       strerrordesc_np(errno));
	return 0;
}
