/*
 * producers - who sends, and which sequence of theirs was used last.
 *
 * A sequence is used when it is staged; commit makes that so, abort takes it
 * back.  Only the last one is kept: sequences rise, so whatever is not above it
 * was here before, for ever.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sq;
struct producers;

int producers_new(struct sq *db, uint32_t max, struct producers **out);
void producers_free(struct producers *p);
/** Read the table; -EBADMSG when a row is damaged or not @count are there. */
int producers_load(struct producers *p, uint64_t store_id, uint64_t count);

/** What a row's crc must be; repair.c writes rows of its own. */
uint32_t producers_crc(uint64_t store_id, uint32_t id, const char *name, size_t len,
		       uint64_t last);

/** 0 or STORE_FULL.  A new one is saved by the next producers_save(). */
int producers_add(struct producers *p, const char *name, size_t len, uint32_t *out_id);
uint32_t producers_count(const struct producers *p);
const char *producers_name(const struct producers *p, uint32_t id);
/** The last sequence, staged ones included. */
uint64_t producers_last(const struct producers *p, uint32_t id);
void producers_stage(struct producers *p, uint32_t id, uint64_t seq);

bool producers_is_dirty(const struct producers *p);
/** Did the number of rows change since the last commit? */
bool producers_has_new(const struct producers *p);
/** Write what is staged; within the caller's transaction. */
int producers_save(struct producers *p);
/** The transaction was committed, or was not. */
void producers_committed(struct producers *p);
void producers_abort(struct producers *p);
