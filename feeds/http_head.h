/*
 * http_head - the few headers of an answer that somebody wants to know.
 *
 * Lines come as they were received; a new status line begins anew, so that what
 * stood beside "100 Continue" is forgotten.  Values are cut at 511 bytes and hold no
 * control characters.
 *
 * Pure.  One thread at a time.
 */
#pragma once
#include "feeds/http.h"

#define HTTP_HEAD_MAX  (64 * 1024) /* bytes of headers in one answer */
#define HTTP_VALUE_MAX 512

enum http_field {
	HTTP_CONTENT_TYPE,
	HTTP_RETRY_AFTER,
	HTTP_LIMIT_LEFT,
	HTTP_LIMIT_RESET,
	HTTP_WARNING,
	HTTP_REQUEST_ID,
	HTTP_LOCATION,
	HTTP_ETAG,
	HTTP_LAST_MODIFIED,
	HTTP_FIELDS,
};

struct http_head {
	size_t bytes; /* in all */
	char value[HTTP_FIELDS][HTTP_VALUE_MAX];
};

/** One line, with or without its end.  0; -EFBIG: more than HTTP_HEAD_MAX came. */
int http_head_line(struct http_head *h, const char *line, size_t len);
/** Set the texts of @a, borrowed from @h. */
void http_head_answer(const struct http_head *h, struct http_answer *a);
