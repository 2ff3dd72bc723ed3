/*
 * role - the four capabilities and the role of the calling thread.
 */
#include "base/role.h"

struct role role_loop = {"loop"};
struct role role_store = {"store"};
struct role role_worker = {"worker"};
struct role role_tier2 = {"tier2"};

_Thread_local struct role *role_self;
