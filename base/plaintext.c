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
	const char *text;
} entities[] = {
	{"amp", "&"},
	{"lt", "<"},
	{"gt", ">"},
	{"quot", "\""},
	{"apos", "'"},
	{"nbsp", " "},
	{"ndash", "\xe2\x80\x93"},
	{"mdash", "\xe2\x80\x94"},
	{"lsquo", "\xe2\x80\x98"},
	{"rsquo", "\xe2\x80\x99"},
	{"ldquo", "\xe2\x80\x9c"},
	{"rdquo", "\xe2\x80\x9d"},
	{"hellip", "\xe2\x80\xa6"},
	{"euro", "\xe2\x82\xac"},
	{"pound", "\xc2\xa3"},
	{"trade", "\xe2\x84\xa2"},
	{"reg", "\xc2\xae"},
	{"copy", "\xc2\xa9"},
};

/* 0 when it is no character that may stand in a text. */
static size_t put_character(char out[4], uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) ||
	    c > 0x10ffff)
		return 0;
	return utf8_put(out, c);
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
	if (c == '\t' || c == '\n' || c == '\r' || c == 0xa0)
		c = ' ';
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
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		if (strlen(entities[i].name) != len ||
		    memcmp(entities[i].name, at + 1, len) != 0)
			continue;
		len = strlen(entities[i].text);
		memcpy(out, entities[i].text, len);
		return len;
	}
	return 0;
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
