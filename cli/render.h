/*
 * render - any JSON value as a person wants to read it.
 *
 *	an object           one "key  value" per line, nested keys dotted
 *	an array of objects  a table: a column per key, numbers to the right
 *	an array otherwise   its elements side by side
 *
 * So a field that a newer daemon adds is shown by an older tickbusctl.
 */
#pragma once
#include "proto/json_scan.h"
#include <stdio.h>

#define RENDER_COLUMNS_MAX 48
#define RENDER_CELL_MAX    96

void render_value(FILE *out, const struct json_token *value);
/** The array @rows of objects as a table; returns how many rows it had. */
size_t render_table(FILE *out, const struct json_token *rows);
/** Of the columns @names (NULL ended), in that order, those that hold anything. */
size_t render_picked(FILE *out, const struct json_token *rows,
		     const char *const *names);
/** The whole table as comma-separated values, quoted where needed. */
size_t render_csv(FILE *out, const struct json_token *rows, bool with_header);
