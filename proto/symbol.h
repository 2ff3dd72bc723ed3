/*
 * symbol - names of instruments and sources: what is allowed, and in paths.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define SYMBOL_MAX 32 /* characters; a field of this size needs no NUL */
#define SOURCE_MAX 16

/** [A-Z0-9._:/=%-]{1,32}, and not "." or "..". */
bool symbol_valid(const char *s, size_t len);
/** [a-z0-9._-]{1,16}. */
bool source_valid(const char *s, size_t len);
/** Length of a NUL-padded field of @max characters. */
size_t symbol_field_len(const char *field, size_t max);
/**
 * A file name for the symbol: '/', '=', '%' and a leading '.' become %XX, as readers of
 * hive partitions (symbol=EURUSD%3DX) decode them.
 * @out has room for 3 * SYMBOL_MAX + 1 bytes.  Returns the length.
 */
size_t symbol_path(const char *s, size_t len, char *out);
/** The reverse; false when @path is not the escape of a valid symbol. */
bool symbol_unpath(const char *path, char out[SYMBOL_MAX + 1]);
