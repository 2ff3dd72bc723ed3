/* tsf_student - how likely a t statistic is under no effect. */
#pragma once

/** P(abs(T) > abs(t)) of Student's distribution with @df > 0 degrees of freedom. */
double tsf_student_two_sided(double t, double df);
