/*
 * pages - large zeroed memory that costs nothing until it is touched.
 *
 * For rings and buffers whose bound is generous: what a quiet daemon never uses
 * is never resident.  Any thread.
 */
#pragma once
#include <stddef.h>

/** @bytes of zeroes, page-aligned; NULL when there is no memory. */
void *pages_new(size_t bytes);
/** NULL is fine; @bytes as given to pages_new(). */
void pages_free(void *p, size_t bytes);
