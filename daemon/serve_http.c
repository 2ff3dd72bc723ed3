/* serve_http - see serve_http.h; the keeper of microhttpd.h. */
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/serve_http_parts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES (size_t)8192
#define TIMEOUT_S    5u
#define IDLE_MS      1000u

static void on_timer(uv_timer_t *t);

/* Answers given outside of MHD are looked at by its next turn: soon. */
void http_kick(struct http *h)
{
	if (!h->closing)
		(void)uv_timer_start(&h->timer, on_timer, 0, 0);
}

/* ---- answers ---- */

static struct MHD_Response *response_of(const void *body, size_t len, const char *type)
{
	/* The cast: MHD takes no const and copies all the same. */
	struct MHD_Response *r = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

	if (r == NULL)
		return NULL;
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	(void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(r, "X-Frame-Options", "DENY");
	(void)MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	(void)MHD_add_response_header(
		r, "Content-Security-Policy",
		"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
		"data:; "
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
	return r;
}

static enum MHD_Result queue(struct http_request *r)
{
	enum MHD_Result ok = MHD_NO;

	if (r->response != NULL)
		ok = MHD_queue_response(r->conn, r->status, r->response);
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	r->response = NULL;
	return ok;
}

static void forget_waiting(struct http *h, struct http_request *r)
{
	for (struct http_request **p = &h->waiting; *p != NULL; p = &(*p)->next) {
		if (*p == r) {
			*p = r->next;
			return;
		}
	}
}

void http_resume(struct http_request *r)
{
	if (!r->aside)
		return;
	r->aside = false;
	forget_waiting(r->http, r);
	MHD_resume_connection(r->conn);
	http_kick(r->http);
}

void http_answer(struct http_request *r, unsigned status, const char *type,
		 const void *body, size_t len)
{
	r->answered = true;
	if (r->http == NULL) {
		free(r);
		return;
	}
	if (status >= 400 && status < 500)
		stats_add(STAT_HTTP_REFUSED, 1);
	r->status = status;
	r->response = response_of(body, len, type);
	http_resume(r);
}

/* ---- requests ---- */

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_accept(const struct http_request *r)
{
	const char *accept = NULL;

	if (r->http != NULL)
		accept = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND,
						     MHD_HTTP_HEADER_ACCEPT);
	return accept == NULL ? "" : accept;
}

struct each_query {
	void (*fn)(void *arg, const char *key, const char *value);
	void *arg;
};

static enum MHD_Result on_query(void *arg, enum MHD_ValueKind kind, const char *key,
				const char *value)
{
	const struct each_query *q = arg;

	(void)kind;
	q->fn(q->arg, key, value == NULL ? "" : value);
	return MHD_YES;
}

void http_each_query(struct http_request *r,
		     void (*fn)(void *arg, const char *key, const char *value),
		     void *arg)
{
	struct each_query q = {fn, arg};

	if (r->http != NULL)
		(void)MHD_get_connection_values(r->conn, MHD_GET_ARGUMENT_KIND,
						on_query, &q);
}

/*
 * The machine's own name, whole or its first part alone.  "box.anything" is not ours:
 * whoever owns "anything" can make it lead here, and read (DNS rebinding).
 */
static bool is_machine(const char *name)
{
	char machine[65] = {0};
	size_t len;

	if (gethostname(machine, sizeof(machine) - 1) != 0)
		return false;
	len = strcspn(machine, ".");
	return len > 0 && (strcasecmp(name, machine) == 0 ||
			   (strncasecmp(name, machine, len) == 0 && name[len] == '\0'));
}

/* An address, localhost, the machine, what is listened on; HTTP/1.0 may leave it out.
 */
static bool host_is_ours(const struct http *h, const char *host)
{
	char name[64];
	const char *end;
	size_t len;

	if (host == NULL)
		return true;
	end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
	if (host[0] == '[')
		return end != NULL; /* only an address stands in brackets */
	len = end == NULL ? strlen(host) : (size_t)(end - host);
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return strcasecmp(name, "localhost") == 0 || strcmp(name, h->host) == 0 ||
	       is_machine(name) || inet_pton(AF_INET, name, &(struct in_addr){0}) == 1;
}

ON_LOOP static void begin(struct http *h, struct http_request *r, const char *method)
{
	static const char only[] = "only GET and HEAD\n";
	static const char strange[] = "this server answers to its address and to "
				      "localhost, not to that name\n";
	const char *text = "text/plain; charset=utf-8";

	r->began = true;
	stats_add(STAT_HTTP_REQUESTS, 1);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		http_answer(r, MHD_HTTP_METHOD_NOT_ALLOWED, text, only, strlen(only));
	else if (!host_is_ours(h, MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND,
							      MHD_HTTP_HEADER_HOST)))
		http_answer(r, MHD_HTTP_MISDIRECTED_REQUEST, text, strange,
			    strlen(strange));
	else
		h->fn(h->arg, r);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *conn,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_len, void **ctx)
{
	struct http *h = arg;
	struct http_request *r = *ctx;

	role_assert_loop();
	(void)version;
	(void)upload;
	if (r == NULL) { /* first call: headers only; answer at the second */
		r = calloc(1, sizeof(*r));
		if (r == NULL || strlen(url) >= sizeof(r->path)) {
			free(r);
			return MHD_NO;
		}
		r->http = h;
		r->conn = conn;
		memcpy(r->path, url, strlen(url) + 1);
		*ctx = r;
		return MHD_YES;
	}
	if (*upload_len != 0) {
		*upload_len = 0; /* nothing here takes a body: read it away */
		return MHD_YES;
	}
	if (!r->began)
		begin(h, r, method);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): only one without http is freed */
	if (r->answered)
		return queue(r);
	r->aside = true;
	r->next = h->waiting;
	h->waiting = r;
	MHD_suspend_connection(conn);
	return MHD_YES;
}

/* MHD is done with the connection's request, whatever became of it. */
static void on_completed(void *arg, struct MHD_Connection *conn, void **ctx,
			 enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *ctx;

	(void)arg;
	(void)conn;
	(void)why;
	if (r == NULL)
		return;
	*ctx = NULL;
	if (r->response != NULL)
		MHD_destroy_response(r->response);
	r->response = NULL;
	r->http = NULL;
	if (r->answered || !r->began)
		free(r);
}

/* ---- the loop ---- */

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

/*
 * Who comes to a full house is sent away at once.  MHD's own limit would leave him in
 * the kernel's queue, and of one that wrote half a request and went it would not hear
 * the end (its epoll is edge-triggered): a thousand of those took each place for the
 * full time-out, one after the other, more than a minute in all.
 */
static enum MHD_Result may_enter(void *arg, const struct sockaddr *from, socklen_t len)
{
	const struct http *h = arg;

	role_assert_loop();
	(void)from;
	(void)len;
	if (h->clients < h->clients_max)
		return MHD_YES;
	stats_add(STAT_HTTP_TURNED_AWAY, 1);
	return MHD_NO;
}

static void on_connection(void *arg, struct MHD_Connection *conn, void **ctx,
			  enum MHD_ConnectionNotificationCode what)
{
	struct http *h = arg;

	role_assert_loop();
	(void)conn;
	(void)ctx;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		h->clients++;
	else
		h->clients--;
}

static struct MHD_Daemon *start_mhd(struct http *h, struct sockaddr_storage *sa,
				    unsigned clients_max)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;

	if (sa->ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	h->clients_max = clients_max;
	/* One more: MHD's limit must never be reached, or it stops accepting. */
	return MHD_start_daemon(flags, 0, may_enter, h, on_request, h,
				MHD_OPTION_SOCK_ADDR, sa, MHD_OPTION_CONNECTION_LIMIT,
				clients_max + 1, MHD_OPTION_CONNECTION_TIMEOUT,
				TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				HEADER_BYTES + 4096, MHD_OPTION_STRICT_FOR_CLIENT, 1,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
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
	memcpy(h->host, endpoint, strcspn(endpoint, ":") % sizeof(h->host));
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
	h->closing = true;
	(void)uv_poll_stop(&h->poll);
	/* MHD stops with nothing set aside. */
	while (h->waiting != NULL) {
		struct http_request *r = h->waiting;

		h->waiting = r->next;
		r->aside = false;
		MHD_resume_connection(r->conn);
	}
	for (struct http_stream *s = h->streams; s != NULL; s = s->next) {
		if (s->aside)
			MHD_resume_connection(s->conn);
		s->aside = false;
	}
	MHD_stop_daemon(h->mhd);
	uv_close((uv_handle_t *)&h->poll, closed);
	uv_close((uv_handle_t *)&h->timer, closed);
}
