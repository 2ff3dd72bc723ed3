/*
 * parker - lets a thread sleep until somebody has work for it.
 *
 * Waking costs the waker about 12 us and the sleeper 30 us, so a sleeper does
 * well to spin over its inbox for a while before it comes here, and a waker that
 * finds nobody asleep pays a fence and a load.
 * The protocol: the worker calls parker_prepare(), looks at its inbox once more
 * and then parker_wait() or parker_cancel(); a producer publishes, then calls
 * parker_wake().  No wake-up is lost between the look and the sleep.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

struct parker {
	_Alignas(64) atomic_uint state; /* 0 awake, 1 about to sleep or asleep */
};

void parker_init(struct parker *p);
void parker_prepare(struct parker *p);
void parker_cancel(struct parker *p);
/** Sleep until woken or until @timeout_ns has passed (< 0: no limit). */
void parker_wait(struct parker *p, int64_t timeout_ns);
/** Any thread.  Cheap when nobody sleeps (a fence and a load). */
void parker_wake(struct parker *p);
