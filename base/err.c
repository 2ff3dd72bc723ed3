/*
 * err - the last sentence of each thread.
 */
#include "base/err.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef err_set /* the analyzer's, see err.h */

static _Thread_local char err_sentence[ERR_TEXT_MAX];

/* A damaged database or a stranger's request may be quoted; SQL's errors have lines. */
static void keep(char text[ERR_TEXT_MAX])
{
	utf8_clean(text, strlen(text), "\n\t");
	memcpy(err_sentence, text, ERR_TEXT_MAX);
}

int err_set(int rc, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	/* Through a second buffer, since an argument may be err_text() itself. */
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	keep(text);
	return rc;
}

int err_prefix(int rc, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	size_t at, rest;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return rc;

	/* The cause is kept whole as long as there is room; the tail goes first. */
	at = (size_t)n < sizeof(text) - 3 ? (size_t)n : sizeof(text) - 3;
	memcpy(text + at, ": ", 2);
	rest = strnlen(err_sentence, sizeof(text) - at - 3);
	memcpy(text + at + 2, err_sentence, rest);
	text[at + 2 + rest] = 0;
	keep(text);
	return rc;
}

const char *err_text(void)
{
	return err_sentence;
}
