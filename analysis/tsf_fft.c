/* tsf_fft - see tsf_fft.h. */
#include "analysis/tsf_fft.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RADIX_MAX   13
#define FACTORS_MAX 32

/* One complex transform of a fixed length made of small primes. */
struct stages {
	size_t n;
	size_t factor[FACTORS_MAX];
	size_t n_factors;
	struct tsf_complex *root; /* owned; exp(-2 pi i k / n) */
};

struct tsf_fft {
	size_t n_max;
	size_t n;      /* planned for; 0: nothing */
	size_t length; /* of the complex transform: n, or n / 2 for even n */
	bool is_chirp; /* length has a large prime: through a power of two */
	struct stages direct, power;
	struct tsf_complex *a, *b;  /* owned; working pair */
	struct tsf_complex *z;      /* owned; the packed series */
	struct tsf_complex *chirp;  /* owned; exp(-i pi k^2 / length) */
	struct tsf_complex *kernel; /* owned; its transform */
	struct tsf_complex *half;   /* owned; exp(-2 pi i k / n), k <= n / 4 */
};

static struct tsf_complex mul(struct tsf_complex a, struct tsf_complex b)
{
	return (struct tsf_complex){a.re * b.re - a.im * b.im,
				    a.re * b.im + a.im * b.re};
}

static struct tsf_complex add(struct tsf_complex a, struct tsf_complex b)
{
	return (struct tsf_complex){a.re + b.re, a.im + b.im};
}

static struct tsf_complex sub(struct tsf_complex a, struct tsf_complex b)
{
	return (struct tsf_complex){a.re - b.re, a.im - b.im};
}

/* exp(-2 pi i k / n): by the nearest eighth of the circle, so that the quarter turns
 * are exact. */
static struct tsf_complex root_of(size_t k, size_t n)
{
	size_t eighth = (8 * k + n / 2) / n;
	double angle = 2.0 * M_PI *
		       ((double)(8 * (long)k - (long)(eighth * n)) / (8.0 * (double)n));
	double c = cos(angle), s = sin(angle), h = M_SQRT1_2;

	switch (eighth % 8) {
	case 0:
		return (struct tsf_complex){c, -s};
	case 1:
		return (struct tsf_complex){h * (c - s), -h * (c + s)};
	case 2:
		return (struct tsf_complex){-s, -c};
	case 3:
		return (struct tsf_complex){-h * (c + s), -h * (c - s)};
	case 4:
		return (struct tsf_complex){-c, s};
	case 5:
		return (struct tsf_complex){-h * (c - s), h * (c + s)};
	case 6:
		return (struct tsf_complex){s, c};
	default:
		return (struct tsf_complex){h * (c + s), h * (c - s)};
	}
}

/* False: a prime above RADIX_MAX is left over. */
static bool stages_plan(struct stages *s, size_t n)
{
	static const size_t primes[] = {4, 2, 3, 5, 7, 11, 13};
	size_t rest = n;

	s->n = n;
	s->n_factors = 0;
	for (size_t p = 0; p < sizeof(primes) / sizeof(primes[0]); p++) {
		while (rest % primes[p] == 0) {
			s->factor[s->n_factors++] = primes[p];
			rest /= primes[p];
		}
	}
	if (rest != 1)
		return false;
	for (size_t k = 0; k < n; k++)
		s->root[k] = root_of(k, n);
	return true;
}

static void radix2(const struct tsf_complex *v, struct tsf_complex *u)
{
	u[0] = add(v[0], v[1]);
	u[1] = sub(v[0], v[1]);
}

static void radix4(const struct tsf_complex *v, struct tsf_complex *u)
{
	struct tsf_complex a = add(v[0], v[2]), b = sub(v[0], v[2]);
	struct tsf_complex c = add(v[1], v[3]), d = sub(v[1], v[3]);

	u[0] = add(a, c);
	u[2] = sub(a, c);
	u[1] = (struct tsf_complex){b.re + d.im, b.im - d.re};
	u[3] = (struct tsf_complex){b.re - d.im, b.im + d.re};
}

/* An odd prime by its definition, pairs k and p - k sharing their products. */
static void radix_odd(const struct stages *s, size_t p, const struct tsf_complex *v,
		      struct tsf_complex *u)
{
	size_t turn = s->n / p;

	u[0] = v[0];
	for (size_t k = 1; k < p; k++)
		u[0] = add(u[0], v[k]);
	for (size_t j = 1; j <= p / 2; j++) {
		struct tsf_complex even = v[0], odd = {0.0, 0.0};

		for (size_t k = 1; k <= p / 2; k++) {
			struct tsf_complex w = s->root[j * k % p * turn];
			struct tsf_complex a = add(v[k], v[p - k]),
					   b = sub(v[k], v[p - k]);

			even = add(even,
				   (struct tsf_complex){w.re * a.re, w.re * a.im});
			odd = add(odd, (struct tsf_complex){-w.im * b.im, w.im * b.re});
		}
		u[j] = add(even, odd);
		u[p - j] = sub(even, odd);
	}
}

/*
 * Stockham, decimation in frequency: with m = n' / p and stride s, the p values m * s
 * apart are combined, turned, and laid side by side for the next stage.
 */
static void stage(const struct stages *t, size_t p, size_t m, size_t stride,
		  const struct tsf_complex *x, struct tsf_complex *y)
{
	struct tsf_complex v[RADIX_MAX], u[RADIX_MAX];

	for (size_t q = 0; q < m; q++) {
		for (size_t r = 0; r < stride; r++) {
			for (size_t k = 0; k < p; k++)
				v[k] = x[r + stride * (q + m * k)];
			if (p == 4)
				radix4(v, u);
			else if (p == 2)
				radix2(v, u);
			else
				radix_odd(t, p, v, u);
			y[r + stride * p * q] = u[0];
			for (size_t k = 1; k < p; k++)
				y[r + stride * (p * q + k)] =
					mul(u[k], t->root[q * k * stride]);
		}
	}
}

/* Transform @a, using @b; returns the one that has the result. */
static struct tsf_complex *transform(const struct stages *s, struct tsf_complex *a,
				     struct tsf_complex *b)
{
	size_t n = s->n, stride = 1;

	for (size_t f = 0; f < s->n_factors; f++) {
		struct tsf_complex *swap = a;
		size_t p = s->factor[f];

		n /= p;
		stage(s, p, n, stride, a, b);
		stride *= p;
		a = b;
		b = swap;
	}
	return a;
}

static void plan_chirp(struct tsf_fft *f)
{
	size_t n = f->length, m = 1;
	struct tsf_complex *done;

	while (m < 2 * n - 1)
		m *= 2;
	(void)stages_plan(&f->power, m);
	memset(f->a, 0, m * sizeof(*f->a));
	for (size_t k = 0; k < n; k++) {
		/* k^2 modulo a whole turn: the argument stays small and exact. */
		f->chirp[k] = root_of(k * k % (2 * n), 2 * n);
		f->a[k] = (struct tsf_complex){f->chirp[k].re, -f->chirp[k].im};
		if (k > 0)
			f->a[m - k] = f->a[k];
	}
	done = transform(&f->power, f->a, f->b);
	memcpy(f->kernel, done, m * sizeof(*done));
}

static void plan(struct tsf_fft *f, size_t n)
{
	f->n = n;
	f->length = n % 2 == 0 ? n / 2 : n;
	f->is_chirp = !stages_plan(&f->direct, f->length);
	if (f->is_chirp)
		plan_chirp(f);
	for (size_t k = 0; n % 2 == 0 && k <= n / 2; k++)
		f->half[k] = root_of(k, n);
}

/* The convolution with the chirp; the inverse transform is one of conjugates. */
static void through_chirp(struct tsf_fft *f, struct tsf_complex *io)
{
	size_t n = f->length, m = f->power.n;
	struct tsf_complex *done, *other;

	for (size_t k = 0; k < n; k++)
		f->a[k] = mul(io[k], f->chirp[k]);
	memset(f->a + n, 0, (m - n) * sizeof(*f->a));
	done = transform(&f->power, f->a, f->b);
	other = done == f->a ? f->b : f->a;
	for (size_t k = 0; k < m; k++) {
		done[k] = mul(done[k], f->kernel[k]);
		done[k].im = -done[k].im;
	}
	done = transform(&f->power, done, other);
	for (size_t k = 0; k < n; k++) {
		struct tsf_complex v = {done[k].re / (double)m,
					-done[k].im / (double)m};

		io[k] = mul(v, f->chirp[k]);
	}
}

static const struct tsf_complex *complex_fft(struct tsf_fft *f)
{
	if (!f->is_chirp)
		return transform(&f->direct, f->z, f->a);
	through_chirp(f, f->z);
	return f->z;
}

void tsf_fft_real(struct tsf_fft *f, const double *x, size_t n, struct tsf_complex *out)
{
	const struct tsf_complex *z;
	size_t h = n / 2;

	if (f->n != n)
		plan(f, n);
	if (n % 2 == 1) {
		for (size_t k = 0; k < n; k++)
			f->z[k] = (struct tsf_complex){x[k], 0.0};
		z = complex_fft(f);
		memcpy(out, z, (h + 1) * sizeof(*z));
		out[0].im = 0.0;
		return;
	}
	/* Even and odd values are the two parts of a series of half the length. */
	for (size_t k = 0; k < h; k++)
		f->z[k] = (struct tsf_complex){x[2 * k], x[2 * k + 1]};
	assert(h > 0);
	z = complex_fft(f);
	for (size_t k = 0; k <= h; k++) {
		struct tsf_complex p = z[k % h], q = z[(h - k) % h];
		struct tsf_complex even = {(p.re + q.re) / 2.0, (p.im - q.im) / 2.0};
		struct tsf_complex odd = {(p.im + q.im) / 2.0, (q.re - p.re) / 2.0};

		out[k] = add(even, mul(odd, f->half[k]));
	}
	out[0].im = 0.0;
	out[h].im = 0.0;
}

int tsf_fft_new(size_t n_max, struct tsf_fft **out)
{
	struct tsf_fft *f = calloc(1, sizeof(*f));
	size_t m = 1;

	if (f == NULL)
		return -ENOMEM;
	while (m < 2 * n_max)
		m *= 2;
	f->n_max = n_max;
	f->direct.root = calloc(n_max, sizeof(*f->a));
	f->power.root = calloc(m, sizeof(*f->a));
	f->a = calloc(m, sizeof(*f->a));
	f->b = calloc(m, sizeof(*f->a));
	f->z = calloc(n_max, sizeof(*f->a));
	f->chirp = calloc(n_max, sizeof(*f->a));
	f->kernel = calloc(m, sizeof(*f->a));
	f->half = calloc(n_max / 2 + 1, sizeof(*f->a));
	if (f->direct.root == NULL || f->power.root == NULL || f->a == NULL ||
	    f->b == NULL || f->z == NULL || f->chirp == NULL || f->kernel == NULL ||
	    f->half == NULL) {
		tsf_fft_free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void tsf_fft_free(struct tsf_fft *f)
{
	if (f == NULL)
		return;
	free(f->direct.root);
	free(f->power.root);
	free(f->a);
	free(f->b);
	free(f->z);
	free(f->chirp);
	free(f->kernel);
	free(f->half);
	free(f);
}
