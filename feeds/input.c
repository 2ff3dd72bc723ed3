/* input - see input.h. */
#include "feeds/input.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int input_open(const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(-errno, "cannot open %s: %s", path, strerror(errno));
	return fd;
}

int input_read(int fd, void *data, size_t cap, size_t *out_n)
{
	ssize_t n;

	do
		n = read(fd, data, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(-errno, "cannot read the input: %s", strerror(errno));
	*out_n = (size_t)n;
	return 0;
}

uint64_t input_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}
