/* serve_pub - see serve_pub.h. */
#include "daemon/serve_pub.h"
#include "base/err.h"
#include "bus/stats.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <stdlib.h>
#include <string.h>

struct pub {
	nng_socket socket;
	struct guard *guard; /* owned */
	char url[256];
};

int pub_open(const char *url, unsigned subscribers_max, struct pub **out)
{
	struct pub *p = calloc(1, sizeof(*p));
	int rc, rv;

	if (p == NULL || strlen(url) >= sizeof(p->url)) {
		free(p);
		return err_set(-EINVAL, "endpoint %s cannot be opened", url);
	}
	memcpy(p->url, url, strlen(url) + 1);
	rv = nng_pub0_open(&p->socket);
	if (rv != 0) {
		free(p);
		return err_set(-ENOMEM, "cannot open a PUB socket for %s: %s", url,
			       nng_strerror(rv));
	}
	/* Before any listener exists; a subscriber has nothing to send. */
	(void)nng_socket_set_size(p->socket, NNG_OPT_RECVMAXSZ, 1024);
	(void)nng_socket_set_int(p->socket, NNG_OPT_SENDBUF, PUB_QUEUE);
	rc = guard_new(p->socket.id, url, false, subscribers_max, &p->guard);
	if (rc < 0) {
		(void)nng_close(p->socket);
		free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void pub_close(struct pub *p)
{
	if (p == NULL)
		return;
	(void)nng_close(p->socket);
	guard_free(p->guard);
	free(p);
}

void pub_send(struct pub *p, const char *topic, size_t topic_len, const void *data,
	      size_t len)
{
	nng_msg *msg;
	uint8_t *body;

	if (nng_msg_alloc(&msg, topic_len + len) != 0) {
		stats_add(STAT_PUBLISH_DROPPED, 1);
		return;
	}
	body = nng_msg_body(msg);
	memcpy(body, topic, topic_len);
	memcpy(body + topic_len, data, len);
	if (nng_sendmsg(p->socket, msg, NNG_FLAG_NONBLOCK) != 0) {
		stats_add(STAT_PUBLISH_DROPPED, 1);
		nng_msg_free(msg);
	}
}

unsigned pub_subscribers(const struct pub *p)
{
	return guard_pipes(p->guard);
}

const char *pub_url(const struct pub *p)
{
	return p->url;
}

uint16_t pub_probe_port(const struct pub *p)
{
	return guard_probe_port(p->guard);
}

void pub_guard(struct pub *p)
{
	guard_step(p->guard);
}
