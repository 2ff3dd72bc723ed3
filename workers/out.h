/*
 * out - where derived events go: a small table of functions, so that the same
 * pure code feeds a worker's outbox, a test's array or a hash.
 *
 * The pointed-to event is valid during the call only.
 */
#pragma once
#include "proto/event.h"

struct out {
	void *arg;
	void (*bar)(void *arg, const struct event_bar *e);
	void (*tier1)(void *arg, const struct event_tier1 *e);
	void (*status)(void *arg, const struct event_status *e);
};
