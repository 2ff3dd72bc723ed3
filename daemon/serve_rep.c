/* serve_rep - see serve_rep.h. */
#include "daemon/serve_rep.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/serve_pub.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum state { RECEIVING, OPEN, SENDING };

struct rep_call {
	struct rep *rep;
	nng_ctx ctx;
	nng_aio *aio;
	nng_msg *msg;      /* owned while open */
	_Atomic int state; /* enum state */
};

struct rep {
	nng_socket socket;
	struct guard *guard; /* owned */
	rep_take_fn take;
	void *arg;
	atomic_bool quiet; /* take nothing more */
	_Atomic unsigned open_calls;
	unsigned n_calls;
	struct rep_call calls[];
};

static void receive(struct rep_call *c)
{
	if (atomic_load(&c->rep->quiet))
		return;
	c->state = RECEIVING;
	nng_ctx_recv(c->ctx, c->aio);
}

/* On an nng thread: a request came, or a reply has left. */
FOREIGN static void on_aio(void *arg)
{
	struct rep_call *c = arg;
	int rv = nng_aio_result(c->aio);

	if (c->state == SENDING) {
		if (rv != 0)
			nng_msg_free(nng_aio_get_msg(c->aio));
		receive(c);
		return;
	}
	if (rv == NNG_ECLOSED || rv == NNG_ECANCELED)
		return;
	if (rv != 0) {
		receive(c);
		return;
	}
	c->msg = nng_aio_get_msg(c->aio);
	c->state = OPEN;
	atomic_fetch_add(&c->rep->open_calls, 1);
	c->rep->take(c->rep->arg, c);
}

static int calls_init(struct rep *r, unsigned contexts)
{
	for (unsigned i = 0; i < contexts; i++) {
		struct rep_call *c = &r->calls[i];

		c->rep = r;
		if (nng_aio_alloc(&c->aio, on_aio, c) != 0)
			return -ENOMEM;
		if (nng_ctx_open(&c->ctx, r->socket) != 0) {
			nng_aio_free(c->aio);
			return -ENOMEM;
		}
		r->n_calls++;
	}
	return 0;
}

int rep_open(const char *url, unsigned contexts, size_t bytes_max, unsigned peers_max,
	     rep_take_fn take, void *arg, struct rep **out)
{
	struct rep *r = calloc(1, sizeof(*r) + contexts * sizeof(r->calls[0]));
	int rc;

	if (r == NULL || nng_rep0_open(&r->socket) != 0) {
		free(r);
		return err_set(-ENOMEM, "cannot open a REP socket for %s", url);
	}
	r->take = take;
	r->arg = arg;
	/* Before any listener exists: 1.5.2 allocates what a peer claims. */
	(void)nng_socket_set_size(r->socket, NNG_OPT_RECVMAXSZ, bytes_max);
	rc = calls_init(r, contexts);
	if (rc < 0) {
		rep_close(r);
		return err_set(rc, "out of memory for the contexts of %s", url);
	}
	rc = guard_new(r->socket.id, url, true, peers_max, &r->guard);
	if (rc < 0) {
		rep_close(r);
		return rc;
	}
	for (unsigned i = 0; i < r->n_calls; i++)
		receive(&r->calls[i]);
	*out = r;
	return 0;
}

void rep_quiesce(struct rep *r)
{
	atomic_store(&r->quiet, true);
	for (unsigned i = 0; i < r->n_calls; i++)
		if (r->calls[i].state == RECEIVING)
			nng_aio_cancel(r->calls[i].aio);
}

void rep_halt(struct rep *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->quiet, true);
	for (unsigned i = 0; i < r->n_calls; i++)
		nng_aio_stop(r->calls[i].aio);
}

void rep_close(struct rep *r)
{
	if (r == NULL)
		return;
	/* Users first, then the socket: closing under a receive can hang (#2238). */
	rep_halt(r);
	for (unsigned i = 0; i < r->n_calls; i++) {
		(void)nng_ctx_close(r->calls[i].ctx);
		nng_aio_free(r->calls[i].aio);
		if (r->calls[i].state == OPEN)
			nng_msg_free(r->calls[i].msg);
	}
	(void)nng_close(r->socket);
	guard_free(r->guard);
	free(r);
}

void rep_guard(struct rep *r)
{
	guard_step(r->guard);
}

unsigned rep_open_calls(const struct rep *r)
{
	return atomic_load(&r->open_calls);
}

const void *rep_request(const struct rep_call *call, size_t *out_len)
{
	*out_len = nng_msg_len(call->msg);
	return nng_msg_body(call->msg);
}

unsigned rep_index(const struct rep_call *call)
{
	return (unsigned)(call - call->rep->calls);
}

void rep_reply(struct rep_call *call, const void *data, size_t len)
{
	nng_msg *reply;

	nng_msg_free(call->msg);
	call->msg = NULL;
	if (nng_msg_alloc(&reply, len) != 0) {
		log_err("rep",
			"out of memory for a reply of %zu bytes; the peer will ask "
			"again",
			len);
		call->state = RECEIVING;
		atomic_fetch_sub(&call->rep->open_calls, 1);
		receive(call);
		return;
	}
	memcpy(nng_msg_body(reply), data, len);
	nng_aio_set_msg(call->aio, reply);
	call->state = SENDING;
	atomic_fetch_sub(&call->rep->open_calls, 1);
	nng_ctx_send(call->ctx, call->aio);
}
