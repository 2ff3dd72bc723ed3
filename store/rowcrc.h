/*
 * rowcrc - a checksum over the columns of one row, begun with the store's id so
 * that a row of another database does not pass.  Numbers go in as 8 bytes,
 * texts and blobs with their length in front.
 */
#pragma once
#include "base/crc32c.h"
#include <stddef.h>
#include <stdint.h>

/** @table: a letter per table, so that rows cannot change places. */
static inline uint32_t rowcrc_begin(uint64_t store_id, char table)
{
	return crc32c((uint32_t)(unsigned char)table, &store_id, sizeof(store_id));
}

static inline uint32_t rowcrc_u64(uint32_t crc, uint64_t v)
{
	return crc32c(crc, &v, sizeof(v));
}

static inline uint32_t rowcrc_bytes(uint32_t crc, const void *data, size_t len)
{
	return crc32c(rowcrc_u64(crc, len), data, len);
}

/** Of a row of the table `article`. */
static inline uint32_t rowcrc_article(uint64_t store_id, uint64_t pos, uint64_t key,
				      const void *text, size_t len)
{
	uint32_t crc = rowcrc_u64(rowcrc_begin(store_id, 'A'), pos);

	return rowcrc_bytes(rowcrc_u64(crc, key), text, len);
}
