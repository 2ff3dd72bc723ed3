/* pastfile_fuzz - a chunk of whole events, whose hash is made right, and read. */
#include "archive/pastfile.h"
#include "base/err.h"
#include "base/sha256.h"
#include <stdlib.h>
#include <string.h>

#define HASH_AT (PASTFILE_HEAD - 32)
#define HEAD_AT 8

/* Else nothing behind the hash would ever be looked at. */
static void make_hash(uint8_t *data, size_t size)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, data + HEAD_AT, sizeof(struct pastfile_head));
	sha256_add(&s, data + PASTFILE_HEAD, size - PASTFILE_HEAD);
	sha256_done(&s, data + HASH_AT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pastfile f;
	uint8_t *copy = malloc(size + 1);
	uint64_t n = 0;
	int rc;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	if (size >= PASTFILE_HEAD)
		make_hash(copy, size);
	rc = pastfile_unpack(copy, size, &f);
	if (rc < 0 && !err_text()[0])
		abort(); /* an error without a sentence */
	if (rc == 0) {
		const struct event_head *e;
		struct past_stream s;
		size_t at = 0, len;

		for (; (e = pastfile_next(&f.events, &at, &len)) != NULL; n++)
			past_stream_of((enum event_kind)f.head.kind, e, &s);
		if (n != f.head.n_events)
			abort();
	}
	pastfile_free(&f);
	free(copy);
	return 0;
}
