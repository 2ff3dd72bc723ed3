/*
 * serve_ingest - the ingest socket: requests from producers to the store thread.
 */
#pragma once
#include "daemon/serve_rep.h"
#include "daemon/store_thread.h"

#define INGEST_CONTEXTS 64u /* requests open at once */

struct ingest_server;

ON_LOOP int ingest_server_open(const char *url, size_t bytes_max, unsigned peers_max,
			       struct store_thread *store, struct ingest_server **out);
ON_LOOP void ingest_server_close(struct ingest_server *s);
ON_LOOP void ingest_server_quiesce(struct ingest_server *s);
ON_LOOP void ingest_server_halt(struct ingest_server *s);
ON_LOOP void ingest_server_guard(struct ingest_server *s);
/** Requests taken and not answered yet. */
ANY_THREAD unsigned ingest_server_open_calls(const struct ingest_server *s);
