/*
 * daemon_parts - the steps of start and stop, for daemon.c alone.  Each step
 * leaves what it could not finish to daemon_close_parts(), which takes NULLs.
 */
#pragma once
#include "daemon/daemon.h"

/** State directory, log, symbol tables, store thread (not started). */
ON_LOOP int daemon_open_store(struct daemon *d);
/** Rings, outboxes, workers, tier 2 (not started). */
ON_LOOP int daemon_open_pipeline(struct daemon *d);
/** Broadcast rings, PUB sockets, publisher, admin, HTTP, catch-up. */
ON_LOOP int daemon_open_sockets(struct daemon *d);
/** The ingest socket and the simulator: when the log has been replayed. */
ON_LOOP int daemon_open_ingest(struct daemon *d);
ON_LOOP int daemon_start_threads(struct daemon *d);
/** Workers and tier 2, top of the stream first; their rings are dry. */
ON_LOOP void daemon_stop_pipeline(struct daemon *d);
/** Close the log: a checkpoint, and the next start needs no recovery. */
ON_LOOP void daemon_close_store(struct daemon *d);
ON_LOOP void daemon_close_sockets(struct daemon *d);
ON_LOOP void daemon_close_parts(struct daemon *d);

/** Timers of daemon_timers.c: heartbeats, guards, watchdog, the wall's clock records.
 */
ON_LOOP void daemon_start_timers(struct daemon *d);
/** One turn of the loop's own work: publish, answer, look at the state. */
ON_LOOP void daemon_turn(struct daemon *d);
/** Put the reloadable keys of d->config into force. */
ON_LOOP void daemon_apply_reloadable(struct daemon *d);
