/* sbe - checked reading of headers and blocks; see tickbus.xml. */
#include "proto/sbe.h"

int sbe_head_read(struct sbe_cursor *c, struct sbe_head *out)
{
	const uint8_t *at = sbe_skip(c, sizeof(*out));

	if (at == NULL)
		return 1;
	memcpy(out, at, sizeof(*out));
	return out->schema_id == EVENT_SCHEMA_ID && out->version >= 1 ? 0 : 1;
}

int sbe_block_read(struct sbe_cursor *c, size_t block_length, void *out, size_t known)
{
	const uint8_t *at;

	if (block_length < known)
		return 1;
	at = sbe_skip(c, block_length);
	if (at == NULL)
		return 1;
	memcpy(out, at, known);
	return 0;
}

int sbe_group_read(struct sbe_cursor *c, struct sbe_group *out)
{
	const uint8_t *at = sbe_skip(c, sizeof(*out));

	if (at == NULL)
		return 1;
	memcpy(out, at, sizeof(*out));
	return 0;
}
