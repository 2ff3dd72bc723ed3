/*
 * topic - the words in front of a message on a PUB socket.
 *
 * nng's SUB filters by prefix, so each topic ends in '|': "tick.AAPL|" never
 * matches "tick.AAPLW|".  SBE messages carry the kind alone, JSON messages all:
 *
 *	SBE   tick| bar| tier1| tier2| status| news| hb|
 *	JSON  tick.AAPL| bar.1m.AAPL| tier1.1m.AAPL| tier2.NAME.1m| status.AAPL|
 *news.AAPL| hb|
 */
#pragma once
#include "proto/event.h"

#define TOPIC_MAX (2 * SYMBOL_MAX + 16)

/** "tick|"; "hb|" for EVENT_HEARTBEAT.  Returns the length, no NUL. */
size_t topic_kind(char out[TOPIC_MAX], enum event_kind kind);
/** The JSON topic of an event of @kind (struct event_x). */
size_t topic_event(char out[TOPIC_MAX], enum event_kind kind, const void *event);

struct topic {
	enum event_kind kind;
	const char *text; /* without the '|' */
	size_t text_len;
	const uint8_t *body;
	size_t body_len;
};

enum { TOPIC_BAD = 1 };

/** Cut a received message in two.  0 or TOPIC_BAD; parts point into @msg. */
int topic_split(const void *msg, size_t len, struct topic *out);
