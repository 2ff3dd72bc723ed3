/* tickid - see tickid.h. */
#include "feeds/tickid.h"
#include "base/hash.h"

#define ID_BITS 51
#define ID_MASK ((UINT64_C(1) << ID_BITS) - 1)

static uint64_t put(unsigned venue, unsigned trf, uint64_t low)
{
	uint64_t v = (uint64_t)(venue & 255) << 56 | (uint64_t)(trf & 15) << 52 | low;

	return v != 0 ? v : 1;
}

uint64_t tickid_number(unsigned venue, unsigned trf, uint64_t id)
{
	if (id <= ID_MASK)
		return put(venue, trf, id);
	return put(venue, trf, (hash_mix(id) & ID_MASK) | (ID_MASK + 1));
}

uint64_t tickid_text(unsigned venue, unsigned trf, const char *id, size_t len)
{
	uint64_t v = 0;
	size_t i = 0;

	/* 19 digits fit whatever they are. */
	while (i < len && i < 19 && (unsigned char)(id[i] - '0') <= 9)
		v = v * 10 + (uint64_t)(id[i++] - '0');
	if (len > 0 && i == len && (id[0] != '0' || len == 1))
		return tickid_number(venue, trf, v);
	v = hash_bytes(HASH_SEED, id, len);
	return put(venue, trf, (hash_mix(v) & ID_MASK) | (ID_MASK + 1));
}
