/* utf8 - what a byte sequence must look like (RFC 3629: no surrogates, shortest form).
 */
#pragma once
#include <stddef.h>

/** Length (1..4) of the valid sequence at @s of @len > 0 bytes, or 0 if there is none.
 */
size_t utf8_len(const char *s, size_t len);
