/*
 * simsocket - what stands in the place of nng, the admin socket and HTTP: a request is
 * a call, its answer a callback, a published frame goes to one function.  Defines what
 * serve_rep.c, serve_pub.c, serve_admin.c, serve_http.c and serve_ring.c define.
 *
 * Endpoints are known by their URLs: "ingest", "catchup", and a kind's word for PUB.
 */
#pragma once
#include "proto/event.h"
#include <stdbool.h>
#include <stddef.h>

enum simsocket { SIMSOCKET_INGEST, SIMSOCKET_CATCHUP, SIMSOCKET_N };

typedef void (*simsocket_answer_fn)(void *arg, const void *data, size_t len);
/** A frame or heartbeat about @kind, valid in the call. */
typedef void (*simsocket_frame_fn)(void *arg, enum event_kind kind, const void *data,
				   size_t len);

/** False: nobody listens, or as many requests as allowed are open. */
bool simsocket_ask(enum simsocket which, const void *data, size_t len,
		   simsocket_answer_fn fn, void *arg);
/** Where frames go. */
void simsocket_listen(simsocket_frame_fn fn, void *arg);
/** All connections break: what is under way is answered to nobody. */
void simsocket_break(void);
