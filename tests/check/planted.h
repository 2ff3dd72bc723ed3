/*
 * planted - bugs to be planted in the chronicle of a clean run, each with the rule that
 * must name it.
 */
#pragma once
#include "tests/check/check.h"

struct planted {
	const char *name;
	void (*plant)(struct chronicle *c);
	enum check_rule rule;
	bool of_loss; /* in a run in which normal durability lost something */
};

extern const struct planted planted_bugs[];
extern const size_t planted_n;
