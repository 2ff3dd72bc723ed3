/*
 * sentiment_words - a text into words, in the three ways of the flavours.
 *
 * original:  split at white space; punctuation goes from both ends unless 2 characters
 *            or fewer would be left, so that emoticons live
 * port:      split at white space; what is one UTF-16 unit long is dropped; one mark
 *            of a list goes from one end, and only if the rest has none
 * finance:   as the original, but typographic quotes and dashes are punctuation too, a
 *            possessive 's goes, and numbers keep sign and percent for sentiment_join
 */
#include "analysis/sentiment_parts.h"
#include "base/utf8.h"
#include <string.h>

static bool is_punctuation(char c)
{
	return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
	       (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* The code point at @s, and its length; a byte that is no UTF-8 stands for itself. */
static uint32_t character(const char *s, size_t len, size_t *n)
{
	const uint8_t *u = (const uint8_t *)s;

	*n = utf8_len(s, len);
	switch (*n) {
	case 2:
		return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	case 3:
		return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
	case 4:
		return (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 |
		       (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
	default:
		*n = 1;
		return u[0];
	}
}

/* White space as JavaScript's \s and Python's split() have it; they differ in U+FEFF
 * and in the separators of files, U+001C to U+001F and U+0085. */
static bool is_space(uint32_t c, bool port)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r') ||
		       (!port && c >= 0x1c && c <= 0x1f);
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000 || (port ? c == 0xfeff : c == 0x85);
}

static size_t utf16_units(const char *s, size_t len)
{
	size_t units = 0, n;

	for (size_t i = 0; i < len; i += n)
		units += character(s + i, len - i, &n) > 0xffff ? 2 : 1;
	return units;
}

static size_t characters(const char *s, size_t len)
{
	size_t count = 0, n;

	for (size_t i = 0; i < len; i += n, count++)
		(void)character(s + i, len - i, &n);
	return count;
}

/* The port: marks that may go from one end of a word. */
static const char *const marks[] = {"!?!?", "?!?!", "!!!", "???", "?!?", "!?!",
				    "!!",   "??",   ".",   "!",   "?",   ",",
				    ";",    ":",    "-",   "'",   "\""};

static bool is_mark(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strlen(marks[i]) == len && memcmp(marks[i], s, len) == 0)
			return true;
	return false;
}

static bool cut_port(const char **s, size_t *len)
{
	const char *at = *s;
	size_t before = 0, after = 0, n = *len;

	if (utf16_units(at, n) <= 1)
		return false;
	while (before < n && is_punctuation(at[before]))
		before++;
	while (after < n - before && is_punctuation(at[n - 1 - after]))
		after++;
	if ((before == 0) == (after == 0))
		return true;
	for (size_t i = before; i < n - after; i++)
		if (is_punctuation(at[i]))
			return true;
	if (!is_mark(before > 0 ? at : at + n - after, before + after) ||
	    utf16_units(at + before, n - before - after) <= 1)
		return true;
	*s = at + before;
	*len = n - before - after;
	return true;
}

static void cut_original(const char **s, size_t *len)
{
	const char *at = *s;
	size_t n = *len;

	while (n > 0 && is_punctuation(*at))
		at++, n--;
	while (n > 0 && is_punctuation(at[n - 1]))
		n--;
	if (characters(at, n) <= 2)
		return;
	*s = at;
	*len = n;
}

/* Quotes, dashes, dots: U+2010 to U+2027. */
static bool is_typographic(const char *s)
{
	const uint8_t *u = (const uint8_t *)s;

	return u[0] == 0xe2 && u[1] == 0x80 && u[2] >= 0x90 && u[2] <= 0xa7;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* What finance cuts from an end: all but what a number needs. */
static void cut_finance(const char **s, size_t *len)
{
	const char *at = *s;
	size_t n = *len;

	while (n > 0) {
		size_t cut = n >= 3 && is_typographic(at) ? 3
			     : is_punctuation(*at)        ? 1
							  : 0;
		bool is_number =
			n > 1 && strchr("+-$.", *at) != NULL &&
			(is_digit(at[1]) || (n > 2 && at[1] == '$' && is_digit(at[2])));

		if (cut == 0 || is_number)
			break;
		at += cut;
		n -= cut;
	}
	while (n > 0) {
		size_t cut = n >= 3 && is_typographic(at + n - 3) ? 3
			     : is_punctuation(at[n - 1])          ? 1
								  : 0;

		if (cut == 0 || (n > 1 && at[n - 1] == '%' && is_digit(at[n - 2])))
			break;
		n -= cut;
	}
	if (n > 2 && at[n - 1] == 's' && at[n - 2] == '\'')
		n -= 2;
	else if (n > 4 && at[n - 1] == 's' &&
		 memcmp(at + n - 4, "\xe2\x80\x99", 3) == 0)
		n -= 4;
	/* An emoticon is nothing but marks; the original's rule keeps it. */
	if (n == 0)
		return;
	*s = at;
	*len = n;
}

static void fill(struct sentiment *s, struct sentiment_word *w, char *lower)
{
	bool has_capital = false, has_small = false;

	for (uint32_t i = 0; i < w->len; i++) {
		char c = w->text[i];

		has_capital = has_capital || (c >= 'A' && c <= 'Z');
		has_small = has_small || (c >= 'a' && c <= 'z');
		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	w->lower = lower;
	w->match = s->rules->ignores_case ? lower : w->text;
	w->is_upper = has_capital && !has_small;
	w->is_known = lexicon_find(s->lexicon, lower, w->len, &w->valence);
	w->is_booster = lexicon_find(s->boosters, lower, w->len, &w->boost);
	w->negates = lexicon_find(s->negations, w->match, w->len, &(double){0}) ||
		     memmem(w->match, w->len, "n't", 3) != NULL;
}

void sentiment_split(struct sentiment *s, const char *text, size_t len)
{
	bool port = s->rules->port_words;
	size_t at = 0, n;

	s->n = 0;
	while (at < len) {
		struct sentiment_word *w = &s->words[s->n];
		const char *word;
		size_t word_len, begin;

		while (at < len && is_space(character(text + at, len - at, &n), port))
			at += n;
		begin = at;
		while (at < len && !is_space(character(text + at, len - at, &n), port))
			at += n;
		word = text + begin;
		word_len = at - begin;
		if (word_len == 0 || (port && !cut_port(&word, &word_len)))
			continue;
		if (s->flavour == SENTIMENT_FINANCE)
			cut_finance(&word, &word_len);
		else if (!port)
			cut_original(&word, &word_len);
		*w = (struct sentiment_word){.text = word, .len = (uint32_t)word_len};
		w->is_bracketed = word > text && word[-1] == '(' &&
				  word + word_len < text + len && word[word_len] == ')';
		fill(s, w, s->lower + (word - text));
		s->n++;
	}
}

bool sentiment_word_is(const struct sentiment_word *w, const char *text)
{
	return strlen(text) == w->len && memcmp(w->match, text, w->len) == 0;
}

bool sentiment_spells(const struct sentiment_word *w, size_t n, const char *phrase)
{
	for (size_t i = 0; i < n; i++) {
		const char *stop = strchr(phrase, ' ');
		size_t len = stop == NULL ? strlen(phrase) : (size_t)(stop - phrase);

		if ((stop == NULL) != (i == n - 1) || w[i].len != len ||
		    memcmp(w[i].match, phrase, len) != 0)
			return false;
		phrase += len + 1;
	}
	return n > 0;
}
