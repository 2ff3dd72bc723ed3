/*
 * zst - zstd streams unpacked piece by piece; the one keeper of libzstd.
 *
 * A stream may be several frames in a row.  What comes out is bounded by the caller,
 * the memory by the window that is accepted (32 MiB).  One thread at a time; no I/O.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zst;

/** Do these bytes begin a zstd stream?  Four are enough. */
bool zst_is(const void *data, size_t len);

/** No more than @out_max bytes come out in all. */
int zst_new(uint64_t out_max, struct zst **out);
void zst_free(struct zst *z);
/**
 * Unpack from *@in, which is moved on.  0 and what came out, borrowed until the next
 * call: call again while there is any or *@in_len > 0; -EBADMSG: damaged; -E2BIG: more
 * than out_max.
 */
int zst_step(struct zst *z, const void **in, size_t *in_len, const void **out,
	     size_t *out_len);
/** After the last byte: 0, or -EBADMSG: it is cut off inside a frame. */
int zst_end(const struct zst *z);
