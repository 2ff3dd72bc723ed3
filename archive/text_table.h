/* text_table - rows as a table for people, on a file. */
#pragma once
#include "archive/duck_rows.h"
#include <stdio.h>

/**
 * Columns are as wide as the first block needs; a later, wider cell sticks out. Numbers
 * stand on the right, a NULL is "NULL", and nothing can move a terminal's cursor.
 */
int text_table_write(FILE *f, struct duck_rows *rows, uint64_t *out_rows);
