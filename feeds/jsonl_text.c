/* jsonl_text - escapes undone, UTF-8 checked. */
#include "feeds/jsonl_text.h"
#include "base/utf8.h"
#include <string.h>

static int hex4(const char *s, const char *end, unsigned *out)
{
	unsigned v = 0;

	if (end - s < 4)
		return 1;
	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)s[i];
		unsigned digit;

		if (c - '0' <= 9)
			digit = c - '0';
		else if ((c | 32) - 'a' <= 5)
			digit = (c | 32) - 'a' + 10;
		else
			return 1;
		v = v << 4 | digit;
	}
	*out = v;
	return 0;
}

static char *put_utf8(char *to, unsigned cp)
{
	if (cp < 0x80) {
		*to++ = (char)cp;
	} else if (cp < 0x800) {
		*to++ = (char)(0xc0 | cp >> 6);
		*to++ = (char)(0x80 | (cp & 63));
	} else if (cp < 0x10000) {
		*to++ = (char)(0xe0 | cp >> 12);
		*to++ = (char)(0x80 | (cp >> 6 & 63));
		*to++ = (char)(0x80 | (cp & 63));
	} else {
		*to++ = (char)(0xf0 | cp >> 18);
		*to++ = (char)(0x80 | (cp >> 12 & 63));
		*to++ = (char)(0x80 | (cp >> 6 & 63));
		*to++ = (char)(0x80 | (cp & 63));
	}
	return to;
}

/* "\u...." with `at` on the u; pairs of surrogates make one character. */
static const char *unicode(struct jsonl_text *j, char **to)
{
	unsigned cp = 0, low = 0;

	if (hex4(j->at + 1, j->end, &cp) != 0)
		return "a \\u escape is broken";
	j->at += 5;
	if (cp >= 0xd800 && cp < 0xdc00) {
		if (j->end - j->at < 6 || j->at[0] != '\\' || j->at[1] != 'u' ||
		    hex4(j->at + 2, j->end, &low) != 0 || low < 0xdc00 || low > 0xdfff)
			return "a surrogate stands alone";
		j->at += 6;
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	} else if (cp >= 0xdc00 && cp < 0xe000) {
		return "a surrogate stands alone";
	}
	*to = put_utf8(*to, cp);
	return NULL;
}

static const char *escape(struct jsonl_text *j, char **to)
{
	static const char plain[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (j->at == j->end)
		return "a string is not closed";
	if (*j->at == 'u')
		return unicode(j, to);
	p = memchr(plain, *j->at, sizeof(plain) - 1);
	if (!p)
		return "an escape is unknown";
	*(*to)++ = means[p - plain];
	j->at++;
	return NULL;
}

/* `at` is behind the opening quote.  Escapes never make a text longer. */
const char *jsonl_string(struct jsonl_text *j, struct mapping_text *out)
{
	const char *from = j->at, *why;
	char *to, *begin;

	while (j->at < j->end && *j->at != '"' && *j->at != '\\' &&
	       (unsigned char)*j->at >= ' ' && (unsigned char)*j->at < 0x80)
		j->at++;
	if (j->at < j->end && *j->at == '"') {
		*out = (struct mapping_text){from, (size_t)(j->at++ - from)};
		return NULL;
	}

	begin = j->scratch + j->scratch_len;
	to = begin;
	memcpy(to, from, (size_t)(j->at - from));
	to += j->at - from;
	while (j->at < j->end && *j->at != '"') {
		size_t n = utf8_len(j->at, (size_t)(j->end - j->at));

		if ((unsigned char)*j->at < ' ')
			return "a string holds a control character";
		if (n == 0)
			return "a string is not UTF-8";
		if (*j->at == '\\') {
			j->at++;
			why = escape(j, &to);
			if (why)
				return why;
			continue;
		}
		memcpy(to, j->at, n);
		to += n;
		j->at += n;
	}
	if (j->at == j->end)
		return "a string is not closed";
	j->at++;
	*out = (struct mapping_text){begin, (size_t)(to - begin)};
	j->scratch_len += (size_t)(to - begin);
	return NULL;
}
