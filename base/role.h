/*
 * role - which thread may run a function, checked by the compiler.
 *
 * A declaration starts with its role: ON_LOOP, ON_STORE, ON_WORKER, ON_TIER2,
 * ON_FEED, ON_HISTORY, ON_LIVE, ON_ARCHIVE, ANY_THREAD or FOREIGN (a callback that a
 * library runs on a thread of its own: it may only post and return).  With clang the
 * words are thread-safety attributes on capabilities that nobody can lock, so a call
 * across roles does not compile; role_assert_x(), the first statement of a thread body
 * or of a libuv callback, tells clang the role and checks it at run time.
 */
#pragma once
#include <assert.h>

#if defined(__clang__)
#define ROLE_ATTR(x) __attribute__((x))
#else
#define ROLE_ATTR(x)
#endif

struct ROLE_ATTR(capability("role")) role {
	const char *name;
};

extern struct role role_loop;
extern struct role role_store;
extern struct role role_worker;
extern struct role role_tier2;
extern struct role role_feed;
extern struct role role_history;
extern struct role role_live;
extern struct role role_archive;

/** The role of the calling thread; NULL plays every role (tests, one thread). */
extern _Thread_local struct role *role_self;

#define ON_LOOP    ROLE_ATTR(requires_capability(role_loop))
#define ON_STORE   ROLE_ATTR(requires_capability(role_store))
#define ON_WORKER  ROLE_ATTR(requires_capability(role_worker))
#define ON_TIER2   ROLE_ATTR(requires_capability(role_tier2))
#define ON_FEED    ROLE_ATTR(requires_capability(role_feed))
#define ON_HISTORY ROLE_ATTR(requires_capability(role_history))
#define ON_LIVE    ROLE_ATTR(requires_capability(role_live))
#define ON_ARCHIVE ROLE_ATTR(requires_capability(role_archive))
#define OF_LOOP    ROLE_ATTR(guarded_by(role_loop))
#define OF_STORE   ROLE_ATTR(guarded_by(role_store))
#define OF_WORKER  ROLE_ATTR(guarded_by(role_worker))
#define OF_TIER2   ROLE_ATTR(guarded_by(role_tier2))
#define ANY_THREAD
#define FOREIGN

#define ROLE_ASSERT(r)                                                                 \
	static inline void role_assert_##r(void)                                       \
		ROLE_ATTR(assert_capability(role_##r))                                 \
	{                                                                              \
		assert(role_self == 0 || role_self == &role_##r);                      \
	}
ROLE_ASSERT(loop)
ROLE_ASSERT(store)
ROLE_ASSERT(worker)
ROLE_ASSERT(tier2)
ROLE_ASSERT(feed)
ROLE_ASSERT(history)
ROLE_ASSERT(live)
ROLE_ASSERT(archive)
#undef ROLE_ASSERT
