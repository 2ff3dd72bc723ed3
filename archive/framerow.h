/*
 * framerow - rows of the archive from what was published: ticks, bars, tier-1 vectors,
 * matrices and news, out of SBE frames (proto/frame.h).
 *
 * Frames are foreign bytes; every event is checked before its row is staged.
 */
#pragma once
#include "archive/archive.h"
#include "base/json.h"

struct framerow_sum {
	uint64_t frames;
	uint64_t events;
	uint64_t skipped; /* events of kinds that the archive does not keep */
};

/**
 * Stage what @data holds: per frame a little-endian u32 length, then the frame; kinds
 * mixed.  @sources: an object of id and name ({"1": "sim"}), or NULL.  -EINVAL: a
 * sentence; nothing of the put may be used then.
 */
int framerow_stage(struct archive *a, const uint8_t *data, size_t len,
		   const struct json *sources, struct framerow_sum *out);
