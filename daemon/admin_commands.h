/*
 * admin_commands - what the admin socket can be asked and told.
 *
 * One table (admin_commands.c) names every command with its function and its help;
 * `help` prints it.  Answers about the log are made on the store thread and come
 * back to the loop (admin_commands_store.c), so a command never waits.
 *
 * Codes of a refusal: unknown_command, bad_request, not_found, busy, failed.
 */
#pragma once
#include "base/json.h"
#include "base/role.h"
#include "daemon/serve_admin.h"

/** admin_fn; @arg is the struct daemon. */
ON_LOOP void daemon_admin(void *arg, const char *cmd, const struct json *request,
			  struct admin_call *call);
