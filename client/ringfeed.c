/* ringfeed - see proto/broadcast_layout.h for what lies in a ring. */
#include "client/ringfeed.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO_TIMEOUT_MS 2000
#define RING_VERSION     1

static const enum event_kind kind_of[RINGFEED_RINGS] = {
	EVENT_TICK, EVENT_BAR, EVENT_TIER1, EVENT_TIER2, EVENT_STATUS, EVENT_NEWS};

struct hello {
	char magic[4];
	uint32_t version;
	uint32_t n;
	uint32_t zero;
};
_Static_assert(sizeof(struct hello) == 16, "the ring server's message");

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* One message with RINGFEED_RINGS descriptors; whatever else comes is closed. */
static int receive_fds(int sock, int fds[RINGFEED_RINGS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * RINGFEED_RINGS * sizeof(int))];
	} control;
	struct hello hello = {{0}, 0, 0, 0};
	struct iovec iov = {&hello, sizeof(hello)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof(control.bytes)};
	struct pollfd wait = {.fd = sock, .events = POLLIN};
	int got[2 * RINGFEED_RINGS] = {0};
	size_t n = 0;
	ssize_t len;

	if (poll(&wait, 1, HELLO_TIMEOUT_MS) <= 0)
		return err_set(-ETIMEDOUT, "the ring server does not answer");
	len = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (len < 0)
		return err_set(-errno, "the ring server hung up: %s", strerror(errno));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || n > 0)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(got, CMSG_DATA(c), n * sizeof(int));
	}
	if (len != sizeof(hello) || memcmp(hello.magic, "TBRG", 4) != 0 ||
	    hello.version != RING_VERSION || hello.n != RINGFEED_RINGS ||
	    n != RINGFEED_RINGS) {
		close_all(got, n);
		return err_set(-EPROTO, "no ring server of a version known here");
	}
	memcpy(fds, got, sizeof(int) * RINGFEED_RINGS);
	return 0;
}

static int fetch_fds(const char *path, int fds[RINGFEED_RINGS])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock, rc;

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(-ENAMETOOLONG, "'%s' is too long for a unix socket",
			       path);
	memcpy(addr.sun_path, path, strlen(path));
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_set(-errno, "socket: %s", strerror(errno));
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		rc = err_set(-errno, "cannot reach %s: %s", path, strerror(errno));
	else
		rc = receive_fds(sock, fds);
	close(sock);
	return rc;
}

static int open_ring(struct ringfeed *r, size_t i, int fd)
{
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_set(-errno, "fstat: %s", strerror(errno));
	rc = broadcast_open(fd, &r->reader[i]);
	if (rc < 0)
		return rc;
	r->inode[i] = st.st_ino;
	if (broadcast_kind(r->reader[i]) == kind_of[i])
		return 0;
	return err_set(-EPROTO, "ring %zu carries another kind", i);
}

static int open_rings(struct ringfeed *r, const int fds[RINGFEED_RINGS])
{
	size_t len_max = 0;

	for (size_t i = 0; i < RINGFEED_RINGS; i++) {
		int rc;

		if (!(r->kinds >> kind_of[i] & 1))
			continue;
		rc = open_ring(r, i, fds[i]);
		if (rc < 0)
			return rc;
		if (broadcast_len_max(r->reader[i]) > len_max)
			len_max = broadcast_len_max(r->reader[i]);
	}
	(void)buf_reserve(&r->frame, len_max);
	return 0;
}

int ringfeed_open(struct ringfeed *r, const char *path, uint32_t kinds)
{
	int fds[RINGFEED_RINGS] = {0};
	int rc;

	*r = (struct ringfeed){
		.path = path, .kinds = kinds, .heard_ns = clock_mono_ns()};
	rc = fetch_fds(path, fds);
	if (rc < 0)
		return rc;
	rc = open_rings(r, fds);
	close_all(fds, RINGFEED_RINGS);
	if (rc < 0)
		ringfeed_close(r);
	return rc;
}

void ringfeed_close(struct ringfeed *r)
{
	for (size_t i = 0; i < RINGFEED_RINGS; i++) {
		if (r->reader[i])
			broadcast_close(r->reader[i]);
		r->reader[i] = NULL;
	}
	buf_free(&r->frame);
}

/* From one ring, lapped or not: 0, RINGFEED_EMPTY or < 0. */
static int take_from(struct ringfeed *r, struct broadcast_reader *reader)
{
	uint64_t seq;
	size_t len;
	int rc;

	do {
		rc = broadcast_read(reader, r->frame.data, r->frame.cap, &len, &seq);
		r->lapped += rc == BROADCAST_LAPPED;
	} while (rc == BROADCAST_LAPPED);
	if (rc == 0)
		r->frame.len = len;
	else if (rc > 0)
		rc = RINGFEED_EMPTY;
	return rc;
}

int ringfeed_take(struct ringfeed *r)
{
	for (size_t i = 0; i < RINGFEED_RINGS; i++) {
		struct broadcast_reader *reader = r->reader[r->turn];
		int rc;

		r->turn = (r->turn + 1) % RINGFEED_RINGS;
		if (reader == NULL)
			continue;
		rc = take_from(r, reader);
		if (rc == RINGFEED_EMPTY)
			continue;
		if (rc == 0)
			r->heard_ns = clock_mono_ns();
		return rc;
	}
	return RINGFEED_EMPTY;
}

static bool is_same(const struct ringfeed *a, const struct ringfeed *b)
{
	return memcmp(a->inode, b->inode, sizeof(a->inode)) == 0;
}

void ringfeed_renew(struct ringfeed *r)
{
	struct ringfeed next;

	r->heard_ns = clock_mono_ns();
	if (ringfeed_open(&next, r->path, r->kinds) < 0)
		return; /* no daemon at present: asked again after the next silence */
	if (is_same(&next, r)) {
		ringfeed_close(&next);
		return;
	}
	for (size_t i = 0; i < RINGFEED_RINGS; i++)
		if (next.reader[i])
			broadcast_seek_oldest(next.reader[i]);
	next.lapped = r->lapped;
	ringfeed_close(r);
	*r = next;
}
