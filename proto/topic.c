/* topic - made by copying words, read by looking for the '|'. */
#include "proto/topic.h"
#include "base/err.h"
#include "proto/timeframe.h"
#include <string.h>

static size_t put(char *out, size_t at, const char *s, size_t len)
{
	memcpy(out + at, s, len);
	return at + len;
}

static size_t put_text(char *out, size_t at, const char *s)
{
	return put(out, at, s, strlen(s));
}

size_t topic_kind(char out[TOPIC_MAX], enum event_kind kind)
{
	return put(out, put_text(out, 0, event_kind_word(kind)), "|", 1);
}

/* "." and a name: names may hold dots, but never '|'. */
static size_t put_name(char *out, size_t at, const char *field)
{
	at = put(out, at, ".", 1);
	return put(out, at, field, symbol_field_len(field, SYMBOL_MAX));
}

static size_t put_timeframe(char *out, size_t at, uint32_t seconds)
{
	at = put(out, at, ".", 1);
	return put_text(out, at, timeframe_name(seconds));
}

size_t topic_event(char out[TOPIC_MAX], enum event_kind kind, const void *event)
{
	size_t at = put_text(out, 0, event_kind_word(kind));

	switch (kind) {
	case EVENT_TICK:
	case EVENT_STATUS:
	case EVENT_NEWS:
		at = put_name(out, at, event_symbol(kind, event));
		break;
	case EVENT_BAR:
		at = put_timeframe(out, at,
				   ((const struct event_bar *)event)->timeframe_s);
		at = put_name(out, at, ((const struct event_bar *)event)->symbol);
		break;
	case EVENT_TIER1:
		at = put_timeframe(out, at,
				   ((const struct event_tier1 *)event)->timeframe_s);
		at = put_name(out, at, ((const struct event_tier1 *)event)->symbol);
		break;
	case EVENT_TIER2:
		at = put_name(out, at, ((const struct event_tier2 *)event)->universe);
		at = put_timeframe(out, at,
				   ((const struct event_tier2 *)event)->timeframe_s);
		break;
	case EVENT_JOB:
	case EVENT_HEARTBEAT:
	case EVENT_KINDS:
		break;
	}
	return put(out, at, "|", 1);
}

int topic_split(const void *msg, size_t len, struct topic *out)
{
	const char *text = msg;
	const char *bar = memchr(text, '|', len < TOPIC_MAX ? len : TOPIC_MAX);
	const char *dot;
	size_t word;
	enum event_kind kind;

	if (bar == NULL)
		return err_set(TOPIC_BAD, "a message without a topic");
	dot = memchr(text, '.', (size_t)(bar - text));
	word = (size_t)((dot ? dot : bar) - text);
	kind = event_kind_parse(text, word);
	if (kind == EVENT_KINDS)
		return err_set(TOPIC_BAD, "a message of the unknown topic '%.*s'",
			       (int)(word > 16 ? 16 : word), text);
	*out = (struct topic){.kind = kind,
			      .text = text,
			      .text_len = (size_t)(bar - text),
			      .body = (const uint8_t *)bar + 1,
			      .body_len = len - (size_t)(bar + 1 - text)};
	return 0;
}
