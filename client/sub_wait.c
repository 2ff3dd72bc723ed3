/*
 * sub_wait - where live messages come from, and what wakes us.
 *
 *	caller's epoll: timer, catch-up's link, live epoll: link, link ...
 *
 * While pages are fetched the live epoll is not looked at: what waits in the
 * sockets has to wait, and must not wake anybody over and over.
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include "proto/topic.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define REBUILD_EVERY 1024
#define RING_LOOK_MS  1

static const struct {
	enum event_kind kind;
	enum tickbus_port port;
} feeds[SUB_SOCKETS] = {{EVENT_TICK, TICKBUS_TICK},   {EVENT_BAR, TICKBUS_BAR},
			{EVENT_TIER1, TICKBUS_TIER1}, {EVENT_TIER2, TICKBUS_TIER2},
			{EVENT_NEWS, TICKBUS_STATUS}, {EVENT_STATUS, TICKBUS_STATUS}};

/* ---- opening ------------------------------------------------------------ */

static int watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_set(-errno, "epoll: %s", strerror(errno));
	return 0;
}

static int64_t beat_ns(const struct tickbus_sub *sub)
{
	return sub->options.heartbeat_ms * NS_PER_MS;
}

/* Fire in @first_ns, then once per heartbeat, so that silence is noticed too. */
static int set_timer(const struct tickbus_sub *sub, int64_t first_ns)
{
	int64_t ns = beat_ns(sub);
	struct itimerspec every = {
		.it_interval = {ns / NS_PER_S, ns % NS_PER_S},
		.it_value = {first_ns / NS_PER_S, first_ns % NS_PER_S}};

	return timerfd_settime(sub->timer, 0, &every, NULL);
}

static int open_descriptors(struct tickbus_sub *sub)
{
	int rc;

	sub->epoll = epoll_create1(EPOLL_CLOEXEC);
	sub->live_epoll = epoll_create1(EPOLL_CLOEXEC);
	sub->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (sub->epoll < 0 || sub->live_epoll < 0 || sub->timer < 0 ||
	    set_timer(sub, beat_ns(sub)) < 0)
		return err_set(-errno, "no descriptors to wait with: %s",
			       strerror(errno));
	rc = watch(sub->epoll, sub->timer);
	if (rc == 0)
		rc = watch(sub->epoll, sub->live_epoll);
	sub->live_is_on = rc == 0;
	return rc;
}

static int open_sockets(struct tickbus_sub *sub)
{
	for (size_t i = 0; i < SUB_SOCKETS; i++) {
		struct feedsock *f = &sub->socket[sub->n_sockets];
		int rc;

		if (!(sub->kinds >> feeds[i].kind & 1))
			continue;
		rc = feedsock_open(f, sub->options.url[feeds[i].port], feeds[i].kind,
				   sub->live_epoll);
		if (rc < 0)
			return rc;
		sub->n_sockets++;
	}
	return 0;
}

int sub_wait_open(struct tickbus_sub *sub)
{
	int rc = open_descriptors(sub);

	if (rc == 0)
		rc = fetch_open(&sub->pages.fetch, sub->options.url[TICKBUS_CATCHUP],
				sub->options.timeout_ms, sub->epoll);
	if (rc < 0)
		return rc;
	if (!sub->uses_ring)
		return open_sockets(sub);
	return ringfeed_open(&sub->ring, sub->options.ring_path, sub->kinds);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void sub_wait_close(struct tickbus_sub *sub)
{
	for (size_t i = 0; i < sub->n_sockets; i++)
		feedsock_close(&sub->socket[i]);
	if (sub->uses_ring)
		ringfeed_close(&sub->ring);
	fetch_close(&sub->pages.fetch);
	close_fd(sub->epoll);
	close_fd(sub->live_epoll);
	close_fd(sub->timer);
}

void sub_source_clear(struct sub_source *s)
{
	free(s->msg);
	s->msg = NULL;
	s->is_loaded = s->is_open = s->is_peeked = false;
}

/* ---- reading ------------------------------------------------------------ */

/* Three heartbeats missed: the peer may be gone without a word. */
static void rebuild_silent(struct tickbus_sub *sub)
{
	for (size_t i = 0; i < sub->n_sockets; i++) {
		struct feedsock *f = &sub->socket[i];

		if (!feedsock_is_silent(f, sub->options.heartbeat_ms))
			continue;
		sub->counts.rebuilds++;
		feedsock_renew(f);
	}
}

static bool open_message(struct tickbus_sub *sub, struct splink_msg *msg)
{
	struct sub_source *live = &sub->live;
	struct topic t;

	if (topic_split(msg->data, msg->len, &t) ||
	    frame_open(t.body, t.body_len, &live->frame)) {
		sub->counts.malformed++;
		free(msg);
		return false;
	}
	if (live->frame.kind == EVENT_HEARTBEAT)
		sub->counts.heartbeats++;
	live->msg = msg;
	live->is_loaded = live->is_open = true;
	live->is_peeked = false;
	sub_beat_note(sub);
	return true;
}

/* The same from shared memory, where the frame has no topic in front. */
static bool take_from_ring(struct tickbus_sub *sub)
{
	struct sub_source *live = &sub->live;

	while (ringfeed_take(&sub->ring) == 0) {
		sub->counts.lapped = sub->ring.lapped;
		if (frame_open(sub->ring.frame.data, sub->ring.frame.len,
			       &live->frame)) {
			sub->counts.malformed++;
			continue;
		}
		sub->counts.heartbeats += live->frame.kind == EVENT_HEARTBEAT;
		live->is_loaded = live->is_open = true;
		live->is_peeked = false;
		sub_beat_note(sub);
		return true;
	}
	return false;
}

/* The sockets take turns, so a flood of ticks does not hold back the bars. */
bool sub_take_message(struct tickbus_sub *sub)
{
	if (sub->uses_ring)
		return take_from_ring(sub);
	/* A busy socket must not hide a dead one. */
	if (++sub->taken % REBUILD_EVERY == 0)
		rebuild_silent(sub);
	for (size_t tried = 0; tried < sub->n_sockets;) {
		struct feedsock *f = &sub->socket[sub->turn];
		struct splink_msg *msg = NULL;

		sub->turn = (sub->turn + 1) % sub->n_sockets;
		if (feedsock_take(f, &msg) != 0)
			tried++;
		else if (open_message(sub, msg))
			return true;
	}
	return false;
}

/* ---- waiting ------------------------------------------------------------ */

void sub_look_at_live(struct tickbus_sub *sub, bool on)
{
	struct epoll_event e = {.events = on ? EPOLLIN : 0};

	if (on != sub->live_is_on &&
	    epoll_ctl(sub->epoll, EPOLL_CTL_MOD, sub->live_epoll, &e) == 0)
		sub->live_is_on = on;
}

void sub_wake_at(struct tickbus_sub *sub, int64_t ns)
{
	int64_t in_ns = ns - clock_mono_ns();

	if (in_ns < 1)
		in_ns = 1; /* 0 would switch the timer off */
	(void)set_timer(sub, in_ns < beat_ns(sub) ? in_ns : beat_ns(sub));
}

void sub_wait(struct tickbus_sub *sub, int timeout_ms, int64_t until_ns)
{
	int64_t silence_ns = beat_ns(sub) * FEEDSOCK_MISSES;
	int64_t left_ms = (until_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
	struct epoll_event e[4];
	struct splink_msg *none;
	uint64_t expirations;

	if (left_ms < 0)
		left_ms = 0;
	if (timeout_ms < 0)
		left_ms = INT_MAX;
	if (sub->uses_ring && left_ms > RING_LOOK_MS)
		left_ms = RING_LOOK_MS; /* nothing wakes us: look again soon */
	(void)epoll_wait(sub->epoll, e, 4, (int)left_ms);
	while (read(sub->timer, &expirations, sizeof(expirations)) > 0)
		;
	/* A connection that nobody needs just now may have ended: it would wake us
	   over and over. */
	if (!sub->pages.fetch.is_running)
		(void)fetch_poll(&sub->pages.fetch, &none);
	rebuild_silent(sub);
	if (sub->uses_ring && clock_mono_ns() - sub->ring.heard_ns > silence_ns)
		ringfeed_renew(&sub->ring);
}
