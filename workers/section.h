/*
 * section - a snapshot is a set of sections: one per symbol, universe and so on, each
 * behind a head of 16 bytes.
 *
 *	| kind u32 | id u32 | len u64 | len bytes |  ...
 *
 * Their order means nothing and depends on the number of workers; their bytes do not.
 */
#pragma once
#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

/*
 * The layout of all sections.  Raise it with every change of what a section holds, and
 * of what is derived from it: an older snapshot is then passed over, and the state made
 * anew from the log.
 */
#define SNAPSHOT_VERSION 8

enum section_kind {
	SECTION_HEAD =
		1, /* id 0: what the snapshot was made under (daemon/snapshot.h) */
	SECTION_DISPATCH, /* id 0: sequences of ticks, sources, the feed's clock */
	SECTION_SOURCES, /* id 0: when each source was alive; the newest clock record */
	SECTION_LANE,    /* id: symbol */
	SECTION_UNIVERSE, /* id: index in the configuration */
	SECTION_INDEX, /* id 0: counts of ticks here and there; no function of the log
			*/
	SECTION_NEWS,  /* id: symbol; its articles and its stream of sentiments */
	SECTION_HOLDS, /* id 0: whose news are held back */
};

struct section {
	uint32_t kind; /* enum section_kind, or one that we do not know */
	uint32_t id;
	size_t len;
	const uint8_t *data; /* borrowed */
};

/** Begin a section at the end of @b; returns where, for section_end(). */
size_t section_begin(struct buf *b, enum section_kind kind, uint32_t id);
void section_end(struct buf *b, size_t at);

enum { SECTION_NONE = 1 };

/** Step over the section at *@at: 0, SECTION_NONE at the end, -EBADMSG. */
int section_next(const uint8_t **at, const uint8_t *end, struct section *out);
