/* feature_source - where the series of `features extract` come from. */
#pragma once
#include "cli/feature_frame.h"
#include "cli/history_source.h"

struct feature_wish {
	const char *column;       /* close or volume */
	bool only_named;          /* a file's other symbols are left out */
	struct history_wish bars; /* the symbol is each row's */
};

/**
 * Bars of the daemon for every row of @f that has no reason yet: an exit code.  A
 * symbol that the daemon has no bars of keeps the reason; one that is not answered at
 * all ends it.
 */
int feature_source_daemon(struct cli *c, const struct feature_wish *wish,
			  struct feature_frame *f);
/**
 * Rows of a CSV file with a header (symbol and the wished column; others are passed
 * over), oldest first per symbol.  0 or a negated errno with a sentence.
 */
int feature_source_csv(const char *path, const struct feature_wish *wish,
		       struct feature_frame *f);
