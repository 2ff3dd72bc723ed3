/* tsf_table - every calculator with its parameters, in the order of tsfresh. */
#include "analysis/tsf_work.h"

#define DECILES "0.1 0.2 0.3 0.4 0.6 0.7 0.8 0.9"
#define BINS    "2 3 5 10 100"
#define TREND   "\"rvalue\" \"intercept\" \"slope\" \"stderr\""
#define CORRIDOR                                                                       \
	"qh_0.2__ql_0.0 qh_0.4__ql_0.0 qh_0.6__ql_0.0 qh_0.8__ql_0.0 qh_1.0__ql_0.0 "  \
	"qh_0.4__ql_0.2 qh_0.6__ql_0.2 qh_0.8__ql_0.2 qh_1.0__ql_0.2 qh_0.6__ql_0.4 "  \
	"qh_0.8__ql_0.4 qh_1.0__ql_0.4 qh_0.8__ql_0.6 qh_1.0__ql_0.6 qh_1.0__ql_0.8"
/* i * 0.05 as Python prints it: the noise of the last digit is part of the name. */
#define TWENTIETHS                                                                     \
	"0.05 0.1 0.15000000000000002 0.2 0.25 0.30000000000000004 "                   \
	"0.35000000000000003 0.4 0.45 0.5 0.55 0.6000000000000001 0.65 "               \
	"0.7000000000000001 0.75 0.8 0.8500000000000001 0.9 0.9500000000000001"

#define ONE(name, fn)                                                                  \
	{                                                                              \
		name, "", {0}, fn, TSF_EFFICIENT                                       \
	}
#define MINIMAL(name, fn)                                                              \
	{                                                                              \
		name, "", {0}, fn, TSF_MINIMAL                                         \
	}

/* clang-format off */
const struct tsf_calculator tsf_table[] = {
	ONE("variance_larger_than_standard_deviation", tsf_variance_larger),
	ONE("has_duplicate_max", tsf_has_duplicate_max),
	ONE("has_duplicate_min", tsf_has_duplicate_min),
	ONE("has_duplicate", tsf_has_duplicate),
	MINIMAL("sum_values", tsf_sum_values),
	ONE("abs_energy", tsf_abs_energy),
	ONE("mean_abs_change", tsf_mean_abs_change),
	ONE("mean_change", tsf_mean_change),
	ONE("mean_second_derivative_central", tsf_mean_second_derivative),
	MINIMAL("median", tsf_median_value),
	MINIMAL("mean", tsf_mean_value),
	MINIMAL("length", tsf_length),
	MINIMAL("standard_deviation", tsf_standard_deviation),
	ONE("variation_coefficient", tsf_variation_coefficient),
	MINIMAL("variance", tsf_variance),
	ONE("skewness", tsf_skewness),
	ONE("kurtosis", tsf_kurtosis),
	MINIMAL("root_mean_square", tsf_root_mean_square),
	ONE("absolute_sum_of_changes", tsf_absolute_sum_of_changes),
	ONE("longest_strike_below_mean", tsf_strike_below),
	ONE("longest_strike_above_mean", tsf_strike_above),
	ONE("count_above_mean", tsf_count_above_mean),
	ONE("count_below_mean", tsf_count_below_mean),
	ONE("last_location_of_maximum", tsf_last_max),
	ONE("first_location_of_maximum", tsf_first_max),
	ONE("last_location_of_minimum", tsf_last_min),
	ONE("first_location_of_minimum", tsf_first_min),
	ONE("percentage_of_reoccurring_values_to_all_values", tsf_reoccurring_values),
	ONE("percentage_of_reoccurring_datapoints_to_all_datapoints",
	    tsf_reoccurring_points),
	ONE("sum_of_reoccurring_values", tsf_sum_reoccurring_values),
	ONE("sum_of_reoccurring_data_points", tsf_sum_reoccurring_points),
	ONE("ratio_value_number_to_time_series_length", tsf_ratio_values),
	{"sample_entropy", "", {0}, tsf_sample_entropy, TSF_COMPREHENSIVE},
	MINIMAL("maximum", tsf_maximum),
	MINIMAL("absolute_maximum", tsf_absolute_maximum),
	MINIMAL("minimum", tsf_minimum),
	ONE("benford_correlation", tsf_benford),
	{"time_reversal_asymmetry_statistic", "lag_$1", {"1..3"}, tsf_time_reversal,
	 TSF_EFFICIENT},
	{"c3", "lag_$1", {"1..3"}, tsf_c3, TSF_EFFICIENT},
	{"cid_ce", "normalize_$1", {"True False"}, tsf_cid_ce, TSF_EFFICIENT},
	{"symmetry_looking", "r_$1", {"0.0 " TWENTIETHS}, tsf_symmetry, TSF_EFFICIENT},
	{"large_standard_deviation", "r_$1", {TWENTIETHS},
	 tsf_large_standard_deviation, TSF_EFFICIENT},
	{"quantile", "q_$1", {DECILES}, tsf_quantiles, TSF_EFFICIENT},
	{"autocorrelation", "lag_$1", {"0..9"}, tsf_autocorrelation, TSF_EFFICIENT},
	{"agg_autocorrelation", "f_agg_$1__maxlag_40",
	 {"\"mean\" \"median\" \"var\""}, tsf_agg_autocorrelation, TSF_EFFICIENT},
	{"partial_autocorrelation", "lag_$1", {"0..9"}, tsf_partial_autocorrelation,
	 TSF_EFFICIENT},
	{"number_cwt_peaks", "n_$1", {"1 5"}, tsf_cwt_peaks, TSF_EFFICIENT},
	{"number_peaks", "n_$1", {"1 3 5 10 50"}, tsf_number_peaks, TSF_EFFICIENT},
	{"binned_entropy", "max_bins_10", {0}, tsf_binned_entropy_10, TSF_EFFICIENT},
	{"index_mass_quantile", "q_$1", {DECILES}, tsf_index_mass, TSF_EFFICIENT},
	{"cwt_coefficients", "coeff_$1__w_$2__widths_(2, 5, 10, 20)",
	 {"0..14", "2 5 10 20"}, tsf_cwt_coefficients, TSF_EFFICIENT},
	{"spkt_welch_density", "coeff_$1", {"2 5 8"}, tsf_welch, TSF_EFFICIENT},
	{"ar_coefficient", "coeff_$1__k_10", {"0..10"}, tsf_ar_coefficient,
	 TSF_EFFICIENT},
	{"change_quantiles", "f_agg_$3__isabs_$2__$1",
	 {CORRIDOR, "False True", "\"mean\" \"var\""}, tsf_change_quantiles,
	 TSF_EFFICIENT},
	{"fft_coefficient", "attr_$1__coeff_$2",
	 {"\"real\" \"imag\" \"abs\" \"angle\"", "0..99"}, tsf_fft_coefficient,
	 TSF_EFFICIENT},
	{"fft_aggregated", "aggtype_$1",
	 {"\"centroid\" \"variance\" \"skew\" \"kurtosis\""}, tsf_fft_aggregated,
	 TSF_EFFICIENT},
	{"value_count", "value_$1", {"0 1 -1"}, tsf_value_count, TSF_EFFICIENT},
	{"range_count", "max_$1",
	 {"1__min_-1 0__min_-1000000000000.0 1000000000000.0__min_0"},
	 tsf_range_count, TSF_EFFICIENT},
	{"approximate_entropy", "m_2__r_$1", {"0.1 0.3 0.5 0.7 0.9"},
	 tsf_approximate_entropy, TSF_COMPREHENSIVE},
	{"friedrich_coefficients", "coeff_$1__m_3__r_30", {"0..3"}, tsf_friedrich,
	 TSF_EFFICIENT},
	{"max_langevin_fixed_point", "m_3__r_30", {0}, tsf_langevin, TSF_EFFICIENT},
	{"linear_trend", "attr_$1", {"\"pvalue\" " TREND}, tsf_linear_trend,
	 TSF_EFFICIENT},
	{"agg_linear_trend", "attr_$1__chunk_len_$2__f_agg_$3",
	 {TREND, "5 10 50", "\"max\" \"min\" \"mean\" \"var\""}, tsf_agg_linear_trend,
	 TSF_EFFICIENT},
	{"augmented_dickey_fuller", "attr_$1__autolag_\"AIC\"",
	 {"\"teststat\" \"pvalue\" \"usedlag\""}, tsf_dickey_fuller, TSF_EFFICIENT},
	{"number_crossing_m", "m_$1", {"0 -1 1"}, tsf_crossings, TSF_EFFICIENT},
	{"energy_ratio_by_chunks", "num_segments_10__segment_focus_$1", {"0..9"},
	 tsf_energy_ratio, TSF_EFFICIENT},
	{"ratio_beyond_r_sigma", "r_$1", {"0.5 1 1.5 2 2.5 3 5 6 7 10"},
	 tsf_ratio_beyond, TSF_EFFICIENT},
	{"count_above", "t_0", {0}, tsf_count_above, TSF_EFFICIENT},
	{"count_below", "t_0", {0}, tsf_count_below, TSF_EFFICIENT},
	{"lempel_ziv_complexity", "bins_$1", {BINS}, tsf_lempel_ziv, TSF_EFFICIENT},
	{"fourier_entropy", "bins_$1", {BINS}, tsf_fourier_entropy, TSF_EFFICIENT},
	{"permutation_entropy", "dimension_$1__tau_1", {"3..7"},
	 tsf_permutation_entropy, TSF_EFFICIENT},
	{"query_similarity_count", "query_None__threshold_0.0", {0},
	 tsf_query_similarity, TSF_EFFICIENT},
	{"mean_n_absolute_max", "number_of_maxima_7", {0}, tsf_mean_n_absolute_max,
	 TSF_EFFICIENT},
};
/* clang-format on */
const size_t tsf_table_len = sizeof(tsf_table) / sizeof(tsf_table[0]);
