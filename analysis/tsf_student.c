/*
 * tsf_student - Student's two-sided tail by the regularised incomplete beta function:
 *
 *	P(|T| > t) = I_x(df/2, 1/2),  x = df / (df + t^2)
 *
 * with the continued fraction of Abramowitz and Stegun 26.5.8, evaluated from the front
 * (Lentz), on the side where it converges fast.
 */
#include "analysis/tsf_student.h"
#include <float.h>
#include <math.h>

#define STEPS_MAX 2000
#define TINY      1e-300

static double fraction(double a, double b, double x)
{
	double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0), h;

	d = 1.0 / (fabs(d) < TINY ? TINY : d);
	h = d;
	for (int m = 1; m < STEPS_MAX; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd =
			-(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1.0 + even * d;
		c = 1.0 + even / c;
		d = 1.0 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		h *= d * c;
		d = 1.0 + odd * d;
		c = 1.0 + odd / c;
		d = 1.0 / (fabs(d) < TINY ? TINY : d);
		c = fabs(c) < TINY ? TINY : c;
		step = d * c;
		h *= step;
		if (fabs(step - 1.0) < DBL_EPSILON)
			break;
	}
	return h;
}

/* I_x(a, b) with y = 1 - x given apart, so that neither loses its digits. */
static double beta_share(double a, double b, double x, double y)
{
	int sign;
	double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) -
			   lgamma_r(b, &sign) + a * log(x) + b * log(y));

	if (x < (a + 1.0) / (a + b + 2.0))
		return front * fraction(a, b, x) / a;
	return 1.0 - front * fraction(b, a, y) / b;
}

double tsf_student_two_sided(double t, double df)
{
	double tt = t * t;

	if (isnan(t))
		return NAN;
	if (isinf(tt))
		return 0.0;
	if (tt == 0.0)
		return 1.0;
	return beta_share(df / 2.0, 0.5, df / (df + tt), tt / (df + tt));
}
