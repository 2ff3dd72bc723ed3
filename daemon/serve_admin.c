/* serve_admin - see serve_admin.h. */
#include "daemon/serve_admin.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/unixsock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
	uv_pipe_t pipe;
	struct admin *admin;
	struct client *next;
	struct buf in;
	struct admin_call *open; /* owned; the call being answered */
	bool closing;
};

struct admin_call {
	struct client *client;      /* NULL: the client went away, or there is none: */
	admin_answered_fn answered; /* who asked without the socket */
	void *answered_arg;
	bool failed;
	struct buf out;
	struct jsonw w;
	uint64_t id;
	uv_write_t write;
};

struct admin {
	uv_pipe_t listener;
	uv_loop_t *loop;
	struct client *clients;
	unsigned n_clients;
	unsigned clients_max;
	admin_fn fn;
	void *arg;
	char path[108];
};

static void serve_lines(struct client *c) ON_LOOP;

static void free_client(uv_handle_t *h)
{
	struct client *c = h->data;

	buf_free(&c->in);
	free(c);
}

static void drop(struct client *c)
{
	struct client **p = &c->admin->clients;

	if (c->closing)
		return;
	c->closing = true;
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->admin->n_clients--;
	if (c->open != NULL)
		c->open->client = NULL;
	uv_close((uv_handle_t *)&c->pipe, free_client);
}

static void free_call(struct admin_call *call)
{
	buf_free(&call->out);
	free(call);
}

static void on_written(uv_write_t *req, int status)
{
	struct admin_call *call = req->data;
	struct client *c = call->client;

	role_assert_loop();
	free_call(call);
	if (c == NULL)
		return;
	c->open = NULL;
	if (status < 0)
		drop(c);
	else
		serve_lines(c);
}

static void answer(struct admin_call *call)
{
	uv_buf_t b;

	while (call->w.depth > 0)
		jsonw_end(&call->w);
	if (call->answered != NULL)
		call->answered(call->answered_arg, call->out.data, call->out.len);
	if (call->client == NULL) {
		free_call(call);
		return;
	}
	buf_add(&call->out, "\n", 1);
	b = uv_buf_init((char *)call->out.data, (unsigned)call->out.len);
	call->write.data = call;
	if (uv_write(&call->write, (uv_stream_t *)&call->client->pipe, &b, 1,
		     on_written) < 0) {
		struct client *c = call->client;

		c->open = NULL;
		free_call(call);
		drop(c);
	}
}

static void begin_answer(struct admin_call *call)
{
	call->out.len = 0;
	jsonw_init(&call->w, &call->out);
	jsonw_object(&call->w, NULL);
	jsonw_u64(&call->w, "id", call->id);
	jsonw_bool(&call->w, "ok", !call->failed);
}

uint32_t admin_uid(const struct admin_call *call)
{
	uv_os_fd_t fd;

	if (call->client == NULL ||
	    uv_fileno((const uv_handle_t *)&call->client->pipe, &fd) != 0)
		return UINT32_MAX;
	return unixsock_peer_uid(fd);
}

struct jsonw *admin_result(struct admin_call *call)
{
	return &call->w;
}

void admin_done(struct admin_call *call)
{
	answer(call);
}

void admin_fail(struct admin_call *call, const char *code, const char *text)
{
	call->failed = true;
	begin_answer(call);
	jsonw_str(&call->w, "code", code);
	jsonw_str(&call->w, "error", text);
	answer(call);
}

static void serve_line(struct client *c, const char *line, size_t len) ON_LOOP
{
	struct admin_call *call = calloc(1, sizeof(*call));
	struct json *req = NULL;
	const char *cmd;

	if (call == NULL) {
		drop(c);
		return;
	}
	call->client = c;
	c->open = call;
	stats_add(STAT_ADMIN_REQUESTS, 1);
	if (json_parse(line, len, &req) < 0 || !json_is_object(req)) {
		json_free(req);
		admin_fail(call, "bad_request",
			   req == NULL ? err_text() : "a request is a JSON object");
		return;
	}
	(void)json_u64(json_get(req, "id"), &call->id);
	cmd = json_str(json_get(req, "cmd"), "");
	begin_answer(call);
	jsonw_object(&call->w, "result");
	c->admin->fn(c->admin->arg, cmd, req, call);
	json_free(req);
}

void admin_ask(admin_fn fn, void *arg, const char *cmd, const struct json *request,
	       admin_answered_fn answered, void *answered_arg)
{
	static const char no_memory[] = "{\"ok\":false,\"error\":\"out of memory\"}";
	struct admin_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		answered(answered_arg, no_memory, strlen(no_memory));
		return;
	}
	call->answered = answered;
	call->answered_arg = answered_arg;
	begin_answer(call);
	jsonw_object(&call->w, "result");
	fn(arg, cmd, request, call);
}

/* One call at a time: the next line waits until the last one is answered. */
static void serve_lines(struct client *c)
{
	while (c->open == NULL && !c->closing && c->in.len > 0) {
		uint8_t *end = memchr(c->in.data, '\n', c->in.len);
		size_t len;
		char *line;

		if (end == NULL)
			return;
		len = (size_t)(end - c->in.data);
		line = malloc(len + 1);
		if (line == NULL) {
			drop(c);
			return;
		}
		memcpy(line, c->in.data, len);
		line[len] = '\0';
		c->in.len -= len + 1;
		memmove(c->in.data, end + 1, c->in.len);
		serve_line(c, line, len);
		free(line);
	}
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
	struct client *c = h->data;
	size_t room = ADMIN_LINE_MAX + 1 - c->in.len;

	(void)suggested;
	b->base = (char *)buf_reserve(&c->in, room);
	b->len = room;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct client *c = s->data;

	role_assert_loop();
	(void)b;
	if (n < 0) {
		drop(c);
		return;
	}
	c->in.len += (size_t)n;
	if (c->in.len > ADMIN_LINE_MAX && memchr(c->in.data, '\n', c->in.len) == NULL) {
		stats_add(STAT_ADMIN_REFUSED, 1);
		drop(c);
		return;
	}
	if (c->in.len > ADMIN_LINE_MAX && c->open != NULL) {
		/* It pipelines faster than it is answered: its bound is reached. */
		stats_add(STAT_ADMIN_REFUSED, 1);
		drop(c);
		return;
	}
	serve_lines(c);
}

static bool peer_allowed(uv_pipe_t *pipe)
{
	uv_os_fd_t fd;

	return uv_fileno((uv_handle_t *)pipe, &fd) == 0 && unixsock_peer_allowed(fd);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct admin *a = s->data;
	struct client *c;

	role_assert_loop();
	if (status < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (c == NULL || uv_pipe_init(a->loop, &c->pipe, 0) < 0) {
		free(c);
		return;
	}
	c->pipe.data = c;
	c->admin = a;
	c->next = a->clients;
	a->clients = c;
	a->n_clients++;
	if (uv_accept(s, (uv_stream_t *)&c->pipe) < 0) {
		drop(c);
		return;
	}
	if (a->n_clients > a->clients_max || !peer_allowed(&c->pipe)) {
		stats_add(STAT_ADMIN_REFUSED, 1);
		drop(c);
		return;
	}
	if (uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0)
		drop(c);
}

static void free_admin(uv_handle_t *h)
{
	free(h->data);
}

int admin_open(uv_loop_t *loop, const char *path, unsigned clients_max, admin_fn fn,
	       void *arg, struct admin **out)
{
	struct admin *a;
	int fd, rc;

	rc = unixsock_listen(path, &fd);
	if (rc < 0)
		return rc;
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		close(fd);
		return err_set(-ENOMEM, "out of memory for the admin socket");
	}
	a->loop = loop;
	a->fn = fn;
	a->clients_max = clients_max;
	a->arg = arg;
	memcpy(a->path, path, strlen(path) + 1);
	rc = uv_pipe_init(loop, &a->listener, 0);
	if (rc < 0) {
		close(fd);
		free(a);
		return err_set(rc, "admin socket %s: %s", path, uv_strerror(rc));
	}
	a->listener.data = a;
	rc = uv_pipe_open(&a->listener, fd);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&a->listener, 16, on_connection);
	if (rc < 0) {
		uv_close((uv_handle_t *)&a->listener, free_admin);
		return err_set(rc, "admin socket %s: %s", path, uv_strerror(rc));
	}
	*out = a;
	return 0;
}

void admin_close(struct admin *a)
{
	if (a == NULL)
		return;
	while (a->clients != NULL)
		drop(a->clients);
	(void)unlink(a->path);
	uv_close((uv_handle_t *)&a->listener, free_admin);
}
