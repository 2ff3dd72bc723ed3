/*
 * archive_ask - how the daemon's parts put a question to the archive's helper
 * (archive/pipeframe.h), whoever carries it there.
 */
#pragma once
#include "base/json.h"
#include "base/role.h"
#include <stddef.h>
#include <stdint.h>

/**
 * The answer, once, on whatever thread brings it; borrowed until it returns.  @doc
 * NULL: none came (the helper died, or we are about to end): ask again later.
 */
typedef void (*archive_reply_fn)(void *arg, const struct json *doc, const void *bulk,
				 size_t bulk_len);

struct archive_asker {
	/** Copies @doc and @bulk.  0; < 0: not now, and @fn is not called. */
	int (*ask)(void *to, const char *doc, size_t doc_len, const void *bulk,
		   size_t bulk_len, archive_reply_fn fn, void *arg);
	void *to;
};
