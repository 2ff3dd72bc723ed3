/*
 * sub - opening a subscription, its sockets and the waiting.
 */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include "proto/event_json.h"
#include "proto/timeframe.h"
#include "proto/topic.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define REBUILD_EVERY 1024
#define RING_LOOK_MS  1

static const struct {
	enum event_kind kind;
	enum tickbus_port port;
} feeds[SUB_SOCKETS] = {{EVENT_TICK, TICKBUS_TICK},
			{EVENT_BAR, TICKBUS_BAR},
			{EVENT_TIER1, TICKBUS_TIER1},
			{EVENT_TIER2, TICKBUS_TIER2},
			{EVENT_STATUS, TICKBUS_STATUS}};

/* ---- opening ------------------------------------------------------------ */

static int watch(struct tickbus_sub *sub, int fd)
{
	struct epoll_event e = {.events = EPOLLIN};

	if (epoll_ctl(sub->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_set(-errno, "epoll: %s", strerror(errno));
	return 0;
}

/* The timer wakes pollers, so that silence is noticed too. */
static int open_waiting(struct tickbus_sub *sub)
{
	int64_t ns = sub->options.heartbeat_ms * NS_PER_MS;
	struct itimerspec every = {.it_interval = {ns / NS_PER_S, ns % NS_PER_S},
				   .it_value = {ns / NS_PER_S, ns % NS_PER_S}};

	sub->epoll = epoll_create1(EPOLL_CLOEXEC);
	sub->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (sub->epoll < 0 || sub->timer < 0 ||
	    timerfd_settime(sub->timer, 0, &every, NULL) < 0)
		return err_set(-errno, "no descriptors to wait with: %s",
			       strerror(errno));
	return watch(sub, sub->timer);
}

static int open_sockets(struct tickbus_sub *sub)
{
	for (size_t i = 0; i < SUB_SOCKETS; i++) {
		struct feedsock *f = &sub->socket[sub->n_sockets];
		int rc;

		if (!(sub->kinds >> feeds[i].kind & 1))
			continue;
		rc = feedsock_open(f, sub->options.url[feeds[i].port], feeds[i].kind);
		if (rc < 0)
			return rc;
		sub->n_sockets++;
		rc = watch(sub, f->fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_ring(struct tickbus_sub *sub)
{
	int rc = ringfeed_open(&sub->ring, sub->options.ring_path, sub->kinds);

	sub->uses_ring = rc == 0;
	return rc;
}

static int set_symbols(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	for (size_t i = 0; i < f->n_symbols; i++) {
		size_t len = strnlen(f->symbols[i], SYMBOL_MAX + 1);
		char symbol[SYMBOL_MAX] = {0};

		if (len == 0 || len > SYMBOL_MAX)
			return err_set(-EINVAL, "'%.40s' is no symbol", f->symbols[i]);
		memcpy(symbol, f->symbols[i], len);
		if (streams_get(&sub->wanted, EVENT_KINDS, symbol, 0) == NULL)
			return err_set(-ENOMEM, "too many symbols");
	}
	return 0;
}

static int set_filter(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	static const uint8_t from[] = {
		[TICKBUS_FROM_NOW] = CATCHUP_FROM_NOW,
		[TICKBUS_FROM_POS] = CATCHUP_FROM_POS,
		[TICKBUS_FROM_TIME] = CATCHUP_FROM_TIME,
		[TICKBUS_FROM_OLDEST] = CATCHUP_FROM_OLDEST,
	};
	uint32_t known = 0;

	for (size_t i = 0; i < SUB_SOCKETS; i++)
		known |= 1u << feeds[i].kind;
	if (f->kinds == 0 || (f->kinds & ~known))
		return err_set(-EINVAL, "no kind, or one that is not published");
	if ((unsigned)f->from >= sizeof(from))
		return err_set(-EINVAL, "no such beginning");
	sub->kinds = f->kinds;
	sub->no_fill = f->no_fill != 0;
	sub->from = (struct catchup_root){
		.from = f->from_value, .kinds = f->kinds, .from_type = from[f->from]};
	sub->fill = f->from == TICKBUS_FROM_NOW ? FILL_NONE : FILL_HISTORY;
	if (f->timeframe) {
		sub->timeframe_s = timeframe_parse(f->timeframe, strlen(f->timeframe));
		if (sub->timeframe_s == 0)
			return err_set(-EINVAL, "'%.16s' is no timeframe",
				       f->timeframe);
	}
	return f->symbols ? set_symbols(sub, f) : 0;
}

int tickbus_sub_open(const struct tickbus_options *options,
		     const struct tickbus_filter *filter, struct tickbus_sub **out)
{
	struct tickbus_sub *sub = calloc(1, sizeof(*sub));
	int rc;

	if (sub == NULL)
		return err_set(-ENOMEM, "no memory for a subscription");
	sub->epoll = sub->timer = -1;
	rc = options_init(&sub->options, options);
	if (rc < 0)
		goto fail;
	reqsock_init(&sub->catchup, sub->options.url[TICKBUS_CATCHUP]);
	rc = set_filter(sub, filter);
	if (rc < 0)
		goto fail;
	rc = open_waiting(sub);
	if (rc < 0)
		goto fail;
	rc = filter->use_ring ? open_ring(sub) : open_sockets(sub);
	if (rc < 0)
		goto fail;
	*out = sub;
	return 0;
fail:
	tickbus_sub_close(sub);
	return rc;
}

void sub_source_clear(struct sub_source *s)
{
	if (s->msg)
		nng_msg_free(s->msg);
	s->msg = NULL;
	s->is_loaded = s->is_open = s->is_peeked = false;
}

void tickbus_sub_close(struct tickbus_sub *sub)
{
	if (sub == NULL)
		return;
	for (size_t i = 0; i < sub->n_sockets; i++)
		feedsock_close(&sub->socket[i]);
	if (sub->uses_ring)
		ringfeed_close(&sub->ring);
	reqsock_close(&sub->catchup);
	sub_source_clear(&sub->live);
	sub_source_clear(&sub->page_frame);
	streams_deinit(&sub->streams);
	streams_deinit(&sub->wanted);
	buf_free(&sub->matrix);
	buf_free(&sub->line);
	if (sub->epoll >= 0)
		close(sub->epoll);
	if (sub->timer >= 0)
		close(sub->timer);
	free(sub);
}

/* ---- reading ------------------------------------------------------------ */

/* Three heartbeats missed: nng may have given up without a word. */
static void rebuild_silent(struct tickbus_sub *sub)
{
	for (size_t i = 0; i < sub->n_sockets; i++) {
		struct feedsock *f = &sub->socket[i];

		if (!feedsock_is_silent(f, sub->options.heartbeat_ms))
			continue;
		if (f->fd >= 0)
			(void)epoll_ctl(sub->epoll, EPOLL_CTL_DEL, f->fd, NULL);
		feedsock_close(f);
		sub->counts.rebuilds++;
		if (feedsock_open(f, f->url, f->kind) == 0)
			(void)watch(sub, f->fd);
	}
}

static bool open_message(struct tickbus_sub *sub, nng_msg *msg)
{
	struct sub_source *live = &sub->live;
	struct topic t;

	if (topic_split(nng_msg_body(msg), nng_msg_len(msg), &t) ||
	    frame_open(t.body, t.body_len, &live->frame)) {
		sub->counts.malformed++;
		nng_msg_free(msg);
		return false;
	}
	if (live->frame.kind == EVENT_HEARTBEAT)
		sub->counts.heartbeats++;
	live->msg = msg;
	live->is_loaded = live->is_open = true;
	live->is_peeked = false;
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
		nng_msg *msg = NULL;

		sub->turn = (sub->turn + 1) % sub->n_sockets;
		if (feedsock_take(f, &msg) != 0)
			tried++;
		else if (open_message(sub, msg))
			return true;
	}
	return false;
}

/* Sleep until a descriptor wakes us or @until_ns has come. */
static void wait(struct tickbus_sub *sub, int timeout_ms, int64_t until_ns)
{
	struct epoll_event e[SUB_SOCKETS + 1];
	int64_t now_ns = clock_mono_ns();
	int64_t left_ms = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
	int64_t silence_ns =
		(int64_t)sub->options.heartbeat_ms * FEEDSOCK_MISSES * NS_PER_MS;
	uint64_t expirations;

	if (left_ms < 0)
		left_ms = 0;
	if (timeout_ms < 0)
		left_ms = INT_MAX;
	if (sub->uses_ring && left_ms > RING_LOOK_MS)
		left_ms = RING_LOOK_MS;  /* nothing wakes us: look again soon */
	if (sub->retry_at_ns > now_ns) { /* what comes in has to wait as well */
		int64_t retry_ms = (sub->retry_at_ns - now_ns) / NS_PER_MS + 1;

		(void)poll(NULL, 0, (int)(left_ms < retry_ms ? left_ms : retry_ms));
	} else {
		(void)epoll_wait(sub->epoll, e, SUB_SOCKETS + 1, (int)left_ms);
	}
	while (read(sub->timer, &expirations, sizeof(expirations)) > 0)
		;
	rebuild_silent(sub);
	if (sub->uses_ring && clock_mono_ns() - sub->ring.heard_ns > silence_ns)
		ringfeed_renew(&sub->ring);
}

int tickbus_sub_next(struct tickbus_sub *sub, int timeout_ms, struct tickbus_event *out)
{
	int64_t until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	bool waited = false;

	for (;;) {
		int rc = sub_step(sub, out);

		if (rc != SUB_IDLE)
			return rc;
		if (waited && timeout_ms >= 0 && clock_mono_ns() >= until_ns)
			return TICKBUS_TIMEOUT;
		wait(sub, timeout_ms, until_ns);
		waited = true;
	}
}

int tickbus_sub_fd(const struct tickbus_sub *sub)
{
	return sub->epoll;
}

const struct tickbus_counts *tickbus_sub_counts(const struct tickbus_sub *sub)
{
	return &sub->counts;
}

int tickbus_sub_run(struct tickbus_sub *sub, tickbus_event_fn fn, void *arg)
{
	struct tickbus_event event;

	for (;;) {
		int what = tickbus_sub_next(sub, -1, &event);

		if (what < 0)
			return what;
		what = fn(arg, what, &event);
		if (what)
			return what;
	}
}

const char *tickbus_sub_json(struct tickbus_sub *sub, const struct tickbus_event *event)
{
	struct event_json_ctx ctx = {.epoch = event->epoch,
				     .publish_ns = event->publish_ns};

	sub->line.len = 0;
	if (event->kind == EVENT_TIER2) {
		event_json_tier2(&sub->line, event->tier2, event->members,
				 event->triangle, &ctx);
	} else {
		char *to = (char *)buf_reserve(&sub->line, EVENT_JSON_MAX);

		sub->line.len = event_json_any(to, event->kind, event->head, &ctx);
	}
	return buf_text(&sub->line);
}
