/* plaintext - one pass, reading ahead of where it writes. */
#include "base/plaintext.h"
#include "base/utf8.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TAG_MAX    400
#define ENTITY_MAX 10

static const struct {
	const char *name;
	uint32_t c;
} entities[] = {
#define X(name, c) {#name, c},
#include "base/entities.def"
#undef X
};
#define N_ENTITIES (sizeof(entities) / sizeof(entities[0]))

/* What pages mean by the numbers 128 to 159: windows-1252, as browsers take them. */
static const uint16_t windows[32] = {
	0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
	0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0,      0x17d,  0,
	0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178};

/* 0 when it is no character that may stand in a text. */
static size_t put_character(char out[4], uint32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r' || c == 0xa0)
		c = ' ';
	if (c >= 0x80 && c < 0xa0)
		c = windows[c - 0x80];
	if (c < 0x20 || c == 0x7f || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	return utf8_put(out, c);
}

static size_t named(const char *name, size_t len, char out[4])
{
	size_t low = 0, high = N_ENTITIES;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strncmp(entities[mid].name, name, len);

		if (order == 0)
			order = entities[mid].name[len] != '\0';
		if (order == 0)
			return put_character(out, entities[mid].c);
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

static size_t numeric(const char *digits, size_t len, char out[4])
{
	bool is_hex = len > 1 && (*digits | 32) == 'x';
	uint32_t c = 0;

	if (len == (size_t)is_hex)
		return 0;
	for (size_t i = is_hex; i < len; i++) {
		unsigned char d = (unsigned char)digits[i];
		unsigned v = d - '0';

		if (v > 9)
			v = is_hex && (d | 32) >= 'a' && (d | 32) <= 'f'
				    ? (d | 32u) - 'a' + 10
				    : 99;
		if (v == 99 || c > 0x10ffff)
			return 0;
		c = c * (is_hex ? 16 : 10) + v;
	}
	return put_character(out, c);
}

/* At a '&': the entity's text in @out and its length; *@step bytes were read. */
static size_t entity(const char *at, char out[4], size_t *step)
{
	const char *end = memchr(at, ';', strnlen(at, ENTITY_MAX));
	size_t len;

	if (!end)
		return 0;
	len = (size_t)(end - at) - 1;
	*step = len + 2;
	if (len > 1 && at[1] == '#')
		return numeric(at + 2, len - 1, out);
	return named(at + 1, len, out);
}

/* At a '<': the length of the tag, 0 when it is none. */
static size_t tag(const char *at)
{
	char c = at[1];
	const char *end;

	if (!(c == '/' || c == '!' || ((c | 32) >= 'a' && (c | 32) <= 'z')))
		return 0;
	end = memchr(at, '>', strnlen(at, TAG_MAX));
	return end ? (size_t)(end - at) + 1 : 0;
}

size_t plaintext(char *text)
{
	const char *at = text;
	char *to = text;

	while (*at) {
		char out[4] = {*at};
		size_t step = 1, len = 1;

		if (*at == '&') {
			len = entity(at, out, &step);
			if (len == 0) {
				out[0] = '&';
				len = step = 1;
			}
		} else if (*at == '<' && tag(at) > 0) {
			step = tag(at);
			out[0] = ' ';
		}
		at += step;
		if ((unsigned char)out[0] <= ' ') {
			if (to == text || to[-1] == ' ')
				continue;
			out[0] = ' ';
			len = 1;
		}
		memmove(to, out, len);
		to += len;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	return (size_t)(to - text);
}

void plaintext_cut(const char *text, char *out, size_t cap)
{
	size_t len = strlen(text), n = 0;

	while (n < len) {
		size_t one = utf8_len(text + n, len - n);

		one += one == 0;
		if (n + one >= cap)
			break;
		n += one;
	}
	memcpy(out, text, n);
	out[n] = '\0';
}

size_t plaintext_all(char *text)
{
	size_t len = strlen(text), was;
	int rounds = 0;

	do {
		was = len;
		len = plaintext(text);
	} while (len != was && ++rounds < PLAINTEXT_ROUNDS);
	return len;
}
