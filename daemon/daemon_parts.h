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
/** The same anew: what was loaded into workers and tier 2 is forgotten. */
ON_LOOP int daemon_renew_pipeline(struct daemon *d);
/** Broadcast rings, PUB sockets, publisher, admin, HTTP, catch-up. */
ON_LOOP int daemon_open_sockets(struct daemon *d);
/** The ingest socket and the simulator: when the log has been replayed. */
ON_LOOP int daemon_open_ingest(struct daemon *d);
ON_LOOP int daemon_start_threads(struct daemon *d);
/** Workers and tier 2, top of the stream first; their rings are dry. */
ON_LOOP void daemon_stop_pipeline(struct daemon *d);
/** A part of a snapshot (shard.h); @arg is the daemon.  0 or: not now. */
ANY_THREAD int daemon_snapshot_part(void *arg, uint64_t pos, struct buf *part,
				    bool is_last);
/** Every derived event at or below @pos is in the store; @arg is the daemon. */
ON_STORE bool daemon_derived_stored(void *arg, uint64_t pos);
/** For store_env.left: what such a letter owns is freed. */
ON_STORE void daemon_snapshot_left(store_job_fn fn, void *job_arg);
/** The same before any thread runs: the state that was just made. */
ON_LOOP void daemon_snapshot_now(struct daemon *d);
/** When everything is drained and the threads are gone: the state as it is. */
ON_LOOP void daemon_last_snapshot(struct daemon *d);
/** Close the log: a checkpoint, and the next start needs no recovery. */
ON_LOOP void daemon_close_store(struct daemon *d);
ON_LOOP void daemon_close_sockets(struct daemon *d);
ON_LOOP void daemon_close_parts(struct daemon *d);

/** What somebody else answers and the loop hears of: lives from ask to answer. */
struct daemon_question {
	struct daemon *d;
	daemon_ask_fn ask; /* the store thread's */
	daemon_answer_fn answer;
	void *arg;
};
/** From whatever thread has answered it. */
ANY_THREAD void daemon_answered(struct daemon_question *q);

/* ---- daemon_history.c: FEED and HISTORY, where vendors are configured ---- */
ON_LOOP int daemon_open_history(struct daemon *d);
ON_LOOP int daemon_start_history(struct daemon *d);
/** Cancel what is in flight; the jobs go on at the next start. */
ON_LOOP void daemon_stop_history(struct daemon *d);
ON_LOOP void daemon_close_history(struct daemon *d);

/* ---- daemon_analysis.c: jobs that compute ---- */
/** Behind daemon_open_history().  A folder that cannot be used keeps nobody else. */
ON_LOOP int daemon_open_analysis(struct daemon *d);
/** When the daemon is ready: who computes asks it. */
ON_LOOP int daemon_start_analysis(struct daemon *d);

/* ---- daemon_archive.c: the helper, and what is handed over to it ---- */
ON_LOOP int daemon_open_archive(struct daemon *d);
ON_LOOP int daemon_start_archive(struct daemon *d);
/** Traces to a collector of OpenTelemetry, if one is configured. */
ON_LOOP int daemon_start_otlp(struct daemon *d);
/** Nothing is asked any more; before the store thread ends. */
ON_LOOP void daemon_stop_archive(struct daemon *d);
ON_LOOP void daemon_close_archive(struct daemon *d);
/** Some times a second. */
ON_STORE void daemon_archive_care(struct daemon *d);

/** Timers of daemon_timers.c: heartbeats, guards, watchdog, the wall's clock records.
 */
ON_LOOP void daemon_start_timers(struct daemon *d);
/** One turn of the loop's own work: publish, answer, look at the state. */
ON_LOOP void daemon_turn(struct daemon *d);
/** What the configuration keeps of each kind for catch-up. */
ANY_THREAD void daemon_derived_limits(const struct config *c,
				      struct derived_limit out[STORE_KINDS]);
/** Put the reloadable keys of d->config into force. */
ON_LOOP void daemon_apply_reloadable(struct daemon *d);
