/* sbe - checked reading of headers and blocks; see tickbus.xml. */
#include "proto/sbe.h"

void sbe_head_add(struct buf *out, enum sbe_template id, const void *root, size_t size)
{
	uint8_t head[sizeof(struct sbe_head)];

	sbe_head_write(head, id, size);
	buf_add(out, head, sizeof(head));
	buf_add(out, root, size);
}

void sbe_group_add(struct buf *out, size_t block, size_t n)
{
	uint8_t group[sizeof(struct sbe_group)];

	sbe_group_write(group, block, n);
	buf_add(out, group, sizeof(group));
}

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
