/* feedsock - received from one thread only (nanomsg/nng #1523). */
#include "client/feedsock.h"
#include "base/clock.h"
#include "base/err.h"
#include "client/hangup.h"
#include "client/reqsock.h"
#include "proto/topic.h"
#include <errno.h>
#include <nng/protocol/pubsub0/sub.h>

static int subscribe(struct feedsock *f, enum event_kind kind)
{
	char topic[TOPIC_MAX];
	size_t len = topic_kind(topic, kind);

	return nng_socket_set(f->socket, NNG_OPT_SUB_SUBSCRIBE, topic, len);
}

/* Limits first: a dialer takes over what is set when it is made. */
static int configure(struct feedsock *f)
{
	int rv = nng_socket_set_size(f->socket, NNG_OPT_RECVMAXSZ, FEEDSOCK_MSG_MAX);

	if (rv == 0)
		rv = nng_socket_set_int(f->socket, NNG_OPT_RECVBUF, FEEDSOCK_QUEUE);
	if (rv == 0)
		rv = nng_socket_set_ms(f->socket, NNG_OPT_RECONNMINT, 50);
	if (rv == 0)
		rv = nng_socket_set_ms(f->socket, NNG_OPT_RECONNMAXT, 500);
	if (rv == 0)
		rv = subscribe(f, f->kind);
	if (rv == 0)
		rv = subscribe(f, EVENT_HEARTBEAT);
	if (rv == 0)
		rv = nng_dial(f->socket, f->url, NULL, NNG_FLAG_NONBLOCK);
	if (rv == 0)
		rv = nng_socket_get_int(f->socket, NNG_OPT_RECVFD, &f->fd);
	return rv;
}

int feedsock_open(struct feedsock *f, const char *url, enum event_kind kind)
{
	int rv;

	*f = (struct feedsock){.url = url,
			       .kind = kind,
			       .fd = -1,
			       .heard_ns = clock_mono_ns(),
			       .looked_ns = clock_mono_ns()};
	rv = nng_sub0_open(&f->socket);
	if (rv == 0) {
		f->is_open = true;
		rv = configure(f);
	}
	if (rv == 0)
		return 0;
	feedsock_close(f);
	return err_set(reqsock_errno(rv), "cannot subscribe to %s: %s", url,
		       nng_strerror(rv));
}

void feedsock_close(struct feedsock *f)
{
	if (f->is_open)
		hangup(f->socket);
	f->is_open = false;
	f->fd = -1;
}

int feedsock_take(struct feedsock *f, nng_msg **out)
{
	int rv;

	if (!f->is_open)
		return FEEDSOCK_EMPTY;
	rv = nng_recvmsg(f->socket, out, NNG_FLAG_NONBLOCK);
	if (rv == NNG_EAGAIN || rv == NNG_ETIMEDOUT)
		return FEEDSOCK_EMPTY;
	if (rv != 0)
		return err_set(reqsock_errno(rv), "receiving from %s: %s", f->url,
			       nng_strerror(rv));
	f->heard_ns = clock_mono_ns();
	return 0;
}

bool feedsock_is_silent(struct feedsock *f, int heartbeat_ms)
{
	int64_t beat_ns = (int64_t)heartbeat_ms * NS_PER_MS;
	int64_t limit_ns = beat_ns * FEEDSOCK_MISSES;
	int64_t now_ns = clock_mono_ns();

	/* Who has not looked for long takes what waits before it judges. */
	f->is_late = !f->is_late && now_ns - f->looked_ns > beat_ns * 2;
	f->looked_ns = now_ns;
	if (f->is_late)
		return false;
	return now_ns - f->heard_ns > limit_ns + limit_ns / 6;
}
