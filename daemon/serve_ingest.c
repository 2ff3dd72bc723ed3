/* serve_ingest - see serve_ingest.h. */
#include "daemon/serve_ingest.h"
#include "base/err.h"
#include "bus/stats.h"
#include "daemon/intake.h"
#include "proto/ingest.h"
#include <errno.h>
#include <stdlib.h>

#define BUSY_RETRY_MS 50u

struct caller {
	struct intake_caller caller; /* first: the reply finds its call */
	struct rep_call *call;
};

struct ingest_server {
	struct rep *rep;
	struct store_thread *store;
	struct caller callers[INGEST_CONTEXTS];
};

static void on_reply(struct intake_caller *c, const void *data, size_t len)
{
	rep_reply(((struct caller *)c)->call, data, len);
}

static void take_job(struct store_thread *st, void *arg)
{
	struct caller *c = arg;
	size_t len;
	const void *data;

	role_assert_store();
	data = rep_request(c->call, &len);
	intake_request(store_intake(st), data, len, &c->caller);
}

static void answer_busy(struct rep_call *call)
{
	struct ingest_reply r = {0};
	struct buf out = {0};
	size_t len;
	const char *data = rep_request(call, &len);

	ingest_reply_set(&r, INGEST_STATUS_BUSY, "the store is behind; send again");
	r.root.retry_ms = BUSY_RETRY_MS;
	ingest_reply_write(&r, len > 0 && data[0] == '{', &out);
	rep_reply(call, out.data, out.len);
	buf_free(&out);
	ingest_reply_deinit(&r);
	stats_add(STAT_INGEST_BUSY, 1);
}

/* On an nng thread: post and return. */
FOREIGN static void on_request(void *arg, struct rep_call *call)
{
	struct ingest_server *s = arg;
	struct caller *c = &s->callers[rep_index(call)];

	c->call = call;
	if (store_post(s->store, take_job, c) != 0)
		answer_busy(call);
}

int ingest_server_open(const char *url, size_t bytes_max, unsigned peers_max,
		       struct store_thread *store, struct ingest_server **out)
{
	struct ingest_server *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return err_set(-ENOMEM, "out of memory for the ingest socket");
	s->store = store;
	for (unsigned i = 0; i < INGEST_CONTEXTS; i++)
		s->callers[i].caller.reply = on_reply;
	rc = rep_open(url, INGEST_CONTEXTS, bytes_max, peers_max, on_request, s,
		      &s->rep);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void ingest_server_close(struct ingest_server *s)
{
	if (s == NULL)
		return;
	rep_close(s->rep);
	free(s);
}

void ingest_server_quiesce(struct ingest_server *s)
{
	rep_quiesce(s->rep);
}

void ingest_server_halt(struct ingest_server *s)
{
	if (s != NULL)
		rep_halt(s->rep);
}

void ingest_server_guard(struct ingest_server *s)
{
	rep_guard(s->rep);
}

unsigned ingest_server_open_calls(const struct ingest_server *s)
{
	return rep_open_calls(s->rep);
}
