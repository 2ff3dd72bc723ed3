/* rng - the parts that are too long to be inline. */
#include "feeds/rng.h"
#include <string.h>

void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		r->s[i] = z ^ z >> 31;
	}
}

/*
 * ln(u) = exponent * ln 2 + ln m with m in [0.75, 1.5), and
 * ln m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1), |s| <= 0.2.
 */
double rng_exponential(struct rng *r)
{
	uint64_t bits, x = rng_u64(r) >> 11 | 1; /* never ln 0 */
	double u = (double)x * 0x1p-53, m, s, s2, ln;
	int exponent;

	memcpy(&bits, &u, sizeof(bits));
	exponent = (int)(bits >> 52) - 1023;
	bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000);
	memcpy(&m, &bits, sizeof(m));
	if (m >= 1.5) {
		m *= 0.5;
		exponent++;
	}
	s = (m - 1.0) / (m + 1.0);
	s2 = s * s;
	ln = 2.0 * s *
	     (1.0 + s2 * (1.0 / 3 + s2 * (1.0 / 5 + s2 * (1.0 / 7 + s2 * (1.0 / 9)))));
	return -(ln + (double)exponent * 0.69314718055994530942);
}

/* (1 + y + y^2/2 + y^3/6)^1024 with y = x / 1024. */
double rng_exp(double x)
{
	double y = x * (1.0 / 1024), e = 1.0 + y * (1.0 + y * (0.5 + y * (1.0 / 6)));

	for (int i = 0; i < 10; i++)
		e *= e;
	return e;
}
