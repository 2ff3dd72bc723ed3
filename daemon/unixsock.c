/* unixsock - see unixsock.h. */
#include "daemon/unixsock.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *path)
{
	return err_set(-errno, "socket %s: %s", path, strerror(errno));
}

int unixsock_clear(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(-EINVAL, "socket %s: the path is longer than %zu bytes",
			       path, sizeof(sa.sun_path) - 1);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fail(path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(-EADDRINUSE,
			       "socket %s: something that is not a socket is there; "
			       "remove it or choose another path",
			       path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(path);
	rc = connect(fd, (const struct sockaddr *)&sa, sizeof(sa));
	close(fd);
	if (rc == 0)
		return err_set(-EADDRINUSE, "socket %s: another daemon answers there",
			       path);
	return unlink(path) < 0 ? fail(path) : 0;
}

int unixsock_listen(const char *path, int *out_fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, rc;

	rc = unixsock_clear(path);
	if (rc < 0)
		return rc;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(path);
	mask = umask(0177); /* 0600 from the first moment */
	rc = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (rc < 0 || listen(fd, 64) < 0) {
		rc = fail(path);
		close(fd);
		return rc;
	}
	*out_fd = fd;
	return 0;
}

uint32_t unixsock_peer_uid(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return UINT32_MAX;
	return cred.uid;
}

bool unixsock_peer_allowed(int fd)
{
	uint32_t uid = unixsock_peer_uid(fd);

	return uid == 0 || uid == geteuid();
}
