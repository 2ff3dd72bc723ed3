/*
 * flat - flatbuffers laid out by hand, from the root on.
 *
 * An offset points forward to what it means, so a table is written before its children,
 * and each child patches the field that leads to it.  Positions count from the buffer's
 * first byte; little-endian, as the machine.
 */
#pragma once
#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

#define FLAT_FIELDS_MAX 8

/** Begin a buffer with its root; the root's first field is at out[0] and so on. */
void flat_root(struct buf *b, const uint8_t *sizes, size_t n, size_t *out);
/**
 * Append a table, zeroed, and let @from (a field) point to it.  @sizes has the bytes of
 * each field (1, 2, 4, 8; 0: it is absent, and has its default); @out their positions.
 */
void flat_table(struct buf *b, size_t from, const uint8_t *sizes, size_t n,
		size_t *out);
void flat_set(struct buf *b, size_t at, int64_t value, size_t size);
void flat_text(struct buf *b, size_t from, const char *text);
/** A vector of @n structs of @size bytes (a multiple of 8); returns where they begin.
 */
size_t flat_structs(struct buf *b, size_t from, size_t n, size_t size);
/** A vector of @n offsets; element i is at the returned position + 4 i. */
size_t flat_offsets(struct buf *b, size_t from, size_t n);
/** Zeros up to a multiple of @align. */
void flat_pad(struct buf *b, size_t align);
