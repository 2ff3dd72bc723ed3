/*
 * serve_admin - the admin socket: one JSON object per line in both directions
 * (docs/PROTOCOL.md, "Admin").
 *
 * A unix socket of mode 0600; the peer's uid must be ours or root's.  A call is
 * answered once, now or later, from the loop; while it is open its connection
 * reads no further, so a client that pipelines waits in its own socket buffer.
 * Bounded: so many connections as it is opened for, ADMIN_LINE_MAX bytes a line.
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/role.h"
#include <stdbool.h>
#include <uv.h>

#define ADMIN_LINE_MAX 65536

struct admin;
struct admin_call;

/** Runs on the loop; must lead to one admin_done() or admin_fail(), maybe later. */
typedef void (*admin_fn)(void *arg, const char *cmd, const struct json *request,
			 struct admin_call *call);

/** Listen at @path; a stale socket is replaced, anything else is refused. */
ON_LOOP int admin_open(uv_loop_t *loop, const char *path, unsigned clients_max,
		       admin_fn fn, void *arg, struct admin **out);
/** Refuse new calls, close connections and remove the socket. */
ON_LOOP void admin_close(struct admin *a);

/** The uid of who asks, by the kernel's word; UINT32_MAX: nobody on the socket does. */
ON_LOOP uint32_t admin_uid(const struct admin_call *call);
/** A writer inside "result"; admin_done() closes what it left open. */
ON_LOOP struct jsonw *admin_result(struct admin_call *call);
ON_LOOP void admin_done(struct admin_call *call);
/** Answer ok=false with a short @code and the sentence err_text(). */
ON_LOOP void admin_fail(struct admin_call *call, const char *code, const char *text);

/** @line is the answer as the socket would give it, without its newline. */
typedef void (*admin_answered_fn)(void *arg, const void *line, size_t len);
/** Ask @fn without the socket; @request may be NULL: no members. */
ON_LOOP void admin_ask(admin_fn fn, void *arg, const char *cmd,
		       const struct json *request, admin_answered_fn answered,
		       void *answered_arg);
