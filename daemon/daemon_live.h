/* daemon_live - the live feeds among the other parts: vendors, keys, questions. */
#pragma once
#include "daemon/daemon.h"

/** Start the live feeds, when the log is replayed; nothing without any. */
ON_LOOP int daemon_open_live(struct daemon *d);
