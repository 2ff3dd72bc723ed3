/* Tests of gram.h. */
#include "workers/gram.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define W_MAX 300

static uint64_t seed = 42;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static void the_sums_follow_their_definition_on_every_instruction_set(void **state)
{
	(void)state;
	for (uint32_t n = 1; n <= 61; n += 12)
		for (uint32_t w = 1; w <= 300; w += 61) {
			size_t len = gram_scratch_len(n, w) * sizeof(double);
			double *rows = calloc((size_t)n * w, sizeof(double));
			double *scratch = aligned_alloc(64, (len + 63) / 64 * 64);
			double *tri = calloc((size_t)n * (n + 1) / 2, sizeof(double));

			for (uint32_t i = 0; i < n * w; i++)
				rows[i] = uniform() - 0.5;
			for (int isa = 0; isa < GRAM_ISAS; isa++) {
				if (!gram_isa_has((enum gram_isa)isa))
					continue;
				gram_run((enum gram_isa)isa, rows, w, n, w, false,
					 scratch, tri);
				for (uint32_t i = 0; i < n; i++)
					for (uint32_t j = 0; j <= i; j++) {
						double sum = 0;

						for (uint32_t f = 0; f < w;
						     f += GRAM_CHUNK) {
							double a = 0;

							for (uint32_t k = f;
							     k < w &&
							     k < f + GRAM_CHUNK;
							     k++)
								a = fma(rows[i * w + k],
									rows[j * w + k],
									a);
							sum = f == 0 ? a : sum + a;
						}
						assert_true(tri[i * (i + 1) / 2 + j] ==
							    sum);
					}
			}
			free(rows);
			free(scratch);
			free(tri);
		}
}

static void pairs_with_holes_are_the_same_bits_on_every_instruction_set(void **state)
{
	double x[W_MAX], mx[W_MAX], y[W_MAX], my[W_MAX];

	(void)state;
	for (uint32_t w = 8; w <= 296; w += 24) {
		struct gram_pair first, p;

		for (uint32_t k = 0; k < w; k++) {
			mx[k] = uniform() < 0.8;
			my[k] = uniform() < 0.8;
			x[k] = mx[k] * uniform();
			y[k] = my[k] * uniform();
		}
		gram_pair(GRAM_GENERIC, x, mx, y, my, w, true, &first);
		for (int isa = 1; isa < GRAM_ISAS; isa++) {
			if (!gram_isa_has((enum gram_isa)isa))
				continue;
			gram_pair((enum gram_isa)isa, x, mx, y, my, w, true, &p);
			assert_int_equal(p.n_obs, first.n_obs);
			assert_true(p.xx == first.xx && p.yy == first.yy &&
				    p.xy == first.xy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_sums_follow_their_definition_on_every_instruction_set),
		cmocka_unit_test(
			pairs_with_holes_are_the_same_bits_on_every_instruction_set),
	};

	return cmocka_run_group_tests_name("gram", tests, NULL, NULL);
}
