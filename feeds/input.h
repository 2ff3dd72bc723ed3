/* input - the bytes of a named file, a pipe or standard input, as they lie there. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** A descriptor, "-" being a copy of standard input's; negated errno with a sentence.
 */
int input_open(const char *path);
/** Up to @cap bytes; 0 of them only at the end.  Negated errno with a sentence. */
int input_read(int fd, void *data, size_t cap, size_t *out_n);
/** The bytes of a regular file; 0: unknown. */
uint64_t input_size(int fd);
