#include "feeds/http_head.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Two names for the request id; both end in the same field. */
static const struct {
	const char *name;
	enum http_field field;
} wanted[] = {
	{"content-type", HTTP_CONTENT_TYPE},
	{"retry-after", HTTP_RETRY_AFTER},
	{"x-ratelimit-remaining", HTTP_LIMIT_LEFT},
	{"x-ratelimit-reset", HTTP_LIMIT_RESET},
	{"x-warning", HTTP_WARNING},
	{"x-request-id", HTTP_REQUEST_ID},
	{"request-id", HTTP_REQUEST_ID},
	{"location", HTTP_LOCATION},
	{"etag", HTTP_ETAG},
	{"last-modified", HTTP_LAST_MODIFIED},
};

/* @value is @len bytes of a header; what is kept is a clean line. */
static void keep_value(char *out, const char *value, size_t len)
{
	size_t n = 0;

	while (len > 0 && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len > 0 && (unsigned char)value[len - 1] <= ' ')
		len--;
	for (; n < len && n < HTTP_VALUE_MAX - 1; n++)
		out[n] = (unsigned char)value[n] < ' ' || value[n] == 0x7f ? '?'
									   : value[n];
	out[n] = '\0';
}

int http_head_line(struct http_head *h, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name;

	h->bytes += len;
	if (h->bytes > HTTP_HEAD_MAX)
		return -EFBIG;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		memset(h->value, 0, sizeof(h->value));
	if (colon == NULL)
		return 0;
	name = (size_t)(colon - line);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strlen(wanted[i].name) == name &&
		    strncasecmp(line, wanted[i].name, name) == 0)
			keep_value(h->value[wanted[i].field], colon + 1,
				   len - name - 1);
	return 0;
}

void http_head_answer(const struct http_head *h, struct http_answer *a)
{
	a->content_type = h->value[HTTP_CONTENT_TYPE];
	a->retry_after = h->value[HTTP_RETRY_AFTER];
	a->limit_left = h->value[HTTP_LIMIT_LEFT];
	a->limit_reset = h->value[HTTP_LIMIT_RESET];
	a->warning = h->value[HTTP_WARNING];
	a->request_id = h->value[HTTP_REQUEST_ID];
	a->location = h->value[HTTP_LOCATION];
	a->etag = h->value[HTTP_ETAG];
	a->last_modified = h->value[HTTP_LAST_MODIFIED];
}
