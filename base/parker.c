/*
 * parker - a futex and the order of two looks.
 *
 * The sleeper writes `state` and then looks at its inbox; the waker writes the
 * inbox and then looks at `state`.  With a full barrier between the write and
 * the look on both sides at least one of them sees the other's write, so work
 * is found or the sleeper is woken.
 *
 * ThreadSanitizer does not understand fences.  Under it the waker's look is a
 * read-modify-write, which orders the same two accesses; in production that
 * would take the line away from the sleeper on every event.
 */
#include "base/parker.h"
#include "base/clock.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

enum { AWAKE = 0, PARKED = 1 };

void parker_init(struct parker *p)
{
	atomic_init(&p->state, AWAKE);
}

void parker_prepare(struct parker *p)
{
	(void)atomic_exchange_explicit(&p->state, PARKED, memory_order_seq_cst);
#ifndef UNDER_TSAN
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

void parker_cancel(struct parker *p)
{
	(void)atomic_exchange_explicit(&p->state, AWAKE, memory_order_acq_rel);
}

void parker_wait(struct parker *p, int64_t timeout_ns)
{
	int64_t deadline = timeout_ns < 0 ? 0 : clock_mono_ns() + timeout_ns;

	while (atomic_load_explicit(&p->state, memory_order_acquire) == PARKED) {
		struct timespec ts, *limit = NULL;

		if (timeout_ns >= 0) {
			int64_t left = deadline - clock_mono_ns();

			if (left <= 0)
				break;
			ts.tv_sec = (time_t)(left / NS_PER_S);
			ts.tv_nsec = (long)(left % NS_PER_S);
			limit = &ts;
		}
		/* EAGAIN, EINTR and ETIMEDOUT all mean: look again. */
		(void)syscall(SYS_futex, &p->state, FUTEX_WAIT_PRIVATE, PARKED, limit,
			      NULL, 0);
	}
	parker_cancel(p);
}

static unsigned look(struct parker *p)
{
#ifdef UNDER_TSAN
	return atomic_fetch_add_explicit(&p->state, 0, memory_order_seq_cst);
#else
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&p->state, memory_order_relaxed);
#endif
}

void parker_wake(struct parker *p)
{
	if (look(p) == AWAKE)
		return;
	if (atomic_exchange_explicit(&p->state, AWAKE, memory_order_acq_rel) == PARKED)
		(void)syscall(SYS_futex, &p->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL,
			      0);
}
