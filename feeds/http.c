/*
 * http - the keeper of libcurl.
 *
 * One easy handle per request, all in one multi handle, whose pool of connections
 * outlives them.  curl's own limits are set where it has one; what it does not count
 * (decoded bytes, bytes of headers) is counted in the callbacks.
 */
#include "feeds/http.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/http_head.h"
#include "feeds/netaddr.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_MAX    160
#define TARGET_MAX  32768
#define CONNECT_NS  (10 * NS_PER_S)
#define TOTAL_NS    (120 * NS_PER_S)
#define STALL_NS    (20 * NS_PER_S)
#define BODY_MAX    (UINT64_C(256) << 20)
#define BODY_FIRST  (16 * 1024)
#define IN_FLIGHT   64
#define STEP_MS_MAX 60000

struct http_transfer {
	struct http_transfer *prev, *next;
	struct http_pool *pool;
	CURL *easy;
	struct curl_slist *headers; /* holds keys: wiped by hand */
	http_done_fn done;
	void *arg;
	struct buf body;
	uint64_t body_max;
	int64_t began_ns;
	int error; /* set by our own callbacks, with why; else curl's is used */
	char why[ERR_TEXT_MAX];
	char curl_why[CURL_ERROR_SIZE];
	char host[HOST_MAX]; /* for sentences: "https://data.alpaca.markets" */
	struct http_head head;
};

struct http_pool {
	CURLM *multi;
	struct http_transfer *first;
	size_t in_flight;
	char *ca_file;
	struct http_params p;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_rc;

static void global_init(void)
{
	global_rc = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_pool_new(const struct http_params *p, struct http_pool **out)
{
	struct http_pool *h;
	long most;

	pthread_once(&global_once, global_init);
	if (global_rc != CURLE_OK)
		return err_set(-EIO, "libcurl does not start: %s",
			       curl_easy_strerror(global_rc));
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return err_set(-ENOMEM, "no memory for HTTP");
	h->p = *p;
	if (h->p.connect_ns == 0)
		h->p.connect_ns = CONNECT_NS;
	if (h->p.total_ns == 0)
		h->p.total_ns = TOTAL_NS;
	if (h->p.stall_ns == 0)
		h->p.stall_ns = STALL_NS;
	if (h->p.body_max == 0)
		h->p.body_max = BODY_MAX;
	if (h->p.in_flight_max == 0)
		h->p.in_flight_max = IN_FLIGHT;
	if (p->ca_file != NULL && (h->ca_file = strdup(p->ca_file)) == NULL)
		goto no_memory;
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		goto no_memory;
	most = (long)h->p.in_flight_max;
	if (curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) != 0 ||
	    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, most) != 0 ||
	    curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) != 0) {
		http_pool_free(h);
		return err_set(-EINVAL, "libcurl refuses %ld connections", most);
	}
	*out = h;
	return 0;
no_memory:
	http_pool_free(h);
	return err_set(-ENOMEM, "no memory for HTTP");
}

static void transfer_free(struct http_transfer *t)
{
	struct http_pool *h = t->pool;

	if (t->easy != NULL) {
		curl_multi_remove_handle(h->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	for (struct curl_slist *l = t->headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(t->headers);
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		h->first = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	h->in_flight--;
	buf_free(&t->body);
	free(t);
}

void http_pool_free(struct http_pool *h)
{
	if (h == NULL)
		return;
	while (h->first != NULL)
		transfer_free(h->first);
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	free(h->ca_file);
	free(h);
}

void http_cancel(struct http_transfer *t)
{
	transfer_free(t);
}

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
	struct http_transfer *t = arg;
	uint64_t max = t->body_max;

	(void)one; /* always 1 */
	if (n > max - t->body.len) {
		t->error = -EFBIG;
		(void)snprintf(t->why, sizeof(t->why),
			       "%s sends more than %llu bytes (unpacked): given up",
			       t->host, (unsigned long long)max);
		return 0;
	}
	if (t->body.cap == 0)
		buf_reserve(&t->body, BODY_FIRST);
	buf_add(&t->body, data, n);
	return n;
}

static size_t on_header(char *line, size_t one, size_t n, void *arg)
{
	struct http_transfer *t = arg;

	(void)one;
	if (http_head_line(&t->head, line, n) == 0)
		return n;
	t->error = -EFBIG;
	(void)snprintf(t->why, sizeof(t->why),
		       "%s sends more than %d bytes of headers: given up", t->host,
		       HTTP_HEAD_MAX);
	return 0;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_transfer *t = arg;
	char text[NETADDR_TEXT_MAX];

	(void)purpose;
	if (!t->pool->p.private_allowed && !netaddr_public(&a->addr, a->addrlen)) {
		netaddr_print(text, &a->addr, a->addrlen);
		t->error = -EPERM;
		(void)snprintf(
			t->why, sizeof(t->why),
			"%s is at the private address %s: refused, since a vendor "
			"lives on the Internet",
			t->host, text);
		return CURL_SOCKET_BAD;
	}
	/* One address of several may be private; the next one counts then. */
	t->error = 0;
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

#define SET(option, value)                                                             \
	do {                                                                           \
		CURLcode set_rc = curl_easy_setopt(t->easy, option, value);            \
		if (set_rc != CURLE_OK)                                                \
			return err_set(-EINVAL, "libcurl refuses " #option ": %s",     \
				       curl_easy_strerror(set_rc));                    \
	} while (0)

/* What may be talked to, and how it proves who it is. */
static int set_trust(struct http_transfer *t)
{
	const struct http_params *p = &t->pool->p;

	SET(CURLOPT_PROTOCOLS_STR, p->plain_allowed ? "http,https" : "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (t->pool->ca_file != NULL) {
		SET(CURLOPT_CAINFO, t->pool->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	return 0;
}

/* How long, how much, and where it goes. */
static int set_limits(struct http_transfer *t)
{
	const struct http_params *p = &t->pool->p;
	long stall_s = (long)((p->stall_ns + NS_PER_S - 1) / NS_PER_S);

	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(p->connect_ns / NS_PER_MS));
	SET(CURLOPT_TIMEOUT_MS, (long)(p->total_ns / NS_PER_MS));
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, stall_s);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->body_max);
	/* A resolver that hangs is left behind, and cleans up after itself. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_ERRORBUFFER, t->curl_why);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_PRIVATE, t);
	return 0;
}

static int add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *grown = curl_slist_append(t->headers, line);

	if (grown == NULL)
		return err_set(-ENOMEM, "no memory for headers");
	t->headers = grown;
	return 0;
}

static int set_request(struct http_transfer *t, const struct http_request *r)
{
	char url[HOST_MAX + TARGET_MAX];
	int rc = 0;

	if (snprintf(url, sizeof(url), "%s%s", r->base_url, r->target) >=
	    (int)sizeof(url))
		return err_set(-EINVAL, "a request to %s is longer than %d bytes",
			       t->host, TARGET_MAX);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_USERAGENT,
	    r->user_agent != NULL ? r->user_agent : "tickbus/" TICKBUS_VERSION);
	for (size_t at = 0; at < r->headers_len && rc == 0;) {
		size_t len = strnlen(r->headers + at, r->headers_len - at);

		if (at + len == r->headers_len)
			return err_set(-EINVAL,
				       "the last header is not ended by a NUL");
		if (memchr(r->headers + at, '\r', len) != NULL ||
		    memchr(r->headers + at, '\n', len) != NULL)
			return err_set(-EINVAL, "a header holds a line end");
		rc = add_header(t, r->headers + at);
		at += len + 1;
	}
	if (rc == 0 && r->form != NULL) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->form_len);
		SET(CURLOPT_COPYPOSTFIELDS, r->form);
		/* Else curl asks before it sends more than 1 MiB, and waits. */
		rc = add_header(t, "Expect:");
	}
	if (rc == 0)
		SET(CURLOPT_HTTPHEADER, t->headers);
	return rc;
}
#undef SET

static int judge_base(const struct http_pool *h, const struct http_request *r)
{
	const char *url = r->base_url;
	const char *host;

	if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncmp(url, "http://", 7) == 0 && h->p.plain_allowed)
		host = url + 7;
	else
		return err_set(-EINVAL,
			       "'%.100s' does not begin with https:// (http:// needs "
			       "to be allowed)",
			       url);
	if (host[0] == '\0' || strlen(url) >= HOST_MAX ||
	    strpbrk(host, "@?# \t\r\n\\") != NULL)
		return err_set(-EINVAL,
			       "a base URL is a host, a port and a path of at most %d "
			       "characters",
			       HOST_MAX - 1);
	if (r->target[0] != '/' || strpbrk(r->target, " \t\r\n") != NULL)
		return err_set(-EINVAL,
			       "a request to %s does not begin with '/' or "
			       "holds a blank",
			       url);
	return 0;
}

int http_send(struct http_pool *h, const struct http_request *r, http_done_fn done,
	      void *arg, struct http_transfer **out)
{
	struct http_transfer *t;
	CURLMcode mrc;
	int rc = judge_base(h, r);

	if (rc < 0)
		return rc;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_set(-ENOMEM, "no memory for a request");
	t->pool = h;
	t->done = done;
	t->arg = arg;
	t->body_max = r->body_max != 0 ? r->body_max : h->p.body_max;
	t->began_ns = clock_mono_ns();
	(void)snprintf(t->host, sizeof(t->host), "%s", r->base_url);
	t->next = h->first;
	if (h->first != NULL)
		h->first->prev = t;
	h->first = t;
	h->in_flight++;
	t->easy = curl_easy_init();
	rc = t->easy == NULL ? err_set(-ENOMEM, "no memory for a request")
			     : set_trust(t);
	if (rc == 0)
		rc = set_limits(t);
	if (rc == 0)
		rc = set_request(t, r);
	if (rc == 0) {
		mrc = curl_multi_add_handle(h->multi, t->easy);
		if (mrc != CURLM_OK)
			rc = err_set(-EIO, "libcurl takes no request: %s",
				     curl_multi_strerror(mrc));
	}
	if (rc < 0) {
		transfer_free(t);
		return rc;
	}
	if (out != NULL)
		*out = t;
	return 0;
}

/* What curl's codes mean to whoever has to decide whether to try again. */
static int errno_of(CURLcode rc)
{
	switch ((int)rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return -EACCES;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return -EINVAL;
	case CURLE_FILESIZE_EXCEEDED:
		return -EFBIG;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_WEIRD_SERVER_REPLY:
		return -EBADMSG;
	default: /* cut off, closed, reset, a broken TLS record */
		return -ECONNRESET;
	}
}

static void explain(const struct http_transfer *t, CURLcode rc, char *out, size_t cap)
{
	const char *detail = t->curl_why[0] ? t->curl_why : curl_easy_strerror(rc);
	const char *what = "the connection failed";

	if (errno_of(rc) == -EACCES)
		what = "its certificate is not accepted, nothing was sent";
	else if (rc == CURLE_PARTIAL_FILE)
		what = "the answer was cut off";
	else if (errno_of(rc) == -ETIMEDOUT)
		what = "no answer in time";
	else if (errno_of(rc) == -EFBIG)
		what = "the answer is too large";
	else if (rc == CURLE_OUT_OF_MEMORY) /* curl says so of both */
		what = "a line of its header is too long, or there is no memory";
	else if (errno_of(rc) == -EBADMSG)
		what = "the answer is not HTTP as agreed";
	(void)snprintf(out, cap, "%s: %s (%.200s)", t->host, what, detail);
}

static void finish(struct http_transfer *t, CURLcode rc)
{
	struct http_answer a = {
		.took_ns = clock_mono_ns() - t->began_ns,
		.body = "",
		.why = "",
	};
	http_done_fn done = t->done;
	void *arg = t->arg;

	http_head_answer(&t->head, &a);
	if (rc == CURLE_OK) {
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a.status);
		a.len = t->body.len;
		a.body = buf_text(&t->body);
	} else {
		a.error = t->error != 0 ? t->error : errno_of(rc);
		if (t->error == 0)
			explain(t, rc, t->why, sizeof(t->why));
		a.why = t->why;
	}
	/* Out of curl's hands first: the callback may send, cancel and take long. */
	curl_multi_remove_handle(t->pool->multi, t->easy);
	done(arg, &a);
	transfer_free(t);
}

static bool finish_all(struct http_pool *h)
{
	bool any = false;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct http_transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		finish(t, m->data.result);
		any = true;
	}
	return any;
}

int http_step(struct http_pool *h, int64_t timeout_ns)
{
	int64_t ms = (timeout_ns + NS_PER_MS - 1) / NS_PER_MS;
	int running;
	CURLMcode rc = curl_multi_perform(h->multi, &running);

	if (rc == CURLM_OK && !finish_all(h) && timeout_ns > 0) {
		rc = curl_multi_poll(h->multi, NULL, 0,
				     (int)(ms < STEP_MS_MAX ? ms : STEP_MS_MAX), NULL);
		if (rc == CURLM_OK)
			rc = curl_multi_perform(h->multi, &running);
		if (rc == CURLM_OK)
			finish_all(h);
	}
	return rc == CURLM_OK ? 0
			      : err_set(-EIO, "libcurl: %s", curl_multi_strerror(rc));
}

void http_wake(struct http_pool *h)
{
	curl_multi_wakeup(h->multi);
}

size_t http_in_flight(const struct http_pool *h)
{
	return h->in_flight;
}
