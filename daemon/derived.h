/*
 * derived - derived events on their way into the store, in log order.
 *
 * The publisher adds events as they come; derived_flush() takes those that all
 * marks have passed, sorts them by (position, symbol id), which is the same order
 * with any number of workers, packs them into frames and posts the frames to the
 * store thread, one batch per kind and flush.
 *
 * Loop thread.  Bounded: derived_full() tells the publisher to stop draining.
 */
#pragma once
#include "base/role.h"
#include "proto/event.h"
#include "store/tickstore.h"
#include <stdbool.h>

struct derived;

/**
 * Hand @len bytes of frames, each behind its length as u32 (n_events of @kind,
 * positions first..last) to the store; takes ownership of @data (malloc'ed) when it
 * returns 0; else try later.
 */
typedef int (*derived_post_fn)(void *arg, enum event_kind kind, uint64_t first_pos,
			       uint64_t last_pos, uint32_t n_events, void *data,
			       size_t len);

/** @skip_pos: per kind, up to where the store holds the events already. */
int derived_new(uint64_t epoch, const uint64_t skip_pos[EVENT_KINDS],
		derived_post_fn post, void *arg, struct derived **out);
void derived_free(struct derived *d);
/** Was this event published in another life? */
ON_LOOP bool derived_known(const struct derived *d, enum event_kind kind, uint64_t pos);
/** Remember a copy of @event until it can be stored. */
ON_LOOP void derived_add(struct derived *d, enum event_kind kind, const void *event,
			 size_t len);
/** Store what lies at or below @mark (workers' kinds), @tier2_mark and @news_mark. */
ON_LOOP void derived_flush(struct derived *d, uint64_t mark, uint64_t tier2_mark,
			   uint64_t news_mark);
/** Every event of @kind at or below this position has been posted to the store. */
ANY_THREAD uint64_t derived_complete(const struct derived *d, enum event_kind kind);
ON_LOOP bool derived_full(const struct derived *d);
/** Events that wait. */
ON_LOOP size_t derived_pending(const struct derived *d);
