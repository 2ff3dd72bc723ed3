/* feedsock - see feedsock.h. */
#include "client/feedsock.h"
#include "base/clock.h"
#include "proto/frame.h"
#include <stdlib.h>
#include <string.h>

int feedsock_open(struct feedsock *f, const char *url, enum event_kind kind, int epoll)
{
	*f = (struct feedsock){.kind = kind,
			       .heard_ns = clock_mono_ns(),
			       .looked_ns = clock_mono_ns()};
	f->topic_len = topic_kind(f->topic, kind);
	f->beat_len = topic_kind(f->beat, EVENT_HEARTBEAT);
	return splink_open(&f->link, url, SPLINK_SUB, epoll);
}

void feedsock_close(struct feedsock *f)
{
	splink_close(&f->link);
}

void feedsock_renew(struct feedsock *f)
{
	f->heard_ns = clock_mono_ns();
	splink_renew(&f->link);
}

static bool begins(const struct splink_msg *m, const char *topic, size_t len)
{
	return m->len >= len && memcmp(m->data, topic, len) == 0;
}

/* A heartbeat that speaks of our kind; what is none is judged by who reads it. */
static bool is_ours(const struct feedsock *f, const struct splink_msg *m)
{
	size_t at = f->beat_len + sizeof(struct sbe_head) +
		    offsetof(struct frame_heartbeat_root, kind);

	return begins(m, f->beat, f->beat_len) &&
	       (m->len <= at || ((const uint8_t *)m->data)[at] == f->kind);
}

/* A PUB socket sends everything to everybody: what was not asked for is let go. */
int feedsock_take(struct feedsock *f, struct splink_msg **out)
{
	while (splink_take(&f->link, out) == 0) {
		f->heard_ns = clock_mono_ns();
		if (begins(*out, f->topic, f->topic_len) || is_ours(f, *out))
			return 0;
		free(*out);
	}
	return FEEDSOCK_EMPTY;
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
