/*
 * fault_file - puts the high-water file on fault_disk: the linker lays these in front
 * of the C library's functions (--wrap), for our own code only.  A program that links
 * this file needs --wrap=pwrite64,fsync,fdatasync,renameat,getpid: the last one,
 * because a new store draws its identity from it.
 *
 * Which file a descriptor is of is asked of the kernel; what is no high-water file
 * (the ballast) passes by.
 */
#include "tests/kill/fault_disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "/highwater"

ssize_t __real_pwrite64(int fd, const void *buf, size_t n, off64_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off64_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
pid_t __wrap_getpid(void);
uint64_t __wrap_bootid_read(void);

pid_t __wrap_getpid(void)
{
	return 1;
}

uint64_t __wrap_bootid_read(void)
{
	return fault_disk_boot();
}

/* The path behind @fd: length, or 0. */
static size_t path_of(int fd, char out[256])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, 255);
	out[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

static struct fault_file *file_of(int fd)
{
	char path[256];

	return path_of(fd, path) > 0 && strstr(path, NAME) ? fault_disk_file(path)
							   : NULL;
}

static int failed(void)
{
	errno = EIO;
	return -1;
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	struct fault_file *f = file_of(fd);

	if (!f)
		return __real_pwrite64(fd, buf, n, at);
	if (!fault_disk_begin())
		return failed();
	if (__real_pwrite64(fd, buf, n, at) != (ssize_t)n)
		return failed();
	fault_disk_wrote(f, at, buf, n);
	if (!(fcntl(fd, F_GETFL) & O_DSYNC))
		return (ssize_t)n;
	/* Written and made durable are two moments also here. */
	if (!fault_disk_begin())
		return failed();
	fault_disk_synced(f);
	return (ssize_t)n;
}

/* The real sync is left out: this machine's power stays on. */
static int synced(int fd)
{
	struct fault_file *f = file_of(fd);

	if (!fault_disk_begin())
		return failed();
	if (f)
		fault_disk_synced(f);
	else
		fault_disk_dir_synced();
	return 0;
}

int __wrap_fdatasync(int fd)
{
	return synced(fd);
}

int __wrap_fsync(int fd)
{
	return synced(fd);
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	char a[600], b[600], dir[256];

	if (!fault_disk_begin())
		return failed();
	if (__real_renameat(from_dir, from, to_dir, to) < 0)
		return -1;
	(void)path_of(from_dir, dir);
	(void)snprintf(a, sizeof(a), "%s/%s", dir, from);
	(void)path_of(to_dir, dir);
	(void)snprintf(b, sizeof(b), "%s/%s", dir, to);
	fault_disk_renamed(a, b);
	return 0;
}
