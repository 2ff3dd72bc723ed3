/*
 * backup_manifest - what makes the files of a backup one thing: the configuration
 * beside them, their sizes and hashes, and everything synced.
 */
#pragma once
#include "base/buf.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * Sync what lies in @dir, add the configuration (@config, as text) and the manifest,
 * which is whole or not there.  @history: history.db is one of them.  Ends early when
 * *@cancel is set.
 */
int backup_manifest(const char *dir, const struct buf *config, uint64_t position,
		    uint64_t epoch, bool history, atomic_bool *cancel);
