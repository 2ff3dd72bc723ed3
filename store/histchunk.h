/*
 * histchunk - the bars of one chunk as bytes, and back.
 *
 * Column by column, each value as its distance from a guess (a start from the step
 * before, an open from the last close, a high from the higher of open and close ...),
 * prices in the largest power of ten that divides them all: of cents, not of
 * billionths.  The distances are variable-length integers, and zstd takes what still
 * repeats.  Exact: every 64-bit value comes back, nulls included.
 *
 * Measured (tests/bench/history_bench.c, 390 bars of cents): the columns alone are 14
 * bytes a bar, zstd 1 and deflate 1 both make 12 of them, at 23 and 6 million bars a
 * second; bars packed as they lie in memory are 29.  So the columns do the work, and of
 * the two packers, both linked already, the faster is taken.
 *
 * The same bars give the same bytes.  One thread at a time; it holds only memory that
 * is used again.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stddef.h>
#include <stdint.h>

#define HISTCHUNK_BARS_MAX (1u << 20)

/** How the bytes are packed; a number is never used for something else. */
enum histchunk_codec {
	HISTCHUNK_PLAIN = 1, /* columns as they are: they did not shrink */
	HISTCHUNK_ZSTD = 2,  /* level 1 */
};

struct histchunk;

int histchunk_new(struct histchunk **out);
void histchunk_free(struct histchunk *c);

/** Add the bytes of @n bars (1 .. HISTCHUNK_BARS_MAX) to @out.  0 or -ENOMEM. */
int histchunk_encode(struct histchunk *c, const struct hist_bar *bars, size_t n,
		     struct buf *out, enum histchunk_codec *out_codec);
/** Add @n bars to @out; -EBADMSG: these are not the bytes of @n bars. */
int histchunk_decode(struct histchunk *c, enum histchunk_codec codec, const void *data,
		     size_t len, size_t n, struct buf *out);

/** The columns before they are packed, for the bench that compares packers. */
void histchunk_columns(const struct hist_bar *bars, size_t n, struct buf *out);
