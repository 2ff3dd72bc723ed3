/*
 * tsf_fft - the discrete Fourier transform of a real series of any length.
 *
 * Lengths made of small primes go through mixed radices (Stockham: no reordering);
 * others through Bluestein's chirp and a power of two.  A plan is remade, without
 * allocating, when the length changes.  One plan per thread.
 */
#pragma once
#include "analysis/tsf_work.h"

/** A plan with room for series of up to @n_max values; -ENOMEM. */
int tsf_fft_new(size_t n_max, struct tsf_fft **out);
void tsf_fft_free(struct tsf_fft *f);
/** @out[k] = sum of x[t] exp(-2 pi i k t / n), k = 0..n/2; n in 1..n_max. */
void tsf_fft_real(struct tsf_fft *f, const double *x, size_t n,
		  struct tsf_complex *out);
