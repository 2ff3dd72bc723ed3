/*
 * gram - all pairwise products of n rows, the hot loop of every correlation.
 *
 * G(i,j) = sum over k of z(i,k) * z(j,k) for i >= j, into a packed lower triangle:
 * row i begins at i * (i + 1) / 2.  The sum has one definition, which no machine,
 * tile or vector width changes:
 *
 *     the steps are cut into chunks of GRAM_CHUNK; within a chunk, from 0 on,
 *     acc = fma(z(i,k), z(j,k), acc) in rising k; the chunks are added in order.
 *
 * Vector lanes hold different pairs, never parts of one sum, and the fused
 * multiply-add is written out, not left to the compiler: AVX-512, AVX2 and the C
 * library's fma() give the same bits.  (A processor without FMA is slow, not wrong.)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRAM_CHUNK 128

enum gram_isa { GRAM_GENERIC = 0, GRAM_AVX2, GRAM_AVX512, GRAM_ISAS };

/** What one pair of rows with holes has in common. */
struct gram_pair {
	uint32_t n_obs;    /* steps present in both */
	double xx, yy, xy; /* sums of squares and of products over those steps */
};

/** Does this processor have it?  GRAM_GENERIC always. */
bool gram_isa_has(enum gram_isa isa);
/** The fastest that it has. */
enum gram_isa gram_isa_best(void);

/** Doubles that gram_run() needs to work in. */
size_t gram_scratch_len(uint32_t n, uint32_t steps);

/**
 * All pairs of @n rows of @steps values, @stride doubles apart, into @tri.  With
 * @clamp every sum is brought into [-1, 1].  @scratch: gram_scratch_len() doubles,
 * on a 64-byte boundary.
 */
void gram_run(enum gram_isa isa, const double *rows, size_t stride, uint32_t n,
	      uint32_t steps, bool clamp, double *scratch, double *tri);

/**
 * One pair over the steps that both rows have: @mx and @my are 1 where a value is
 * and 0 where it misses, and x and y are 0 there.  With @centre each row's mean over
 * the common steps is taken off first.  @steps is a multiple of 8 (pad with masks of
 * 0).  Eight interleaved partial sums, joined as a tree: the same bits everywhere.
 */
void gram_pair(enum gram_isa isa, const double *x, const double *mx, const double *y,
	       const double *my, uint32_t steps, bool centre, struct gram_pair *out);
