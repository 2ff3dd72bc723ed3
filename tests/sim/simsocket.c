/* simsocket - see simsocket.h. */
#include "tests/sim/simsocket.h"
#include "base/buf.h"
#include "daemon/admin_commands.h"
#include "daemon/archive_parts.h"
#include "daemon/board.h"
#include "daemon/http_routes.h"
#include "daemon/page_live.h"
#include "daemon/serve_admin.h"
#include "daemon/serve_http.h"
#include "daemon/serve_pub.h"
#include "daemon/serve_rep.h"
#include "daemon/serve_ring.h"
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 64u

struct rep_call {
	struct rep *rep;
	unsigned index;
	bool open;
	struct buf request;
	simsocket_answer_fn fn; /* NULL: the connection broke */
	void *arg;
};

struct rep {
	rep_take_fn take;
	void *arg;
	unsigned contexts;
	struct rep_call calls[CALLS_MAX];
};

struct pub {
	enum event_kind kind;
};

static struct {
	struct rep *reps[SIMSOCKET_N];
	simsocket_frame_fn frame;
	void *arg;
} net;

/* ---- the simulation's side ---- */

bool simsocket_ask(enum simsocket which, const void *data, size_t len,
		   simsocket_answer_fn fn, void *arg)
{
	struct rep *r = net.reps[which];

	for (unsigned i = 0; r != NULL && i < r->contexts; i++) {
		struct rep_call *c = &r->calls[i];

		if (c->open)
			continue;
		c->open = true;
		c->fn = fn;
		c->arg = arg;
		c->request.len = 0;
		buf_add(&c->request, data, len);
		r->take(r->arg, c);
		return true;
	}
	return false;
}

void simsocket_listen(simsocket_frame_fn fn, void *arg)
{
	net.frame = fn;
	net.arg = arg;
}

void simsocket_break(void)
{
	for (unsigned w = 0; w < SIMSOCKET_N; w++)
		for (unsigned i = 0; net.reps[w] != NULL && i < CALLS_MAX; i++)
			net.reps[w]->calls[i].fn = NULL;
	net.frame = NULL;
}

/* ---- instead of serve_rep.c ---- */

int rep_open(const char *url, unsigned contexts, size_t bytes_max, unsigned peers_max,
	     rep_take_fn take, void *arg, struct rep **out)
{
	struct rep *r = calloc(1, sizeof(*r));

	(void)bytes_max;
	(void)peers_max;
	r->take = take;
	r->arg = arg;
	r->contexts = contexts < CALLS_MAX ? contexts : CALLS_MAX;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		r->calls[i] = (struct rep_call){.rep = r, .index = i};
	net.reps[url[0] == 'i' ? SIMSOCKET_INGEST : SIMSOCKET_CATCHUP] = r;
	*out = r;
	return 0;
}

void rep_close(struct rep *r)
{
	if (r == NULL)
		return;
	for (unsigned w = 0; w < SIMSOCKET_N; w++)
		if (net.reps[w] == r)
			net.reps[w] = NULL;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		buf_free(&r->calls[i].request);
	free(r);
}

void rep_quiesce(struct rep *r)
{
	(void)r;
}

void rep_halt(struct rep *r)
{
	(void)r;
}

void rep_guard(struct rep *r)
{
	(void)r;
}

unsigned rep_open_calls(const struct rep *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALLS_MAX; i++)
		n += r->calls[i].open;
	return n;
}

const void *rep_request(const struct rep_call *call, size_t *out_len)
{
	*out_len = call->request.len;
	return call->request.data;
}

unsigned rep_index(const struct rep_call *call)
{
	return call->index;
}

void rep_reply(struct rep_call *call, const void *data, size_t len)
{
	simsocket_answer_fn fn = call->fn;

	call->open = false;
	call->fn = NULL;
	if (fn != NULL)
		fn(call->arg, data, len);
}

/* ---- instead of serve_pub.c ---- */

int pub_open(const char *url, unsigned subscribers_max, struct pub **out)
{
	struct pub *p = calloc(1, sizeof(*p));

	(void)subscribers_max;
	p->kind = event_kind_parse(url, strlen(url));
	*out = p;
	return 0;
}

void pub_close(struct pub *p)
{
	free(p);
}

void pub_send(struct pub *p, const char *topic, size_t topic_len, const void *data,
	      size_t len)
{
	(void)topic;
	(void)topic_len;
	if (net.frame != NULL)
		net.frame(net.arg, p->kind, data, len);
}

unsigned pub_subscribers(const struct pub *p)
{
	(void)p;
	return 1;
}

/* ---- doors that stay shut: their endpoints are empty ---- */

int admin_open(uv_loop_t *loop, const char *path, unsigned clients_max, admin_fn fn,
	       void *arg, struct admin **out)
{
	(void)clients_max;
	(void)loop;
	(void)path;
	(void)fn;
	(void)arg;
	(void)out;
	abort();
}

void admin_close(struct admin *a)
{
	(void)a;
}

void daemon_admin(void *arg, const char *cmd, const struct json *request,
		  struct admin_call *call)
{
	(void)arg;
	(void)cmd;
	(void)request;
	(void)call;
	abort();
}

int http_open(uv_loop_t *loop, const char *endpoint, unsigned clients_max, http_fn fn,
	      void *arg, struct http **out)
{
	(void)clients_max;
	(void)loop;
	(void)endpoint;
	(void)fn;
	(void)arg;
	(void)out;
	abort();
}

void http_close(struct http *h)
{
	(void)h;
}

void daemon_http(void *arg, struct http_request *r)
{
	(void)arg;
	(void)r;
	abort();
}

/* There is no archive in these worlds, and no history. */
int archive_seen_new(struct archive_seen **out)
{
	*out = NULL;
	return 0;
}

void archive_seen_free(struct archive_seen *s)
{
	(void)s;
}

int archive_seen_add(struct archive_seen *s, const char *line)
{
	(void)s;
	(void)line;
	abort();
}

void archive_seen_write(const struct archive_seen *s, struct buf *out)
{
	(void)s;
	(void)out;
	abort();
}

int archive_bars_step(struct daemon *d, struct archive_seen *seen, int64_t from_ns)
{
	(void)d;
	(void)seen;
	(void)from_ns;
	abort();
}

int page_live_new(struct daemon *d, struct page_live **out)
{
	(void)d;
	(void)out;
	abort();
}

void page_live_close(struct page_live *p)
{
	(void)p;
}

struct board *page_live_board(struct page_live *p)
{
	(void)p;
	return NULL;
}

void board_bar(struct board *b, const struct event_bar *bar)
{
	(void)b;
	(void)bar;
}

void otlp_thread_free(struct otlp_thread *t)
{
	(void)t;
}

int ring_server_open(uv_loop_t *loop, const char *path, const int fds[RING_FDS],
		     struct ring_server **out)
{
	(void)loop;
	(void)path;
	(void)fds;
	(void)out;
	abort();
}

void ring_server_close(struct ring_server *r)
{
	(void)r;
}
