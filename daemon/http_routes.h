/*
 * http_routes - what can be read over HTTP.
 *
 *	/                        the page (share/page), its style and scripts
 *	/live                    server-sent events: four frames a second
 *	/api/COMMAND?key=value   the admin commands that change nothing, as JSON
 *	/api/events?q=REQUEST    catch-up: a request in JSON, answered by a page in JSON
 *	/metrics                 for Prometheus
 *	/healthz                 200 while the loop runs
 *	/readyz                  200 when the log has been replayed and ingest is open,
 *	                         else 503
 *
 * Nothing that is asked here changes anything: what steers the daemon goes through the
 * admin socket, which knows who asks.
 */
#pragma once
#include "daemon/serve_http.h"

/** http_fn; @arg is the struct daemon. */
ON_LOOP void daemon_http(void *arg, struct http_request *r);
