/*
 * fault_vfs - a file layer for SQLite that fails on purpose and can lose power.
 *
 * Registered as "fault", on top of the system's.  The n-th write, sync or
 * truncation fails, once or from then on; a failing write writes half of its
 * bytes first, as a disk may.
 *
 * It also remembers what a power cut could take: per file the contents at the
 * last sync and every write since.  fault_vfs_power_loss() rewrites the files as
 * one of the states they could be in afterwards.  One thread.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum fault_op { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_TRUNCATE = 4, FAULT_ANY = 7 };

enum fault_kind { FAULT_EIO, FAULT_ENOSPC };

/** What unsynced writes become. */
enum power_loss {
	LOSS_ALL,    /* none of them reached the disk */
	LOSS_TAIL,   /* the first ones did, the last of those torn at a sector */
	LOSS_RANDOM, /* some did, in any order, some torn */
	LOSS_MODELS,
};

void fault_vfs_register(void);
/** From now on the @nth (from 1) matching operation fails. */
void fault_vfs_arm(enum fault_op ops, uint32_t nth, enum fault_kind kind,
		   bool persistent);
void fault_vfs_disarm(void);
bool fault_vfs_fired(void);
/** Forget all files; begin to remember the writes of those opened next. */
void fault_vfs_track(void);
/** Rewrite every remembered file; the store must have been closed. */
void fault_vfs_power_loss(enum power_loss model, uint64_t seed);
