/* vendor_keys - where keys go, and where they must not: headers, and reasons. */
#include "base/err.h"
#include "feeds/vendor_parts.h"
#include <stdio.h>
#include <string.h>

void vendor_request_free(struct vendor_request *r)
{
	buf_free(&r->target);
	buf_free(&r->form);
	secret_wipe(&r->headers);
	*r = (struct vendor_request){0};
}

void vendor_header(struct buf *headers, const char *name, const char *prefix,
		   const struct secret *key)
{
	if (!key)
		return;
	/* Growing would leave a copy of an earlier key behind in freed memory. */
	if (headers->cap == 0)
		(void)buf_reserve(headers, 4096);
	buf_printf(headers, "%s: %s", name, prefix);
	secret_add(key, headers);
	buf_add(headers, "", 1);
}

enum vendor_verdict vendor_verdict_of(long status)
{
	switch (status) {
	case 200:
		return VENDOR_GARBLED;
	case 401:
		return VENDOR_AUTH;
	case 403:
		return VENDOR_FORBIDDEN;
	case 408:
	case 425:
		return VENDOR_RETRY;
	case 429:
		return VENDOR_LIMITED;
	default:
		return status >= 500 ? VENDOR_RETRY : VENDOR_REFUSED;
	}
}

static bool holds_key(const struct secret *key, const char *text)
{
	return key && secret_in(key, text, strlen(text));
}

void vendor_problem_say(const struct vendor_settings *s, const char *vendor,
			const char *why, struct vendor_problem *out)
{
	/* Some echo the key they do not know. */
	if (holds_key(s->key, why) || holds_key(s->key_secret, why))
		why = "(a text that holds the key)";
	(void)snprintf(out->why, sizeof(out->why), "%s: %.280s", vendor, why);
	for (char *p = out->why; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

void vendor_problem_write(const struct vendor_settings *s, const char *vendor,
			  long status, const char *message, struct vendor_problem *out)
{
	char why[VENDOR_WHY_MAX];

	out->verdict = vendor_verdict_of(status);
	if (message[0] != '\0')
		(void)snprintf(why, sizeof(why), "answer %ld, %.240s", status, message);
	else if (status == 200)
		(void)snprintf(why, sizeof(why), "%.300s", err_text());
	else
		(void)snprintf(why, sizeof(why), "answer %ld", status);
	vendor_problem_say(s, vendor, why, out);
}
