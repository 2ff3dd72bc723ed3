/* section - see section.h. */
#include "workers/section.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>

struct head {
	uint32_t kind;
	uint32_t id;
	uint64_t len;
};
_Static_assert(sizeof(struct head) == 16, "no padding");

size_t section_begin(struct buf *b, enum section_kind kind, uint32_t id)
{
	const struct head h = {.kind = kind, .id = id};
	size_t at = b->len;

	buf_add(b, &h, sizeof(h));
	return at;
}

void section_end(struct buf *b, size_t at)
{
	uint64_t len = b->len - at - sizeof(struct head);

	memcpy(b->data + at + offsetof(struct head, len), &len, sizeof(len));
}

int section_next(const uint8_t **at, const uint8_t *end, struct section *out)
{
	struct head h;

	if (*at == end)
		return SECTION_NONE;
	if ((size_t)(end - *at) < sizeof(h))
		return err_set(-EBADMSG,
			       "a snapshot ends inside the head of a section");
	memcpy(&h, *at, sizeof(h));
	if (h.len > (size_t)(end - *at) - sizeof(h))
		return err_set(-EBADMSG, "a snapshot ends inside section %u of kind %u",
			       h.id, h.kind);
	*out = (struct section){h.kind, h.id, h.len, *at + sizeof(h)};
	*at += sizeof(h) + h.len;
	return 0;
}
