/* tsf_name - how many features a line of the table has (its names: tsf.h). */
#pragma once
#include "analysis/tsf_work.h"

size_t tsf_calculator_count(const struct tsf_calculator *c);
