/*
 * gram - see gram.h.
 *
 * Rows are packed into panels of P neighbours, step by step, so that one step of a
 * panel is one or three vectors; a tile multiplies H rows of one panel with all P of
 * another and keeps its H * P sums in registers:
 *
 *             P columns j (vectors)
 *          +-----------------------+
 *   H rows |  H * P accumulators   |   per step: P / lanes loads, H broadcasts,
 *   i      |                       |             H * P / lanes fused multiply-adds
 *          +-----------------------+
 *
 * Rows are taken in blocks that stay in the second-level cache while the panels pass
 * by; a tile runs over all steps at once, so the triangle is written once.
 */
#include "workers/gram.h"
#include <assert.h>
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define PANEL_MAX  24
#define HEIGHT_MAX 8
#define BLOCK_ROWS 192 /* a multiple of every panel width */

typedef double v8 __attribute__((vector_size(64), aligned(64)));
typedef double v8u __attribute__((vector_size(64), aligned(8)));

/* One tile: @a is H rows inside a panel, @b a whole panel; @out is H * P sums. */
typedef void tile_fn(const double *a, const double *b, uint32_t steps, double *out);
typedef void pair_fn(const double *x, const double *mx, const double *y,
		     const double *my, uint32_t steps, bool centre,
		     struct gram_pair *out);

struct kernel {
	uint32_t panel, height;
	tile_fn *tile;
	pair_fn *pair;
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void tile_generic(const double *a, const double *b, uint32_t steps, double *out)
{
	enum { P = 4, H = 4 };

	memset(out, 0, P * H * sizeof(*out));
	for (uint32_t from = 0; from < steps; from += GRAM_CHUNK) {
		uint32_t to = min_u32(from + GRAM_CHUNK, steps);
		double acc[H][P] = {{0}};

		for (uint32_t k = from; k < to; k++)
			for (int i = 0; i < H; i++)
				for (int j = 0; j < P; j++)
					acc[i][j] =
						fma(a[k * P + (uint32_t)i],
						    b[k * P + (uint32_t)j], acc[i][j]);
		for (int i = 0; i < H; i++)
			for (int j = 0; j < P; j++)
				out[i * P + j] += acc[i][j];
	}
}

/* Joins eight partial sums: ((0+1)+(2+3))+((4+5)+(6+7)). */
#define TREE(v)                                                                        \
	((((v)[0] + (v)[1]) + ((v)[2] + (v)[3])) +                                     \
	 (((v)[4] + (v)[5]) + ((v)[6] + (v)[7])))

/*
 * The body of gram_pair(), compiled once per instruction set.  Only multiplications
 * and additions, lane by lane: the width of the machine's vectors changes nothing.
 */
__attribute__((always_inline)) static inline void
pair_body(const double *x, const double *mx, const double *y, const double *my,
	  uint32_t steps, bool centre, struct gram_pair *out)
{
	v8 n = {0}, sx = {0}, sy = {0}, xx = {0}, yy = {0}, xy = {0};
	double mean_x = 0, mean_y = 0;

	for (uint32_t k = 0; k < steps; k += 8) {
		v8 both = *(const v8u *)(mx + k) * *(const v8u *)(my + k);

		n += both;
		sx += both * *(const v8u *)(x + k);
		sy += both * *(const v8u *)(y + k);
	}
	out->n_obs = (uint32_t)TREE(n);
	if (centre && out->n_obs > 0) {
		mean_x = TREE(sx) / out->n_obs;
		mean_y = TREE(sy) / out->n_obs;
	}
	for (uint32_t k = 0; k < steps; k += 8) {
		v8 both = *(const v8u *)(mx + k) * *(const v8u *)(my + k);
		v8 dx = both * (*(const v8u *)(x + k) - mean_x);
		v8 dy = both * (*(const v8u *)(y + k) - mean_y);

		xx += dx * dx;
		yy += dy * dy;
		xy += dx * dy;
	}
	out->xx = TREE(xx);
	out->yy = TREE(yy);
	out->xy = TREE(xy);
}

static void pair_generic(const double *x, const double *mx, const double *y,
			 const double *my, uint32_t steps, bool centre,
			 struct gram_pair *out)
{
	pair_body(x, mx, y, my, steps, centre, out);
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void
tile_avx512(const double *a, const double *b, uint32_t steps, double *out)
{
	enum { P = 24, H = 8 };

	for (uint32_t from = 0; from < steps; from += GRAM_CHUNK) {
		uint32_t to = min_u32(from + GRAM_CHUNK, steps);
		const double *pa = a + (size_t)from * P;
		const double *pb = b + (size_t)from * P;
		__m512d acc[H][3];

#pragma GCC unroll 8
		for (int i = 0; i < H; i++)
			acc[i][0] = acc[i][1] = acc[i][2] = _mm512_setzero_pd();
		for (uint32_t k = from; k < to; k++, pa += P, pb += P) {
			__m512d b0 = _mm512_load_pd(pb);
			__m512d b1 = _mm512_load_pd(pb + 8);
			__m512d b2 = _mm512_load_pd(pb + 16);

#pragma GCC unroll 8
			for (int i = 0; i < H; i++) {
				__m512d x = _mm512_set1_pd(pa[i]);

				acc[i][0] = _mm512_fmadd_pd(x, b0, acc[i][0]);
				acc[i][1] = _mm512_fmadd_pd(x, b1, acc[i][1]);
				acc[i][2] = _mm512_fmadd_pd(x, b2, acc[i][2]);
			}
		}
#pragma GCC unroll 8
		for (int i = 0; i < H; i++)
#pragma GCC unroll 3
			for (int j = 0; j < 3; j++) {
				double *o = out + i * P + j * 8;

				_mm512_store_pd(
					o, from == 0 ? acc[i][j]
						     : _mm512_add_pd(_mm512_load_pd(o),
								     acc[i][j]));
			}
	}
}

__attribute__((target("avx2,fma"))) static void
tile_avx2(const double *a, const double *b, uint32_t steps, double *out)
{
	enum { P = 12, H = 4 };

	for (uint32_t from = 0; from < steps; from += GRAM_CHUNK) {
		uint32_t to = min_u32(from + GRAM_CHUNK, steps);
		const double *pa = a + (size_t)from * P;
		const double *pb = b + (size_t)from * P;
		__m256d acc[H][3];

#pragma GCC unroll 4
		for (int i = 0; i < H; i++)
			acc[i][0] = acc[i][1] = acc[i][2] = _mm256_setzero_pd();
		for (uint32_t k = from; k < to; k++, pa += P, pb += P) {
			__m256d b0 = _mm256_load_pd(pb);
			__m256d b1 = _mm256_load_pd(pb + 4);
			__m256d b2 = _mm256_load_pd(pb + 8);

#pragma GCC unroll 4
			for (int i = 0; i < H; i++) {
				__m256d x = _mm256_set1_pd(pa[i]);

				acc[i][0] = _mm256_fmadd_pd(x, b0, acc[i][0]);
				acc[i][1] = _mm256_fmadd_pd(x, b1, acc[i][1]);
				acc[i][2] = _mm256_fmadd_pd(x, b2, acc[i][2]);
			}
		}
#pragma GCC unroll 4
		for (int i = 0; i < H; i++)
#pragma GCC unroll 3
			for (int j = 0; j < 3; j++) {
				double *o = out + i * P + j * 4;

				_mm256_store_pd(
					o, from == 0 ? acc[i][j]
						     : _mm256_add_pd(_mm256_load_pd(o),
								     acc[i][j]));
			}
	}
}

__attribute__((target("avx512f"))) static void
pair_avx512(const double *x, const double *mx, const double *y, const double *my,
	    uint32_t steps, bool centre, struct gram_pair *out)
{
	pair_body(x, mx, y, my, steps, centre, out);
}

__attribute__((target("avx2"))) static void pair_avx2(const double *x, const double *mx,
						      const double *y, const double *my,
						      uint32_t steps, bool centre,
						      struct gram_pair *out)
{
	pair_body(x, mx, y, my, steps, centre, out);
}
#else
#define tile_avx512 tile_generic
#define tile_avx2   tile_generic
#define pair_avx512 pair_generic
#define pair_avx2   pair_generic
#endif

static const struct kernel kernels[GRAM_ISAS] = {
	[GRAM_GENERIC] = {4, 4, tile_generic, pair_generic},
	[GRAM_AVX2] = {12, 4, tile_avx2, pair_avx2},
	[GRAM_AVX512] = {24, 8, tile_avx512, pair_avx512},
};
_Static_assert(BLOCK_ROWS % 24 == 0 && BLOCK_ROWS % 12 == 0 && BLOCK_ROWS % 4 == 0,
	       "a block of rows begins with a panel");

bool gram_isa_has(enum gram_isa isa)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (isa == GRAM_AVX512)
		return __builtin_cpu_supports("avx512f");
	if (isa == GRAM_AVX2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
	return isa == GRAM_GENERIC;
}

enum gram_isa gram_isa_best(void)
{
	if (gram_isa_has(GRAM_AVX512))
		return GRAM_AVX512;
	return gram_isa_has(GRAM_AVX2) ? GRAM_AVX2 : GRAM_GENERIC;
}

size_t gram_scratch_len(uint32_t n, uint32_t steps)
{
	return ((size_t)n + PANEL_MAX) * steps;
}

/* Rows side by side, a step after the other; the last panel is filled with 0. */
static void pack(const double *rows, size_t stride, uint32_t n, uint32_t steps,
		 uint32_t width, double *out)
{
	for (uint32_t p = 0; p < n; p += width, out += (size_t)width * steps) {
		for (uint32_t i = 0; i < width; i++) {
			const double *row = rows + (p + i) * stride;

			for (uint32_t k = 0; k < steps; k++)
				out[(size_t)k * width + i] = p + i < n ? row[k] : 0.0;
		}
	}
}

static double clamped(double r)
{
	r = r > 1.0 ? 1.0 : r;
	return r < -1.0 ? -1.0 : r;
}

/* Put a tile's sums where they belong; what lies above the diagonal falls away. */
static void place(const double *sums, uint32_t panel, uint32_t i0, uint32_t j0,
		  uint32_t height, uint32_t n, bool clamp, double *tri)
{
	for (uint32_t i = i0; i < min_u32(i0 + height, n); i++, sums += panel) {
		double *row = tri + (size_t)i * (i + 1) / 2;
		uint32_t end = min_u32(j0 + panel, i + 1);

		for (uint32_t j = j0; j < end; j++)
			row[j] = clamp ? clamped(sums[j - j0]) : sums[j - j0];
	}
}

void gram_run(enum gram_isa isa, const double *rows, size_t stride, uint32_t n,
	      uint32_t steps, bool clamp, double *scratch, double *tri)
{
	const struct kernel *kn = &kernels[isa];
	uint32_t panel = kn->panel, height = kn->height;
	_Alignas(64) double sums[HEIGHT_MAX * PANEL_MAX];

	assert((uintptr_t)scratch % 64 == 0);
	pack(rows, stride, n, steps, panel, scratch);
	for (uint32_t block = 0; block < n; block += BLOCK_ROWS) {
		uint32_t end = min_u32(block + BLOCK_ROWS, n);

		for (uint32_t j = 0; j < end; j += panel) {
			const double *b = scratch + (size_t)j * steps;
			uint32_t first = j > block ? j : block;

			for (uint32_t i = first; i < end; i += height) {
				uint32_t base = i - i % panel;
				const double *a =
					scratch + (size_t)base * steps + (i - base);

				kn->tile(a, b, steps, sums);
				place(sums, panel, i, j, height, n, clamp, tri);
			}
		}
	}
}

void gram_pair(enum gram_isa isa, const double *x, const double *mx, const double *y,
	       const double *my, uint32_t steps, bool centre, struct gram_pair *out)
{
	assert(steps % 8 == 0);
	kernels[isa].pair(x, mx, y, my, steps, centre, out);
}
