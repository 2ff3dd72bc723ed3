/*
 * role - the capabilities and the role of the calling thread.
 */
#include "base/role.h"

struct role role_loop = {"loop"};
struct role role_store = {"store"};
struct role role_worker = {"worker"};
struct role role_tier2 = {"tier2"};
struct role role_feed = {"feed"};
struct role role_history = {"history"};
struct role role_live = {"live"};
struct role role_archive = {"archive"};

_Thread_local struct role *role_self;
