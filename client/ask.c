/*
 * ask - single questions: a line to the admin socket, a JSON text to a REP
 * socket; each on a connection of its own.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "client/options.h"
#include "client/reqsock.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (256u << 20)

static int64_t deadline_ns(int timeout_ms)
{
	return clock_mono_ns() + timeout_ms * NS_PER_MS;
}

/* Wait until @fd is ready for @events: 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t until_ns)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left_ms =
			(until_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
		int n = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return err_set(-ETIMEDOUT, "the daemon did not answer in time");
		if (errno != EINTR)
			return err_set(-errno, "poll: %s", strerror(errno));
	}
}

static int dial(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(-errno, "socket: %s", strerror(errno));
	memcpy(addr.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = err_set(-errno, "cannot reach %s: %s", path, strerror(errno));

		close(fd);
		return rc;
	}
	return fd;
}

static int send_all(int fd, const char *data, size_t len, int64_t until_ns)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return err_set(-errno, "the daemon hung up: %s",
				       strerror(errno));
		rc = wait_for(fd, POLLOUT, until_ns);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Into @line, up to its end. */
static int receive_line(int fd, struct buf *line, int64_t until_ns)
{
	while (line->len < ANSWER_MAX) {
		char *at = (char *)buf_reserve(line, 65536);
		ssize_t n;
		char *end;
		int rc = wait_for(fd, POLLIN, until_ns);

		if (rc < 0)
			return rc;
		n = recv(fd, at, 65536, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_set(-errno, "the daemon hung up: %s",
				       strerror(errno));
		if (n == 0)
			return err_set(-ECONNRESET,
				       "the daemon hung up before its answer");
		end = memchr(at, '\n', (size_t)n);
		line->len += end ? (size_t)(end - at) : (size_t)n;
		if (end)
			return 0;
	}
	return err_set(-EMSGSIZE, "the answer is larger than 256 MiB");
}

/* One question on @fd and its answer. */
static int converse(int fd, int timeout_ms, const char *request, char **out)
{
	int64_t until_ns = deadline_ns(timeout_ms);
	struct buf line = {0};
	int rc;

	rc = send_all(fd, request, strlen(request), until_ns);
	if (rc == 0)
		rc = send_all(fd, "\n", 1, until_ns);
	if (rc == 0)
		rc = receive_line(fd, &line, until_ns);
	if (rc == 0)
		*out = buf_text(
			&line); /* the text is the buffer's memory, now the caller's */
	else
		buf_free(&line);
	return rc;
}

static int judge(const char *request)
{
	return strchr(request, '\n') == NULL
		       ? 0
		       : err_set(-EINVAL, "a request is one line");
}

int tickbus_ask(const struct tickbus_options *options, const char *request, char **out)
{
	struct options o;
	int rc = options_init(&o, options);
	int fd;

	if (rc == 0)
		rc = judge(request);
	if (rc < 0)
		return rc;
	fd = dial(o.admin_path);
	if (fd < 0)
		return fd;
	rc = converse(fd, o.timeout_ms, request, out);
	close(fd);
	return rc;
}

struct tickbus_admin {
	int fd;
	int timeout_ms;
};

int tickbus_admin_open(const struct tickbus_options *options,
		       struct tickbus_admin **out)
{
	struct options o;
	int rc = options_init(&o, options);
	int fd;

	if (rc < 0)
		return rc;
	fd = dial(o.admin_path);
	if (fd < 0)
		return fd;
	*out = malloc(sizeof(**out));
	if (*out == NULL) {
		close(fd);
		return err_set(-ENOMEM, "no memory for a connection");
	}
	**out = (struct tickbus_admin){.fd = fd, .timeout_ms = o.timeout_ms};
	return 0;
}

int tickbus_admin_ask(struct tickbus_admin *admin, const char *request, char **out)
{
	int rc = judge(request);

	return rc < 0 ? rc : converse(admin->fd, admin->timeout_ms, request, out);
}

void tickbus_admin_close(struct tickbus_admin *admin)
{
	if (admin == NULL)
		return;
	close(admin->fd);
	free(admin);
}

int tickbus_request(const struct tickbus_options *options, enum tickbus_port port,
		    const char *request, char **out)
{
	struct reqsock sock;
	struct options o;
	struct buf text = {0};
	struct splink_msg *reply = NULL;
	int rc = options_init(&o, options);

	if (rc < 0)
		return rc;
	if (port != TICKBUS_INGEST && port != TICKBUS_CATCHUP)
		return err_set(-EINVAL, "only ingest and catch-up answer requests");
	reqsock_init(&sock, o.url[port]);
	rc = reqsock_ask(&sock, request, strlen(request), o.timeout_ms, &reply);
	if (rc == 0) {
		buf_add(&text, reply->data + REQSOCK_ID_LEN,
			reply->len - REQSOCK_ID_LEN);
		*out = buf_text(&text);
		free(reply);
	}
	reqsock_close(&sock);
	return rc;
}

void tickbus_free(void *text)
{
	free(text);
}
