/* fanout_nng - nng PUB/SUB as the daemon and the client library use it. */
#include "fanout.h"
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct end {
	nng_socket socket;
	atomic_uint pipes;
	nng_msg *held;
};

static struct end *end_new(void)
{
	struct end *e = calloc(1, sizeof(*e));

	if (e == NULL)
		fanout_die("no memory");
	return e;
}

/* FOREIGN: a subscriber's pipe is ours to send to.  SUB filters at its own end. */
static void on_pipe(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
	(void)pipe;
	(void)ev;
	atomic_fetch_add(&((struct end *)arg)->pipes, 1);
}

static void *pub_open(const char *url, unsigned n_subscribers)
{
	struct end *e = end_new();

	if (nng_pub0_open(&e->socket) != 0 ||
	    nng_socket_set_int(e->socket, NNG_OPT_SENDBUF, FANOUT_QUEUE) != 0 ||
	    nng_pipe_notify(e->socket, NNG_PIPE_EV_ADD_POST, on_pipe, e) != 0 ||
	    nng_listen(e->socket, url, NULL, 0) != 0)
		fanout_die("nng cannot listen");
	while (atomic_load(&e->pipes) < n_subscribers)
		sched_yield();
	return e;
}

static void pub_send(void *pub, const char *topic, size_t topic_len, const void *data,
		     size_t len)
{
	struct end *e = pub;
	nng_msg *m;

	if (nng_msg_alloc(&m, topic_len + len) != 0)
		fanout_die("no memory");
	memcpy(nng_msg_body(m), topic, topic_len);
	memcpy((char *)nng_msg_body(m) + topic_len, data, len);
	if (nng_sendmsg(e->socket, m, NNG_FLAG_NONBLOCK) != 0)
		fanout_die("nng cannot send");
}

static void *sub_open(const char *url, const char *topic, size_t topic_len)
{
	struct end *e = end_new();

	if (nng_sub0_open(&e->socket) != 0 ||
	    nng_socket_set_int(e->socket, NNG_OPT_RECVBUF, FANOUT_QUEUE) != 0 ||
	    nng_socket_set_ms(e->socket, NNG_OPT_RECVTIMEO, 200) != 0 ||
	    nng_socket_set(e->socket, NNG_OPT_SUB_SUBSCRIBE, topic, topic_len) != 0)
		fanout_die("nng cannot subscribe");
	while (nng_dial(e->socket, url, NULL, 0) != 0)
		sched_yield();
	return e;
}

static size_t sub_take(void *sub, const void **out)
{
	struct end *e = sub;

	nng_msg_free(e->held);
	e->held = NULL;
	if (nng_recvmsg(e->socket, &e->held, 0) != 0)
		return 0;
	*out = nng_msg_body(e->held);
	return nng_msg_len(e->held);
}

const struct way fanout_nng = {pub_open, pub_send, sub_open, sub_take};
