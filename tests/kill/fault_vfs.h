/*
 * fault_vfs - a file layer for SQLite that fails on purpose and can lose power.
 *
 * Registered as "fault", on top of the system's.  The n-th write, sync or
 * truncation fails, once or from then on; a failing write writes half of its
 * bytes first, as a disk may.
 *
 * It also tells fault_disk of every write and sync, so that the power can go at any
 * of them.  One thread.
 */
#pragma once
#include "tests/kill/fault_disk.h"

enum fault_op { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_TRUNCATE = 4, FAULT_ANY = 7 };

enum fault_kind { FAULT_EIO, FAULT_ENOSPC };

void fault_vfs_register(void);
/** From here on SQLite's own chance (the WAL's salts) comes from @seed. */
void fault_vfs_seed(uint64_t seed);
/** From now on the @nth (from 1) matching operation fails. */
void fault_vfs_arm(enum fault_op ops, uint32_t nth, enum fault_kind kind,
		   bool persistent);
void fault_vfs_disarm(void);
bool fault_vfs_fired(void);
