/* fetch - see fetch.h. */
#include "client/fetch.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int fetch_open(struct fetch *f, const char *url, int timeout_ms, int epoll)
{
	struct epoll_event e = {.events = EPOLLIN};
	int rc;

	*f = (struct fetch){.deadline = -1, .timeout_ms = timeout_ms};
	rc = splink_open(&f->link, url, SPLINK_REQ, epoll);
	if (rc < 0)
		return rc;
	f->is_open = true;
	f->deadline = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (f->deadline < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, f->deadline, &e) < 0)
		return err_set(-errno, "no descriptor for requests: %s",
			       strerror(errno));
	return 0;
}

void fetch_close(struct fetch *f)
{
	if (f->is_open)
		splink_close(&f->link);
	if (f->is_open && f->deadline >= 0)
		close(f->deadline);
	buf_free(&f->request);
	f->deadline = -1;
	f->is_open = f->is_running = false;
}

static void set_deadline(const struct fetch *f, int64_t ns)
{
	const struct itimerspec t = {.it_value = {ns / NS_PER_S, ns % NS_PER_S}};

	(void)timerfd_settime(f->deadline, TFD_TIMER_ABSTIME, &t, NULL);
}

/* Once in each life of the connection. */
static void send_request(struct fetch *f)
{
	uint8_t id[REQSOCK_ID_LEN];

	if (!splink_step(&f->link) || f->sent_on == f->link.opened)
		return;
	reqsock_id(f->id, id);
	if (splink_send(&f->link, id, sizeof(id), f->request.data, f->request.len) == 0)
		f->sent_on = f->link.opened;
}

int fetch_begin(struct fetch *f, const void *data, size_t len)
{
	f->request.len = 0;
	buf_add(&f->request, data, len);
	f->id = (f->id + 1) & 0x7fffffffu;
	f->until_ns = clock_mono_ns() + f->timeout_ms * NS_PER_MS;
	f->sent_on = 0;
	f->is_running = true;
	set_deadline(f, f->until_ns);
	send_request(f);
	return 0;
}

void fetch_drop(struct fetch *f)
{
	if (!f->is_running)
		return;
	f->is_running = false;
	set_deadline(f, 0);
}

/* Answers to requests that were given up are let go, also while nothing runs: a
   connection with something to read wakes its caller. */
static bool take_answer(struct fetch *f, struct splink_msg **out)
{
	while (splink_take(&f->link, out) == 0) {
		if (f->is_running && reqsock_answers(*out, f->id))
			return true;
		free(*out);
	}
	*out = NULL;
	return false;
}

int fetch_poll(struct fetch *f, struct splink_msg **out)
{
	if (f->is_running)
		send_request(f);
	if (take_answer(f, out)) {
		f->is_running = false;
		set_deadline(f, 0);
		return 0;
	}
	if (!f->is_running)
		return FETCH_NONE;
	if (clock_mono_ns() < f->until_ns)
		return FETCH_RUNNING;
	f->is_running = false;
	set_deadline(f, 0);
	splink_renew(&f->link);
	return err_set(-ETIMEDOUT, "%s does not answer: %s", f->link.url,
		       f->link.why[0] ? f->link.why : "timed out");
}
