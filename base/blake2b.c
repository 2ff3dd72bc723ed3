/*
 * blake2b - RFC 7693, section 3.  The 16 words of the work vector are mixed in 12
 * rounds, first by columns, then by diagonals:
 *
 *	 v0  v1  v2  v3
 *	 v4  v5  v6  v7      columns:   G(v0 v4 v8 v12) ... G(v3 v7 v11 v15)
 *	 v8  v9 v10 v11      diagonals: G(v0 v5 v10 v15) ... G(v3 v4 v9 v14)
 *	v12 v13 v14 v15
 */
#include "base/blake2b.h"
#include <assert.h>
#include <string.h>

#define BLOCK  128
#define ROUNDS 12

static const uint64_t iv[8] = {
	UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
	UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
	UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
	UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* The order in which a round takes the message's words; the rounds 10, 11 are 0, 1. */
static const uint8_t sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t turn(uint64_t x, unsigned bits)
{
	return x >> bits | x << (64 - bits);
}

static inline void mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x,
		       uint64_t y)
{
	*a += *b + x;
	*d = turn(*d ^ *a, 32);
	*c += *d;
	*b = turn(*b ^ *c, 24);
	*a += *b + y;
	*d = turn(*d ^ *a, 16);
	*c += *d;
	*b = turn(*b ^ *c, 63);
}

/* @at: bytes hashed with this block. */
static void compress(uint64_t h[8], const uint8_t block[BLOCK], uint64_t at,
		     int is_last)
{
	uint64_t m[16], v[16];

	memcpy(m, block, BLOCK); /* little-endian, as proto/record.h demands */
	memcpy(v, h, 8 * sizeof(*h));
	memcpy(v + 8, iv, sizeof(iv));
	v[12] ^= at;
	if (is_last)
		v[14] = ~v[14];
	for (unsigned r = 0; r < ROUNDS; r++) {
		const uint8_t *s = sigma[r % 10];

		mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
		mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
		mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
		mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
		mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
		mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
		mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
		mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

void blake2b(const void *data, size_t len, void *out, size_t out_len)
{
	const uint8_t *p = data;
	uint8_t last[BLOCK] = {0};
	uint64_t h[8];
	size_t at = 0;

	assert(out_len >= 1);
	assert(out_len <= BLAKE2B_MAX);
	memcpy(h, iv, sizeof(h));
	h[0] ^= 0x01010000 ^ out_len; /* no key, fan-out 1, depth 1 */
	for (; len - at > BLOCK; at += BLOCK)
		compress(h, p + at, at + BLOCK, 0);
	if (len > at)
		memcpy(last, p + at, len - at);
	compress(h, last, len, 1);
	memcpy(out, h, out_len);
}
