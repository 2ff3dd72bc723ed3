/*
 * symtab - names and their dense ids, for symbols and for sources.
 *
 * Ids are given in order of first acceptance by the store thread, which is the
 * only writer; the log keeps them.  A name is written before the count that
 * covers it is released, so any thread may look up and read ids < symtab_count().
 * Bounded: everything is allocated at start.
 */
#pragma once
#include "base/role.h"
#include <stddef.h>
#include <stdint.h>

struct symtab;

enum { SYMTAB_FULL = 1, SYMTAB_UNKNOWN = 2 };

#define SYMTAB_NAME_MAX 32

int symtab_new(uint32_t max, uint32_t first_id, struct symtab **out);
void symtab_free(struct symtab *t);
/** Find or add; *@out_new tells which.  0 or SYMTAB_FULL.  One writer. */
int symtab_add(struct symtab *t, const char *name, size_t len, uint32_t *out_id,
	       int *out_new);
/** 0 or SYMTAB_UNKNOWN. */
ANY_THREAD int symtab_find(const struct symtab *t, const char *name, size_t len,
			   uint32_t *out_id);
/** NUL-padded, 32 bytes, lives as long as the table; "" for an unknown id. */
ANY_THREAD const char *symtab_name(const struct symtab *t, uint32_t id);
/** One past the highest id. */
ANY_THREAD uint32_t symtab_count(const struct symtab *t);
