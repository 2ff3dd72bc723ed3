/* sub_say - what a subscription has to tell, as sentences for a log. */
#include "base/clock.h"
#include "client/sub_parts.h"
#include "proto/timeframe.h"
#include <stdarg.h>
#include <stdio.h>

typedef unsigned long long ull;

__attribute__((format(printf, 2, 3))) static const char *say(struct tickbus_sub *sub,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sub->said, sizeof(sub->said), format, args);
	va_end(args);
	return sub->said;
}

static const char *of_link(struct tickbus_sub *sub, const struct splink *l)
{
	return say(sub, "%s: %s", l->url, l->why[0] != '\0' ? l->why : "no answer yet");
}

const char *tickbus_sub_trouble(struct tickbus_sub *sub)
{
	int64_t silence_ns = sub->options.heartbeat_ms * NS_PER_MS * FEEDSOCK_MISSES;

	for (size_t i = 0; i < sub->n_sockets; i++)
		if (sub->socket[i].link.state != SPLINK_OPEN)
			return of_link(sub, &sub->socket[i].link);
	if (sub->uses_ring && clock_mono_ns() - sub->ring.heard_ns > silence_ns)
		return say(sub, "%s: nothing is heard", sub->options.ring_path);
	if (sub->fill != FILL_NONE && sub->pages.fetch.link.state != SPLINK_OPEN)
		return of_link(sub, &sub->pages.fetch.link);
	return "";
}

/* "bar AAPL", "tier2 tech 1m". */
static void name_stream(const struct tickbus_event *e, char *out, size_t cap)
{
	bool has_timeframe = e->kind == EVENT_TIER2 && e->gap.timeframe_s > 0;

	(void)snprintf(out, cap, "%s %s%s%s", event_kind_word(e->kind), e->gap.symbol,
		       has_timeframe ? " " : "",
		       has_timeframe ? timeframe_name(e->gap.timeframe_s) : "");
}

static const char *say_gap(struct tickbus_sub *sub, const struct tickbus_event *e)
{
	const struct tickbus_gap *g = &e->gap;
	char stream[80];

	if (g->symbol[0] == '\0' && e->kind == EVENT_KINDS)
		return say(sub, "log positions %llu to %llu are not held any more",
			   (ull)g->first_pos, (ull)g->last_pos);
	if (g->symbol[0] == '\0')
		return say(sub,
			   "catch-up does not show log positions %llu to %llu: a %s "
			   "may be lost there",
			   (ull)g->first_pos, (ull)g->last_pos,
			   event_kind_word(e->kind));
	name_stream(e, stream, sizeof(stream));
	return say(sub, "%s: events %llu to %llu %s", stream, (ull)g->first_seq,
		   (ull)g->last_seq, g->is_skipped ? "were skipped" : "are lost");
}

static const char *say_chain(struct tickbus_sub *sub, const struct tickbus_event *e)
{
	char stream[80];

	name_stream(e, stream, sizeof(stream));
	return say(sub,
		   "%s: event %llu does not follow the one before it: another "
		   "configuration, or another log",
		   stream, (ull)e->gap.first_seq);
}

const char *tickbus_sub_sentence(struct tickbus_sub *sub, int outcome,
				 const struct tickbus_event *event)
{
	if (outcome < 0)
		return tickbus_error();
	switch (outcome) {
	case TICKBUS_TIMEOUT:
		return tickbus_sub_trouble(sub);
	case TICKBUS_GAP:
		return say_gap(sub, event);
	case TICKBUS_EPOCH:
		return say(sub, "the log has a new epoch, %llu", (ull)event->epoch);
	case TICKBUS_LIVE:
		return say(sub,
			   "live behind position %llu; history held %llu events, hash "
			   "%016llx",
			   (ull)event->live.pos, (ull)event->live.count,
			   (ull)event->live.hash);
	case TICKBUS_CHAIN:
		return say_chain(sub, event);
	default:
		return "";
	}
}
