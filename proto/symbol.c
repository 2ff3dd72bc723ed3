/*
 * symbol - one table of allowed characters for each of the two kinds of name.
 */
#include "proto/symbol.h"
#include <stdint.h>
#include <string.h>

enum { IN_SYMBOL = 1, IN_SOURCE = 2 };

/* clang-format off */
static const uint8_t allowed[256] = {
	['A' ... 'Z'] = IN_SYMBOL,
	['a' ... 'z'] = IN_SOURCE,
	['0' ... '9'] = IN_SYMBOL | IN_SOURCE,
	['.'] = IN_SYMBOL | IN_SOURCE,
	['_'] = IN_SYMBOL | IN_SOURCE,
	['-'] = IN_SYMBOL | IN_SOURCE,
	[':'] = IN_SYMBOL,
	['/'] = IN_SYMBOL,
	['='] = IN_SYMBOL,
	['%'] = IN_SYMBOL,
};
/* clang-format on */

static bool all(const char *s, size_t len, uint8_t mask)
{
	uint8_t ok = mask;

	for (size_t i = 0; i < len; i++)
		ok &= allowed[(uint8_t)s[i]];
	return ok != 0;
}

bool symbol_valid(const char *s, size_t len)
{
	if (len == 0 || len > SYMBOL_MAX)
		return false;
	if (s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.')))
		return false;
	return all(s, len, IN_SYMBOL);
}

bool source_valid(const char *s, size_t len)
{
	return len > 0 && len <= SOURCE_MAX && all(s, len, IN_SOURCE);
}

size_t symbol_field_len(const char *field, size_t max)
{
	return strnlen(field, max);
}

static bool escaped(char c, size_t at)
{
	return c == '/' || c == '%' || c == '=' || (c == '.' && at == 0);
}

size_t symbol_path(const char *s, size_t len, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < len && i < SYMBOL_MAX; i++) {
		if (!escaped(s[i], i)) {
			out[n++] = s[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[(uint8_t)s[i] >> 4];
		out[n++] = hex[(uint8_t)s[i] & 15];
	}
	out[n] = '\0';
	return n;
}

/* Only the four characters that symbol_path() escapes, in its upper case. */
static int unescape(const char *s)
{
	if (memcmp(s, "2F", 2) == 0)
		return '/';
	if (memcmp(s, "25", 2) == 0)
		return '%';
	if (memcmp(s, "3D", 2) == 0)
		return '=';
	if (memcmp(s, "2E", 2) == 0)
		return '.';
	return -1;
}

bool symbol_unpath(const char *path, char out[SYMBOL_MAX + 1])
{
	size_t len = strnlen(path, 3 * SYMBOL_MAX + 1);
	char name[SYMBOL_MAX + 1] = {0};
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (uint8_t)path[i];

		if (n == SYMBOL_MAX)
			return false;
		if (c == '%') {
			if (len - i < 3)
				return false;
			c = unescape(path + i + 1);
			if (c < 0 || !escaped((char)c, n))
				return false;
			i += 2;
		} else if (escaped((char)c, n)) {
			return false;
		}
		name[n++] = (char)c;
	}
	if (!symbol_valid(name, n))
		return false;
	memcpy(out, name, sizeof(name));
	return true;
}
