/* doctor_parts - what the checks share: other programs, and configurations as printed.
 */
#include "cli/doctor.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS    10000
#define ANSWER_BYTES (size_t)(256 * 1024)

extern char **environ;

const char *doctor_mode_error(mode_t mode, mode_t forbidden, char buf[64])
{
	mode_t bits = mode & forbidden;

	buf[0] = '\0';
	if (bits != 0)
		(void)snprintf(buf, 64, "mode is %04o, want %04o",
			       (unsigned)(mode & 07777),
			       (unsigned)(mode & 07777 & ~forbidden));
	return buf;
}

void doctor_find_daemon(char path[PATH_MAX])
{
	static const char *const beside[] = {"tickbusd", "../sbin/tickbusd",
					     "../daemon/tickbusd"};
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (path[0] != '\0')
		return;
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < sizeof(beside) / sizeof(beside[0]);
	     i++) {
		int len = snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - self), self,
				   beside[i]);

		if (len < PATH_MAX && access(path, X_OK) == 0)
			return;
	}
	(void)snprintf(path, PATH_MAX, "/usr/sbin/tickbusd");
}

/* The value behind "key:" without quotes and blanks, up to the end of the line. */
static void take_value(const char *at, char *out, size_t cap)
{
	size_t len;

	at += strspn(at, " ");
	len = strcspn(at, "\n");
	if (len >= 2 && at[0] == '"' && at[len - 1] == '"') {
		at++;
		len -= 2;
	}
	(void)snprintf(out, cap, "%.*s", (int)len, at);
}

static const char *next_line(const char *at)
{
	at = strchr(at, '\n');
	return at == NULL ? NULL : at + 1;
}

/* Behind "NAME:" where it begins a line at the top; NULL: it does not. */
static const char *top_key(const char *text, const char *name, size_t len)
{
	for (const char *at = text; at != NULL && *at != '\0'; at = next_line(at))
		if (strncmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1;
	return NULL;
}

bool doctor_config(const struct buf *yaml, const char *key, char *out, size_t cap)
{
	struct buf copy = {0};
	const char *dot = strchr(key, '.'), *name = dot == NULL ? key : dot + 1, *at;
	size_t len = strlen(name);
	bool found = false;

	buf_add(&copy, yaml->data, yaml->len);
	at = top_key(buf_text(&copy), key, dot == NULL ? len : (size_t)(dot - key));
	if (at != NULL && dot == NULL) {
		take_value(at, out, cap);
		found = true;
	} else if (at != NULL) {
		while (!found && (at = next_line(at)) != NULL && at[0] == ' ') {
			found = strncmp(at, "  ", 2) == 0 &&
				strncmp(at + 2, name, len) == 0 && at[len + 2] == ':';
			if (found)
				take_value(at + len + 3, out, cap);
		}
	}
	buf_free(&copy);
	return found;
}

bool doctor_listen(struct buf *yaml, const char **at, char key[32], char value[256])
{
	const char *line = *at;
	size_t len;

	if (line == NULL)
		line = top_key(buf_text(yaml), "listen", strlen("listen"));
	line = line == NULL ? NULL : next_line(line);
	if (line == NULL || strncmp(line, "  ", 2) != 0)
		return false;
	len = strcspn(line + 2, ":\n");
	(void)snprintf(key, 32, "%.*s", (int)len, line + 2);
	take_value(line + 2 + len + (line[2 + len] == ':'), value, 256);
	*at = line;
	return true;
}

/* Until the other end is closed; false: not in time. */
static bool read_all(int fd, struct buf *out)
{
	char part[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, ANSWER_MS) <= 0)
			return false;
		n = read(fd, part, sizeof(part));
		if (n <= 0)
			return n == 0 || errno == EINTR;
		if (out->len + (size_t)n <= ANSWER_BYTES)
			buf_add(out, part, (size_t)n);
	}
}

int doctor_run(char *const argv[], bool errors, struct buf *out)
{
	posix_spawn_file_actions_t files;
	int fds[2], status = 0, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return 127;
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&files, errors ? 1 : 2, "/dev/null",
					       O_WRONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&files, fds[1], errors ? 2 : 1);
	rc = posix_spawn(&pid, argv[0], &files, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	close(fds[1]);
	if (rc != 0) {
		close(fds[0]);
		return 127;
	}
	rc = read_all(fds[0], out) ? 0 : -1;
	close(fds[0]);
	if (rc < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (rc < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
