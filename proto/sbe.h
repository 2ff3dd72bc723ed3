/*
 * sbe - the few bytes that Simple Binary Encoding puts around our structs: the
 * message header, group headers, and the template numbers of tickbus.xml.
 *
 * All integers are little-endian (record.h refuses other machines).  Numbers of
 * templates are never reused: the wire outlives the release.
 */
#pragma once
#include "base/buf.h"
#include "proto/event.h"
#include <string.h>

enum sbe_template {
	SBE_TICK = 1, /* frames: 1 + enum event_kind */
	SBE_BAR,
	SBE_TIER1,
	SBE_TIER2,
	SBE_NEWS,
	SBE_STATUS,
	SBE_JOB,
	SBE_HEARTBEAT,
	SBE_INGEST_REQUEST = 21,
	SBE_INGEST_REPLY,
	SBE_CATCHUP_REQUEST = 31,
	SBE_CATCHUP_PAGE,
	SBE_DICT_REQUEST,
	SBE_DICT_PAGE,
};

struct sbe_head {
	uint16_t block_length;
	uint16_t template_id;
	uint16_t schema_id;
	uint16_t version;
};
_Static_assert(sizeof(struct sbe_head) == 8, "SBE message header");

struct sbe_group {
	uint16_t block_length;
	uint16_t n;
};
_Static_assert(sizeof(struct sbe_group) == 4, "SBE group header");

#define SBE_GROUP32_SIZE 6 /* u16 block length, u32 count: the triangle's header */

/** Write a header of ours at @to. */
static inline void sbe_head_write(uint8_t *to, enum sbe_template id, size_t block)
{
	struct sbe_head h = {(uint16_t)block, (uint16_t)id, EVENT_SCHEMA_ID,
			     EVENT_SCHEMA_VERSION};

	memcpy(to, &h, sizeof(h));
}

static inline void sbe_group_write(uint8_t *to, size_t block, size_t n)
{
	struct sbe_group g = {(uint16_t)block, (uint16_t)n};

	memcpy(to, &g, sizeof(g));
}

/** Append a header of ours and its root block. */
void sbe_head_add(struct buf *out, enum sbe_template id, const void *root, size_t size);
void sbe_group_add(struct buf *out, size_t block, size_t n);

/** Foreign bytes, read front to back; every read is checked against the end. */
struct sbe_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static inline size_t sbe_left(const struct sbe_cursor *c)
{
	return (size_t)(c->end - c->at);
}

/** Step over @n bytes; NULL when there are fewer. */
static inline const uint8_t *sbe_skip(struct sbe_cursor *c, size_t n)
{
	const uint8_t *at = c->at;

	if (sbe_left(c) < n)
		return NULL;
	c->at += n;
	return at;
}

/** Copy the header; 0, or 1 when there is none or it is not of our schema. */
int sbe_head_read(struct sbe_cursor *c, struct sbe_head *out);
/**
 * Copy the first @known bytes of a block of @block_length bytes and step over
 * all of it: fields that a newer version appended are ignored.  0, or 1 when
 * the block is shorter than @known or than it claims.
 */
int sbe_block_read(struct sbe_cursor *c, size_t block_length, void *out, size_t known);
int sbe_group_read(struct sbe_cursor *c, struct sbe_group *out);
