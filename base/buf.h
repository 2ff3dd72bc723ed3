/*
 * buf - a growable byte buffer.  Zeroed is empty; buf_free() of a zeroed one is
 * fine.  Running out of memory aborts with a sentence: sizes are bounded by
 * their callers.  One thread at a time.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned */
	size_t len;
	size_t cap;
};

/** Room for @n more bytes at the end; returns where they go. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Append a whole file of at most @max bytes.  0, -E2BIG, or a negated errno. */
int buf_read_file(struct buf *b, const char *path, size_t max);
/** The contents as a NUL-terminated text (the NUL is not counted in len). */
char *buf_text(struct buf *b);
void buf_free(struct buf *b);
