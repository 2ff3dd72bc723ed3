/*
 * options - a connection's settings, completed: every default and URL filled in.
 */
#pragma once
#include "client/tickbus.h"

#define OPTIONS_URL_MAX 256

struct options {
	char url[TICKBUS_PORTS][OPTIONS_URL_MAX];
	char admin_path[108]; /* a unix socket's limit */
	int timeout_ms;
	int heartbeat_ms;
};

/** @given may be NULL.  0 or -EINVAL, -ENAMETOOLONG. */
int options_init(struct options *o, const struct tickbus_options *given);
