/* portfolio_file - what is held, from a CSV file. */
#pragma once
#include "report/portfolio.h"

/**
 * Add the lots in @path to @out: columns symbol, quantity and, if it is there,
 * cost_basis (of the whole lot), in any order, others passed over.  A line that cannot
 * be used is refused with its number (portfolio_refuse()); the rest counts.
 *
 * 0, or a negated errno with a sentence: no such file, no such columns, not readable.
 */
int portfolio_file_read(const char *path, struct portfolio *out);
