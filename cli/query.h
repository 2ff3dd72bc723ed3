/*
 * query - a command of the admin protocol, asked and answered.
 *
 * Answers are read with the pull scanner and never become a tree: a matrix or a
 * stretch of the log may be far larger than a control document should be.
 */
#pragma once
#include "cli/cli.h"
#include "proto/json_scan.h"
#include <stdio.h>

struct query {
	char *text;               /* owned: the daemon's whole line */
	struct json_token result; /* of "result"; points into text */
};

/**
 * Send {"cmd": ...} as @request and keep the result.  CLI_OK, or the exit code after
 * the reason has been printed: CLI_NEGATIVE with the daemon's own sentence.
 */
int query_run(struct cli *c, const char *request, struct query *out);
/** The same, but the daemon's no is not printed: its sentence goes to @reason. */
int query_try(struct cli *c, const char *request, struct query *out, char *reason,
	      size_t cap);
/** As query_run() for a command with one argument or (@key NULL) none. */
int query_ask(struct cli *c, const char *cmd, const char *key, const char *value,
	      struct query *out);
void query_free(struct query *q);

/** Member @key of an object, or element @i of an array; false when it is not there. */
bool query_member(const struct json_token *object, const char *key,
		  struct json_token *out);

/** Goes through the members of an object or the elements of an array. */
struct query_walk {
	struct json_scan scan;
	bool is_object;
	bool began;
};
/** False when @value is neither. */
bool query_walk(struct query_walk *w, const struct json_token *value);
/** The next one (@out_key is untouched in an array); false at the end. */
bool query_next(struct query_walk *w, struct json_token *out_key,
		struct json_token *out);

/** The text of a token as a person reads it: strings without quotes and escapes, null
 * as "-"; cut at @cap - 1 and NUL ended.  Returns @buf. */
const char *query_text(const struct json_token *t, char *buf, size_t cap);
/** The text of member @key of an object; "" when there is none.  Returns
 * @buf. */
const char *query_field(const struct json_token *object, const char *key, char *buf,
			size_t cap);
/** A number or a string of digits; @otherwise when it is neither. */
double query_number(const struct json_token *t, double otherwise);

/** The array in an object that has just one ({"symbols": [...]}), else @result itself.
 */
struct json_token query_rows(const struct json_token *result);
/** A text that stands alone, or as the first long string of an object. */
bool query_find_text(const struct json_token *result, struct json_token *out);
/** Print a string as it is, escapes resolved, with a line end. */
void query_print_text(FILE *out, const struct json_token *text);
