/* zst - see zst.h. */
#include "feeds/zst.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define WINDOW_LOG_MAX 25

struct zst {
	ZSTD_DCtx *ctx; /* owned */
	uint8_t *data;  /* owned, cap bytes */
	size_t cap;
	uint64_t given, limit;
	uint64_t taken; /* bytes of the packed stream */
	bool in_frame;
};

bool zst_is(const void *data, size_t len)
{
	static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};

	return len >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

int zst_new(uint64_t out_max, struct zst **out)
{
	struct zst *z = calloc(1, sizeof(*z));

	if (!z)
		return err_set(-ENOMEM, "no memory to unpack zstd");
	z->ctx = ZSTD_createDCtx();
	z->cap = ZSTD_DStreamOutSize();
	z->data = malloc(z->cap);
	z->limit = out_max;
	if (!z->ctx || !z->data ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax,
						WINDOW_LOG_MAX))) {
		zst_free(z);
		return err_set(-ENOMEM, "no memory to unpack zstd");
	}
	*out = z;
	return 0;
}

void zst_free(struct zst *z)
{
	if (!z)
		return;
	(void)ZSTD_freeDCtx(z->ctx);
	free(z->data);
	free(z);
}

int zst_step(struct zst *z, const void **in, size_t *in_len, const void **out,
	     size_t *out_len)
{
	ZSTD_inBuffer from = {*in, *in_len, 0};
	ZSTD_outBuffer to = {z->data, z->cap, 0};
	size_t rc = ZSTD_decompressStream(z->ctx, &to, &from);

	if (ZSTD_isError(rc))
		return err_set(-EBADMSG, "the zstd data is damaged near byte %llu: %s",
			       (unsigned long long)z->taken, ZSTD_getErrorName(rc));
	/* Nothing in, nothing out between frames changes nothing. */
	if (from.pos > 0 || to.pos > 0)
		z->in_frame = rc != 0;
	z->taken += from.pos;
	z->given += to.pos;
	if (z->given > z->limit)
		return err_set(-E2BIG, "the zstd data unpacks to more than %llu bytes",
			       (unsigned long long)z->limit);
	*in = (const uint8_t *)*in + from.pos;
	*in_len -= from.pos;
	*out = z->data;
	*out_len = to.pos;
	return 0;
}

int zst_end(const struct zst *z)
{
	return z->in_frame
		       ? err_set(-EBADMSG,
				 "the zstd data is cut off: it ends inside a frame, "
				 "after %llu bytes",
				 (unsigned long long)z->taken)
		       : 0;
}
