/* crc32c - Castagnoli checksum (SSE4.2 where the processor has it). */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Continue from @crc (0 to begin) over @len bytes. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/** The same by table on any machine; the test holds the two against each other. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);
