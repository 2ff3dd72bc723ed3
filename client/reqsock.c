/* reqsock - the only place where the library sends over nng. */
#include "client/reqsock.h"
#include "base/err.h"
#include "client/hangup.h"
#include <errno.h>
#include <nng/protocol/reqrep0/req.h>
#include <string.h>

int reqsock_errno(int nng_error)
{
	switch (nng_error) {
	case 0:
		return 0;
	case NNG_ETIMEDOUT:
		return -ETIMEDOUT;
	case NNG_ENOMEM:
		return -ENOMEM;
	case NNG_ECONNREFUSED:
		return -ECONNREFUSED;
	case NNG_EADDRINVAL:
	case NNG_EINVAL:
	case NNG_ENOTSUP:
		return -EINVAL;
	case NNG_EAGAIN:
		return -EAGAIN;
	default:
		return nng_error & NNG_ESYSERR ? -(nng_error & ~NNG_ESYSERR) : -EIO;
	}
}

void reqsock_init(struct reqsock *r, const char *url)
{
	*r = (struct reqsock){.url = url};
}

void reqsock_close(struct reqsock *r)
{
	if (r->is_open)
		hangup(r->socket);
	r->is_open = false;
}

/* Size limits before the dialer exists: it takes them over when it is made. */
int reqsock_ensure(struct reqsock *r)
{
	int rv;

	if (r->is_open)
		return 0;
	rv = nng_req0_open(&r->socket);
	if (rv != 0)
		return err_set(reqsock_errno(rv), "no socket: %s", nng_strerror(rv));
	r->is_open = true;
	rv = nng_socket_set_size(r->socket, NNG_OPT_RECVMAXSZ, REQSOCK_REPLY_MAX);
	if (rv == 0)
		rv = nng_socket_set_ms(r->socket, NNG_OPT_RECONNMINT, 50);
	if (rv == 0)
		rv = nng_socket_set_ms(r->socket, NNG_OPT_RECONNMAXT, 500);
	if (rv == 0)
		rv = nng_dial(r->socket, r->url, NULL, NNG_FLAG_NONBLOCK);
	if (rv == 0)
		return 0;
	reqsock_close(r);
	return err_set(reqsock_errno(rv), "cannot dial %s: %s", r->url,
		       nng_strerror(rv));
}

static int exchange(struct reqsock *r, nng_msg *msg, int timeout_ms, nng_msg **out)
{
	int rv = nng_socket_set_ms(r->socket, NNG_OPT_SENDTIMEO, timeout_ms);

	if (rv == 0)
		rv = nng_socket_set_ms(r->socket, NNG_OPT_RECVTIMEO, timeout_ms);
	if (rv == 0)
		rv = nng_sendmsg(r->socket, msg, 0);
	if (rv != 0) {
		nng_msg_free(msg);
		return rv;
	}
	return nng_recvmsg(r->socket, out, 0);
}

int reqsock_ask(struct reqsock *r, const void *data, size_t len, int timeout_ms,
		nng_msg **out)
{
	nng_msg *msg = NULL;
	int rc = reqsock_ensure(r);
	int rv;

	if (rc < 0)
		return rc;
	rv = nng_msg_alloc(&msg, len);
	if (rv != 0)
		return err_set(-ENOMEM, "no memory for a request of %zu bytes", len);
	memcpy(nng_msg_body(msg), data, len);
	rv = exchange(r, msg, timeout_ms, out);
	if (rv == 0)
		return 0;
	reqsock_close(r);
	return err_set(reqsock_errno(rv), "%s does not answer: %s", r->url,
		       nng_strerror(rv));
}
