/*
 * simnode - one life of the daemon without threads and sockets.  It is the daemon:
 * opened, wired, restored from snapshots and closed by daemon_parts.c,
 * daemon_sockets.c, daemon_snapshots.c and restore.c; only the loop (daemon.c,
 * daemon_timers.c) is missing: whoever holds the node decides whose turn it is.
 *
 * What is modelled: sockets (simsocket.h), timers (the caller's), the disk
 * (tests/kill/fault_disk.h) and the clock (simclock.h).  Who has no room cannot sleep
 * here: when it would (parker_wait), tier 2 and the publisher have a turn.
 */
#pragma once
#include "daemon/config.h"
#include "proto/freeze.h"
#include "store/tickstore.h"
#include "tests/sim/simsocket.h"

struct simnode;

/** Open everything.  0 or the error that would be the daemon's exit code.  The
 *  parameters of @c are borrowed, the rest is copied. */
int simnode_open(const struct config *c, struct simnode **out);
/** The process is gone: the disk hears nothing of it (turn the power off before). */
void simnode_crash(struct simnode *n);
/** An orderly stop of a node that is dry: the last snapshot, the last checkpoint. */
int simnode_close(struct simnode *n);

/* ---- turns: each returns the work done ---- */

/** < 0: the log failed, the process must end. */
int simnode_store(struct simnode *n);
size_t simnode_worker(struct simnode *n, uint32_t w, size_t budget);
size_t simnode_tier2(struct simnode *n, size_t budget);
/** The loop's turn: publishes; opens the sockets once the log has been read again. */
size_t simnode_publish(struct simnode *n, size_t budget);
/** The timers of 250 ms and of a second. */
void simnode_flush(struct simnode *n);
void simnode_heartbeat(struct simnode *n);
/** The wall clock's record, if it is the daemon's to write. */
void simnode_tell_time(struct simnode *n);

/** An operator pauses a symbol or lets it go on. */
void simnode_control(struct simnode *n, enum control_verb verb, uint32_t symbol_id);

/**
 * The kill switch, as kill_switch.c does it between loop and store thread: freeze
 * @what, or release it.  False: not now, an order is on its way or there is nothing to
 * do.
 */
bool simnode_order(struct simnode *n, const struct freeze *what, bool is_on);
/** Something is frozen: the first of the list. */
bool simnode_frozen(const struct simnode *n, struct freeze *out);

/* ---- questions ---- */

/** The log was read again up to where it stood at the start: producers may come. */
bool simnode_is_ready(const struct simnode *n);
/** Everything committed was carried, derived and published; no request is open. */
bool simnode_is_dry(const struct simnode *n);
/** From which snapshot it started; 0: from the log's beginning. */
uint64_t simnode_restored(const struct simnode *n);
void simnode_status(const struct simnode *n, struct store_status *out);
struct tickstore *simnode_log(struct simnode *n);
const struct symtab *simnode_symbols(const struct simnode *n);
const struct symtab *simnode_sources(const struct simnode *n);
