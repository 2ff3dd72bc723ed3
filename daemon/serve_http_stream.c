/* serve_http_stream - answers that do not end (serve_http.h). */
#include "daemon/serve_http_parts.h"
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (size_t)32768 /* handed to the socket at a time */

/* MHD wants the next bytes. */
static ssize_t on_piece(void *arg, uint64_t pos, char *to, size_t max)
{
	struct http_stream *s = arg;
	size_t n = s->out.len - s->at;

	(void)pos;
	if (s->http->closing)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		s->aside = true;
		MHD_suspend_connection(s->conn);
		return 0;
	}
	if (n > max)
		n = max;
	memcpy(to, s->out.data + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

static void on_stream_end(void *arg)
{
	struct http_stream *s = arg;

	for (struct http_stream **p = &s->http->streams; *p != NULL; p = &(*p)->next) {
		if (*p == s) {
			*p = s->next;
			break;
		}
	}
	s->gone(s->arg, s);
	buf_free(&s->out);
	free(s);
}

struct http_stream *http_stream_open(struct http_request *r, const char *type,
				     http_gone_fn gone, void *arg)
{
	struct http_stream *s = r->http == NULL ? NULL : calloc(1, sizeof(*s));

	r->answered = true;
	if (r->http == NULL) {
		free(r);
		return NULL;
	}
	if (s != NULL) {
		*s = (struct http_stream){
			.http = r->http, .conn = r->conn, .gone = gone, .arg = arg};
		r->response = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, PIECE_BYTES, on_piece, s, on_stream_end);
		if (r->response == NULL) {
			free(s);
			s = NULL;
		} else {
			s->next = r->http->streams;
			r->http->streams = s;
		}
	}
	r->status = MHD_HTTP_OK;
	if (r->response != NULL) {
		(void)MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONTENT_TYPE,
					      type);
		(void)MHD_add_response_header(
			r->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	}
	http_resume(r);
	return s;
}

bool http_stream_push(struct http_stream *s, const void *data, size_t len)
{
	if (s->at < s->out.len)
		return false;
	s->out.len = 0;
	s->at = 0;
	buf_add(&s->out, data, len);
	if (s->aside) {
		s->aside = false;
		MHD_resume_connection(s->conn);
		http_kick(s->http);
	}
	return true;
}
