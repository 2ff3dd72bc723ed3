/*
 * options - a connection's settings, completed: every default and URL filled in.
 */
#pragma once
#include "client/tickbus.h"

#define OPTIONS_URL_MAX  256
#define OPTIONS_PATH_MAX 108 /* a unix socket's limit, NUL included */

struct options {
	char url[TICKBUS_PORTS][OPTIONS_URL_MAX];
	char admin_path[OPTIONS_PATH_MAX];
	char ring_path[OPTIONS_PATH_MAX];
	int timeout_ms;
	int heartbeat_ms;
	int patience_ms;
};

/** @given may be NULL.  0 or -EINVAL, -ENAMETOOLONG. */
int options_init(struct options *o, const struct tickbus_options *given);
