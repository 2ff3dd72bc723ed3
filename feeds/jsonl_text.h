/*
 * jsonl_text - the strings of a JSON line.  A string without escapes is given as it
 * lies in the line; others are written to scratch, which is as long as the line:
 * undoing escapes never makes a text longer.
 */
#pragma once
#include "feeds/mapping.h"

struct jsonl_text {
	const char *at, *end; /* what is left of the line */
	char *scratch;        /* owned by the reader */
	size_t scratch_cap, scratch_len;
};

/**
 * The string that begins at `at`, behind its opening quote; `at` moves behind the
 * closing one.  NULL, or why it is none.
 */
const char *jsonl_string(struct jsonl_text *j, struct mapping_text *out);
