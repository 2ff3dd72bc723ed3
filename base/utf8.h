/* utf8 - what a byte sequence must look like (RFC 3629: no surrogates, shortest form).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** Length (1..4) of the valid sequence at @s of @len > 0 bytes, or 0 if there is none.
 */
size_t utf8_len(const char *s, size_t len);
/** Write the character @c, at most U+10FFFF and no surrogate; returns its 1..4 bytes.
 */
size_t utf8_put(char out[4], uint32_t c);
/** Text that may quote strangers, made fit to be printed: what is no UTF-8 becomes '?',
 *  control characters become spaces, but for those in @keep (NULL: none).
 */
void utf8_clean(char *s, size_t len, const char *keep);
