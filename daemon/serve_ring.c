/* serve_ring - see serve_ring.h. */
#include "daemon/serve_ring.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/unixsock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 16

struct ring_server {
	uv_poll_t poll;
	int fd;
	int ring_fds[RING_FDS];
	char path[108];
};

struct greeting {
	char magic[4];
	uint32_t version;
	uint32_t n;
	uint32_t zero;
};

static void hand_over(const struct ring_server *r, int conn)
{
	struct greeting g = {{'T', 'B', 'R', 'G'}, 1, RING_FDS, 0};
	struct iovec iov = {&g, sizeof(g)};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(r->ring_fds))] = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(r->ring_fds));
	memcpy(CMSG_DATA(c), r->ring_fds, sizeof(r->ring_fds));
	if (sendmsg(conn, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		stats_add(STAT_RING_REFUSED, 1);
	else
		stats_add(STAT_RING_CLIENTS, 1);
}

static void on_readable(uv_poll_t *p, int status, int events)
{
	struct ring_server *r = p->data;

	role_assert_loop();
	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int conn = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (conn < 0)
			return;
		if (unixsock_peer_allowed(conn))
			hand_over(r, conn);
		else
			stats_add(STAT_RING_REFUSED, 1);
		close(conn);
	}
}

static void closed(uv_handle_t *h)
{
	free(h->data);
}

int ring_server_open(uv_loop_t *loop, const char *path, const int fds[RING_FDS],
		     struct ring_server **out)
{
	struct ring_server *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for the ring socket");
	memcpy(r->ring_fds, fds, sizeof(r->ring_fds));
	rc = unixsock_listen(path, &r->fd);
	if (rc < 0) {
		free(r);
		return rc;
	}
	memcpy(r->path, path, strlen(path) + 1);
	(void)uv_poll_init(loop, &r->poll, r->fd);
	r->poll.data = r;
	(void)uv_poll_start(&r->poll, UV_READABLE, on_readable);
	*out = r;
	return 0;
}

void ring_server_close(struct ring_server *r)
{
	if (r == NULL)
		return;
	(void)uv_poll_stop(&r->poll);
	close(r->fd);
	(void)unlink(r->path);
	uv_close((uv_handle_t *)&r->poll, closed);
}
