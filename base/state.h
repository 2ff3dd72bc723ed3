/*
 * state - one walk over a structure that either saves it or loads it.
 *
 * A module writes one function per structure that names each field once; saving and
 * loading cannot drift apart then:
 *
 *	void span_state(struct state *st, struct span *s)
 *	{
 *		state_i64(st, &s->start_ns);
 *		state_i64(st, &s->end_ns);
 *	}
 *
 * Saving appends to a buffer and changes nothing.  Loading reads from bytes that may
 * be anybody's: beyond their end, or when a count is too large, everything reads as
 * zero and state_bad() is true; the caller asks once, at the end, and throws the
 * structure away.  Numbers are little-endian; the same state is the same bytes.
 */
#pragma once
#include "base/buf.h"
#include <stdbool.h>
#include <string.h>

struct state {
	struct buf *out;   /* saving: borrowed; NULL: loading */
	const uint8_t *at; /* loading: borrowed */
	const uint8_t *end;
	bool bad;
};

static inline struct state state_saving(struct buf *out)
{
	return (struct state){.out = out};
}

static inline struct state state_loading(const void *data, size_t len)
{
	return (struct state){.at = data, .end = (const uint8_t *)data + len};
}

static inline bool state_is_loading(const struct state *st)
{
	return st->out == NULL;
}

/** Something was missing, or not what it may be. */
static inline bool state_bad(const struct state *st)
{
	return st->bad;
}

static inline void state_spoil(struct state *st)
{
	st->bad = true;
	st->at = st->end;
}

/** @len bytes without pointers or padding, as they lie in memory. */
static inline void state_bytes(struct state *st, void *data, size_t len)
{
	if (st->out != NULL) {
		buf_add(st->out, data, len);
		return;
	}
	if (len > (size_t)(st->end - st->at)) {
		memset(data, 0, len);
		state_spoil(st);
		return;
	}
	if (len > 0)
		memcpy(data, st->at, len);
	st->at += len;
}

#define STATE_TYPE(name, type)                                                         \
	static inline void state_##name(struct state *st, type *v)                     \
	{                                                                              \
		state_bytes(st, v, sizeof(*v));                                        \
	}
STATE_TYPE(u8, uint8_t)
STATE_TYPE(u16, uint16_t)
STATE_TYPE(u32, uint32_t)
STATE_TYPE(u64, uint64_t)
STATE_TYPE(i64, int64_t)
STATE_TYPE(i128, __int128)
STATE_TYPE(u128, unsigned __int128)
STATE_TYPE(f64, double)
#undef STATE_TYPE

static inline void state_bool(struct state *st, bool *v)
{
	uint8_t byte = *v;

	state_u8(st, &byte);
	if (byte > 1)
		state_spoil(st);
	*v = byte == 1;
}

/** A count that may be @max at the most, else it reads as 0. */
static inline void state_count(struct state *st, uint32_t *n, uint32_t max)
{
	state_u32(st, n);
	if (*n > max) {
		state_spoil(st);
		*n = 0;
	}
}

/** A number that must be the same here and there (a limit, a layout). */
static inline void state_same(struct state *st, uint64_t want)
{
	uint64_t v = want;

	state_u64(st, &v);
	if (v != want)
		state_spoil(st);
}

/** Loading is complete: nothing is left over. */
static inline void state_end(struct state *st)
{
	if (st->out == NULL && st->at != st->end)
		state_spoil(st);
}
