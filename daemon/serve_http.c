/* serve_http - see serve_http.h; the keeper of microhttpd.h. */
#include "daemon/serve_http.h"
#include "base/err.h"
#include "bus/stats.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES (size_t)8192
#define TIMEOUT_S    5u
#define IDLE_MS      1000u

struct http {
	struct MHD_Daemon *mhd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* uv handles still to close */
	http_fn fn;
	void *arg;
};

static enum MHD_Result reply(struct MHD_Connection *conn, unsigned status,
			     const struct buf *body, const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body->len, body->data,
								 MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (r == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	ok = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_len, void **ctx)
{
	struct http *h = arg;
	struct buf body = {0};
	const char *type = "text/plain; charset=utf-8";
	unsigned status;
	enum MHD_Result ok;

	role_assert_loop();
	(void)version;
	(void)upload;
	if (*ctx == NULL) {
		*ctx = h; /* first call: headers only; answer at the second */
		return MHD_YES;
	}
	stats_add(STAT_HTTP_REQUESTS, 1);
	if (*upload_len != 0) {
		*upload_len = 0; /* nothing here takes a body: read it away */
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		buf_printf(&body, "only GET and HEAD\n");
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	} else {
		status = h->fn(h->arg, url, &body, &type);
	}
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED || status == MHD_HTTP_NOT_FOUND)
		stats_add(STAT_HTTP_REFUSED, 1);
	ok = reply(conn, status, &body, type);
	buf_free(&body);
	return ok;
}

static void on_timer(uv_timer_t *t);

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(h->mhd);
	/*
	 * MHD's own clock: connection time-outs happen only if it is called.  Once a
	 * second in any case: when descriptors ran out it stops accepting, and takes
	 * that back at the call after the one that closed a connection.
	 */
	if (MHD_get_timeout(h->mhd, &ms) != MHD_YES || ms > IDLE_MS)
		ms = IDLE_MS;
	(void)uv_timer_start(&h->timer, on_timer, ms == 0 ? 1 : ms, 0);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	role_assert_loop();
	(void)status;
	(void)events;
	run(p->data);
}

static void on_timer(uv_timer_t *t)
{
	role_assert_loop();
	run(t->data);
}

static void closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (--h->handles == 0)
		free(h);
}

/* "127.0.0.1:7480" or "[::1]:7480". */
static int parse_endpoint(const char *s, struct sockaddr_storage *out)
{
	const char *colon = strrchr(s, ':');
	char host[64];
	size_t len = colon == NULL ? 0 : (size_t)(colon - s);
	char *end = NULL;
	long port = colon == NULL ? 0 : strtol(colon + 1, &end, 10);
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	if (len == 0 || len >= sizeof(host) || port < 1 || port > 65535 || *end != '\0')
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(host, s, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return 0;
	}
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1) {
			v6->sin6_family = AF_INET6;
			v6->sin6_port = htons((uint16_t)port);
			return 0;
		}
	}
	return -EINVAL;
}

static struct MHD_Daemon *start_mhd(struct http *h, struct sockaddr_storage *sa,
				    unsigned clients_max)
{
	unsigned flags = MHD_USE_EPOLL;

	if (sa->ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, h,
				MHD_OPTION_SOCK_ADDR, sa, MHD_OPTION_CONNECTION_LIMIT,
				clients_max, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES + 4096,
				MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

int http_open(uv_loop_t *loop, const char *endpoint, unsigned clients_max, http_fn fn,
	      void *arg, struct http **out)
{
	struct sockaddr_storage sa;
	const union MHD_DaemonInfo *info;
	struct http *h;

	if (parse_endpoint(endpoint, &sa) < 0)
		return err_set(-EINVAL, "http endpoint '%s' is not ADDRESS:PORT",
			       endpoint);
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the http server");
	h->fn = fn;
	h->arg = arg;
	errno = 0;
	h->mhd = start_mhd(h, &sa, clients_max);
	if (h->mhd == NULL) {
		int rc = errno != 0 ? -errno : -EADDRINUSE;

		free(h);
		return err_set(rc, "http endpoint %s: %s", endpoint, strerror(-rc));
	}
	info = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	(void)uv_poll_init(loop, &h->poll, info->epoll_fd);
	(void)uv_timer_init(loop, &h->timer);
	h->poll.data = h->timer.data = h;
	h->handles = 2;
	(void)uv_poll_start(&h->poll, UV_READABLE, on_poll);
	(void)uv_timer_start(&h->timer, on_timer, IDLE_MS, 0);
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	if (h == NULL)
		return;
	(void)uv_poll_stop(&h->poll);
	MHD_stop_daemon(h->mhd);
	uv_close((uv_handle_t *)&h->poll, closed);
	uv_close((uv_handle_t *)&h->timer, closed);
}
