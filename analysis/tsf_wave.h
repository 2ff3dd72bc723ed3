/* tsf_wave - the sampled wavelets of cwt_coefficients, made once per scratch. */
#pragma once
#include "analysis/tsf_work.h"

#define TSF_CWT_SCALES  4
#define TSF_CWT_DOUBLES (TSF_CWT_SCALES * TSF_CWT_TAPS_MAX)

/** Fill @taps[TSF_CWT_DOUBLES]. */
void tsf_wave_prepare(double *taps);
