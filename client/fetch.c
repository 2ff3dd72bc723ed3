/* fetch - send, then receive, by one aio; the callback only moves the step on. */
#include "client/fetch.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum fetch_step { STEP_SEND, STEP_RECEIVE, STEP_OVER };

/* On a thread of nng's. */
static void on_aio(void *arg)
{
	struct fetch *f = arg;
	const uint64_t one = 1;

	if (atomic_load(&f->step) == STEP_SEND && nng_aio_result(f->aio) == 0) {
		atomic_store(&f->step, STEP_RECEIVE);
		nng_recv_aio(f->sock.socket, f->aio);
		return;
	}
	atomic_store(&f->step, STEP_OVER);
	while (write(f->event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int fetch_open(struct fetch *f, const char *url, int timeout_ms)
{
	*f = (struct fetch){.event = -1, .timeout_ms = timeout_ms};
	reqsock_init(&f->sock, url);
	f->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (f->event < 0)
		return err_set(-errno, "no descriptor for requests: %s",
			       strerror(errno));
	if (nng_aio_alloc(&f->aio, on_aio, f) != 0)
		return err_set(-ENOMEM, "no memory for requests");
	nng_aio_set_timeout(f->aio, timeout_ms);
	return 0;
}

/* A message that was not sent is still in the aio. */
static void drop_message(struct fetch *f)
{
	nng_msg *msg = nng_aio_get_msg(f->aio);

	if (msg)
		nng_msg_free(msg);
	nng_aio_set_msg(f->aio, NULL);
}

void fetch_close(struct fetch *f)
{
	if (f->aio) {
		nng_aio_stop(f->aio); /* and waits until the callback has returned */
		if (f->is_running)
			drop_message(f);
		nng_aio_free(f->aio);
	}
	f->aio = NULL;
	f->is_running = false;
	reqsock_close(&f->sock);
	if (f->event >= 0)
		close(f->event);
	f->event = -1;
}

int fetch_begin(struct fetch *f, const void *data, size_t len)
{
	nng_msg *msg = NULL;
	int rc = reqsock_ensure(&f->sock);

	if (rc < 0)
		return rc;
	if (nng_msg_alloc(&msg, len) != 0)
		return err_set(-ENOMEM, "no memory for a request of %zu bytes", len);
	memcpy(nng_msg_body(msg), data, len);
	nng_aio_set_msg(f->aio, msg);
	atomic_store(&f->step, STEP_SEND);
	f->is_running = true;
	nng_send_aio(f->sock.socket, f->aio);
	return 0;
}

int fetch_poll(struct fetch *f, nng_msg **out)
{
	uint64_t n;
	int rv;

	if (!f->is_running)
		return FETCH_NONE;
	if (atomic_load(&f->step) != STEP_OVER)
		return FETCH_RUNNING;
	nng_aio_wait(f->aio); /* the callback may be on its last line */
	(void)!read(f->event, &n, sizeof(n));
	f->is_running = false;
	rv = nng_aio_result(f->aio);
	if (rv == 0) {
		*out = nng_aio_get_msg(f->aio);
		nng_aio_set_msg(f->aio, NULL);
		return 0;
	}
	drop_message(f);
	reqsock_close(&f->sock);
	return err_set(reqsock_errno(rv), "%s does not answer: %s", f->sock.url,
		       nng_strerror(rv));
}
