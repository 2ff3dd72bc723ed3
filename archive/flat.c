/* flat - see flat.h. */
#include "archive/flat.h"
#include <assert.h>
#include <string.h>

static void zeros(struct buf *b, size_t n)
{
	static const uint8_t none[8];

	for (; n > 8; n -= 8)
		buf_add(b, none, 8);
	buf_add(b, none, n);
}

void flat_pad(struct buf *b, size_t align)
{
	zeros(b, (align - b->len % align) % align);
}

void flat_set(struct buf *b, size_t at, int64_t value, size_t size)
{
	assert(at + size <= b->len);
	memcpy(b->data + at, &value, size);
}

static void point(struct buf *b, size_t from)
{
	flat_set(b, from, (int64_t)(b->len - from), 4);
}

/* A table of which nothing points to yet; returns where it begins. */
static size_t lay(struct buf *b, const uint8_t *sizes, size_t n, size_t *out)
{
	uint16_t vtable[2 + FLAT_FIELDS_MAX] = {(uint16_t)(4 + 2 * n), 4};
	size_t at;

	assert(n <= FLAT_FIELDS_MAX);
	/* The table begins at a multiple of 8, so a field's offset in it says its
	   alignment. */
	for (size_t i = 0; i < n; i++) {
		size_t end = vtable[1];

		if (sizes[i] == 0)
			continue;
		end = (end + sizes[i] - 1) / sizes[i] * sizes[i];
		vtable[2 + i] = (uint16_t)end;
		vtable[1] = (uint16_t)(end + sizes[i]);
	}
	while ((b->len + vtable[0]) % 8 != 0)
		zeros(b, 1);
	buf_add(b, vtable, vtable[0]);
	at = b->len;
	zeros(b, vtable[1]);
	flat_set(b, at, vtable[0], 4);
	for (size_t i = 0; i < n; i++)
		out[i] = sizes[i] ? at + vtable[2 + i] : 0;
	return at;
}

void flat_root(struct buf *b, const uint8_t *sizes, size_t n, size_t *out)
{
	b->len = 0;
	zeros(b, 4);
	flat_set(b, 0, (int64_t)lay(b, sizes, n, out), 4);
}

void flat_table(struct buf *b, size_t from, const uint8_t *sizes, size_t n, size_t *out)
{
	size_t at = lay(b, sizes, n, out);

	flat_set(b, from, (int64_t)(at - from), 4);
}

void flat_text(struct buf *b, size_t from, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	flat_pad(b, 4);
	point(b, from);
	buf_add(b, &len, 4);
	buf_add(b, text, len + 1);
}

size_t flat_structs(struct buf *b, size_t from, size_t n, size_t size)
{
	uint32_t count = (uint32_t)n;
	size_t at;

	while (b->len % 8 != 4)
		zeros(b, 1);
	point(b, from);
	buf_add(b, &count, 4);
	at = b->len;
	zeros(b, n * size);
	return at;
}

size_t flat_offsets(struct buf *b, size_t from, size_t n)
{
	uint32_t count = (uint32_t)n;
	size_t at;

	flat_pad(b, 4);
	point(b, from);
	buf_add(b, &count, 4);
	at = b->len;
	zeros(b, 4 * n);
	return at;
}
