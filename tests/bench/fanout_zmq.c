/* fanout_zmq - ZeroMQ PUB/SUB with its defaults, but no high-water mark reached. */
#include "fanout.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static void *end_new(int type)
{
	void *context = zmq_ctx_new();
	void *socket = context == NULL ? NULL : zmq_socket(context, type);
	int none = 0, timeout_ms = 200, one = 1;

	if (socket == NULL || zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof(none)) ||
	    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof(none)) ||
	    (type == ZMQ_SUB &&
	     zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms))) ||
	    (type == ZMQ_XPUB &&
	     zmq_setsockopt(socket, ZMQ_XPUB_VERBOSE, &one, sizeof(one))))
		fanout_die("ZeroMQ has no socket");
	return socket;
}

static void *pub_open(const char *url, unsigned n_subscribers)
{
	void *socket = end_new(ZMQ_XPUB);
	char subscription[64];

	if (zmq_bind(socket, url) != 0)
		fanout_die("ZeroMQ cannot listen");
	for (unsigned i = 0; i < n_subscribers; i++)
		if (zmq_recv(socket, subscription, sizeof(subscription), 0) < 1)
			fanout_die("ZeroMQ has no subscriber");
	return socket;
}

static void pub_send(void *pub, const char *topic, size_t topic_len, const void *data,
		     size_t len)
{
	zmq_msg_t m;

	if (zmq_msg_init_size(&m, topic_len + len) != 0)
		fanout_die("no memory");
	memcpy(zmq_msg_data(&m), topic, topic_len);
	memcpy((char *)zmq_msg_data(&m) + topic_len, data, len);
	if (zmq_msg_send(&m, pub, 0) < 0)
		fanout_die("ZeroMQ cannot send");
}

struct taker {
	void *socket;
	zmq_msg_t held;
};

static void *sub_open(const char *url, const char *topic, size_t topic_len)
{
	struct taker *t = calloc(1, sizeof(*t));

	if (t == NULL)
		fanout_die("no memory");
	t->socket = end_new(ZMQ_SUB);
	(void)zmq_msg_init(&t->held);
	if (zmq_setsockopt(t->socket, ZMQ_SUBSCRIBE, topic, topic_len) != 0 ||
	    zmq_connect(t->socket, url) != 0)
		fanout_die("ZeroMQ cannot subscribe");
	return t;
}

static size_t sub_take(void *sub, const void **out)
{
	struct taker *t = sub;

	if (zmq_msg_recv(&t->held, t->socket, 0) < 0)
		return 0;
	*out = zmq_msg_data(&t->held);
	return zmq_msg_size(&t->held);
}

const struct way fanout_zmq = {pub_open, pub_send, sub_open, sub_take};
