/* ws - see ws.h. */
#include "feeds/ws.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/lookup.h"
#include "feeds/ws_url.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX  (8u << 20)
#define QUEUE_MAX    (4u << 20) /* bytes that the peer has not taken yet */
#define PIECE_BYTES  (64u << 10)
#define CONNECTS_MAX 256
#define CONNECT_S    10
#define LOOK_NS      (10 * NS_PER_MS) /* how often a lookup is asked whether it is done */
#define WHY_MAX      240

/* Bytes on their way out, with the room in front that libwebsockets wants. */
struct piece {
	struct piece *next;
	size_t len;
	uint8_t data[]; /* LWS_PRE + len */
};

enum phase { LOOKING_UP, CONNECTING, OPEN, OVER };

struct ws {
	struct ws *next;
	struct ws_pool *pool;
	struct ws_handler handler;
	struct ws_url url;
	bool (*refuse)(const struct sockaddr *to, size_t len);
	enum phase phase;
	bool is_abandoned; /* nobody is called any more */
	struct lookup *lookup;
	size_t address; /* index of the one being tried */
	struct lws *wsi;
	struct buf message;
	struct piece *first, **last;
	size_t queued;
	char why[WHY_MAX];
};

struct ws_pool {
	struct ws_params params;
	struct lws_context *lws;
	lws_sorted_usec_list_t alarm;
	struct ws *all;
};

static const lws_retry_bo_t liveness = {.secs_since_valid_ping = WS_PING_S,
					.secs_since_valid_hangup = WS_SILENT_S};

static void say_why(struct ws *w, const char *text, size_t len)
{
	if (w->why[0] == '\0')
		(void)snprintf(w->why, sizeof(w->why), "%.*s", (int)len, text);
}

/* ---- what comes in ---- */

/* A message may come in pieces; one that comes whole is not copied. */
static int take_message(struct ws *w, struct lws *wsi, const char *data, size_t len)
{
	size_t max = w->pool->params.message_max;
	int rc;

	if (lws_is_first_fragment(wsi))
		w->message.len = 0;
	if (w->message.len + len + lws_remaining_packet_payload(wsi) > max) {
		(void)snprintf(w->why, sizeof(w->why),
			       "a message of more than %zu bytes", max);
		return -1;
	}
	if (lws_is_first_fragment(wsi) && lws_is_final_fragment(wsi))
		return w->handler.input(w->handler.arg, data, len);
	buf_add(&w->message, data, len);
	if (!lws_is_final_fragment(wsi))
		return 0;
	rc = w->handler.input(w->handler.arg, (const char *)w->message.data,
			      w->message.len);
	w->message.len = 0;
	return rc;
}

static int take(struct ws *w, struct lws *wsi, const char *data, size_t len)
{
	size_t had = strlen(w->why);
	int rc = w->url.is_websocket ? take_message(w, wsi, data, len)
				     : w->handler.input(w->handler.arg, data, len);

	/* Whoever returned this knows why: nothing is left to be told. */
	if (rc != 0 && strlen(w->why) == had)
		w->is_abandoned = true;
	return rc;
}

/* ---- what goes out ---- */

static void drop_first(struct ws *w)
{
	struct piece *p = w->first;

	w->first = p->next;
	if (w->first == NULL)
		w->last = &w->first;
	w->queued -= p->len;
	explicit_bzero(p->data, LWS_PRE + p->len);
	free(p);
}

static int write_first(struct ws *w, struct lws *wsi)
{
	struct piece *p = w->first;
	int n;

	if (p == NULL)
		return 0;
	n = lws_write(wsi, p->data + LWS_PRE, p->len,
		      w->url.is_websocket ? LWS_WRITE_TEXT : LWS_WRITE_RAW);
	if (n < 0)
		return -1;
	drop_first(w);
	if (w->first != NULL)
		(void)lws_callback_on_writable(wsi);
	return 0;
}

int ws_send(struct ws *w, const void *data, size_t len)
{
	struct piece *p;

	if (w->queued + len > QUEUE_MAX)
		return err_set(-ENOBUFS, "%s does not read what it is sent",
			       w->url.host);
	p = malloc(sizeof(*p) + LWS_PRE + len);
	if (p == NULL)
		return err_set(-ENOMEM, "out of memory for a message to %s",
			       w->url.host);
	p->next = NULL;
	p->len = len;
	memcpy(p->data + LWS_PRE, data, len);
	*w->last = p;
	w->last = &p->next;
	w->queued += len;
	if (w->phase == OPEN && w->wsi != NULL)
		(void)lws_callback_on_writable(w->wsi);
	return 0;
}

/* ---- libwebsockets' calls ---- */

static int on_open(struct ws *w, struct lws *wsi)
{
	w->phase = OPEN;
	w->why[0] = '\0'; /* of an address that was tried before */
	w->wsi = wsi;
	w->handler.open(w->handler.arg);
	return 0;
}

static int on_event(struct ws *w, struct lws *wsi, enum lws_callback_reasons reason,
		    void *in, size_t len)
{
	static const char redirected[] = "it answered with a redirect: not followed";

	switch ((int)reason) {
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
		say_why(w, redirected, sizeof(redirected) - 1);
		return -1;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		say_why(w, in != NULL ? in : "", in != NULL ? len : 0);
		return 0;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_RAW_CONNECTED:
		return on_open(w, wsi);
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_RAW_RX:
		return take(w, wsi, in, len);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_RAW_WRITEABLE:
		return write_first(w, wsi);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		if (len >= 2)
			(void)snprintf(w->why, sizeof(w->why),
				       "the peer closed, code %u: %.*s",
				       (unsigned)((uint8_t *)in)[0] << 8 |
					       ((uint8_t *)in)[1],
				       (int)len - 2, (char *)in + 2);
		return 0;
	default:
		return 0;
	}
}

/* Only of these is @user what we gave to the connection: when a certificate is judged,
 * for one, it is OpenSSL's. */
static bool is_ours(enum lws_callback_reasons reason)
{
	switch ((int)reason) {
	case LWS_CALLBACK_WSI_DESTROY:
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
	case LWS_CALLBACK_CLIENT_HTTP_REDIRECT:
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_RECEIVE:
	case LWS_CALLBACK_CLIENT_WRITEABLE:
	case LWS_CALLBACK_RAW_CONNECTED:
	case LWS_CALLBACK_RAW_RX:
	case LWS_CALLBACK_RAW_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return true;
	default:
		return false;
	}
}

/* OpenSSL's verdict on a certificate, which the library's own error does not hold. */
static void note_certificate(struct ws *w, X509_STORE_CTX *x509, size_t is_good)
{
	if (is_good == 0 && w != NULL)
		(void)snprintf(
			w->why, sizeof(w->why), "its certificate is not trusted: %s",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(x509)));
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		    void *in, size_t len)
{
	struct ws *w = user;
	int rc;

	if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION)
		note_certificate(lws_wsi_user(wsi), user, len);
	if (w == NULL || !is_ours(reason))
		return 0;
	if (reason == LWS_CALLBACK_WSI_DESTROY) {
		w->wsi = NULL;
		if (w->phase == OPEN)
			w->phase = OVER;
		return 0;
	}
	if (w->is_abandoned)
		return -1;
	rc = on_event(w, wsi, reason, in, len);
	return rc != 0 || w->is_abandoned ? -1 : 0;
}

static const struct lws_protocols protocols[] = {
	{.name = "tickbus", .callback = callback, .rx_buffer_size = PIECE_BYTES}, {0}};

/* ---- the way up ---- */

static int connect_to(struct ws *w, const struct lookup_address *to)
{
	char address[INET6_ADDRSTRLEN] = "";
	struct lws_client_connect_info i = {
		.context = w->pool->lws,
		.address = address,
		.port = w->url.port,
		.path = w->url.path,
		.host = w->url.host_header,
		.alpn = "http/1.1",
		.method = w->url.is_websocket ? NULL : "RAW",
		.ssl_connection = w->url.is_tls ? LCCSCF_USE_SSL : 0,
		.local_protocol_name = protocols[0].name,
		.userdata = w,
		.pwsi = &w->wsi,
		.retry_and_idle_policy = w->url.is_websocket ? &liveness : NULL,
	};

	if (to->sa.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)&to->sa)->sin6_addr,
			  address, sizeof(address));
	else
		inet_ntop(AF_INET, &((const struct sockaddr_in *)&to->sa)->sin_addr,
			  address, sizeof(address));
	if (w->refuse != NULL && w->refuse((const struct sockaddr *)&to->sa, to->len)) {
		(void)snprintf(w->why, sizeof(w->why),
			       "%.128s is %s, a private address: refused", w->url.host,
			       address);
		return -1;
	}
	return lws_client_connect_via_info(&i) == NULL ? -1 : 0;
}

/* Look, then try one address after the other; OVER when none is left. */
static void go_on(struct ws *w)
{
	const struct lookup_address *all;
	size_t n;
	int rc;

	if (w->wsi != NULL || w->phase == OPEN || w->phase == OVER)
		return;
	rc = lookup_poll(w->lookup, &all, &n);
	if (rc == LOOKUP_WAITS)
		return;
	if (rc < 0) {
		say_why(w, err_text(), strlen(err_text()));
		w->phase = OVER;
		return;
	}
	w->phase = CONNECTING;
	while (w->address < n && !w->is_abandoned) {
		if (connect_to(w, &all[w->address++]) == 0 && w->wsi != NULL)
			return;
		w->wsi = NULL;
	}
	say_why(w, "cannot connect", strlen("cannot connect"));
	w->phase = OVER;
}

int ws_dial(struct ws_pool *p, const struct ws_target *to, const struct ws_handler *h,
	    struct ws **out)
{
	struct ws *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		return err_set(-ENOMEM, "out of memory for a connection");
	w->pool = p;
	w->handler = *h;
	w->refuse = to->refuse;
	w->last = &w->first;
	rc = ws_url_read(to->url, to->plain_allowed, &w->url);
	if (rc == 0)
		rc = lookup_start(w->url.host, w->url.port, &w->lookup);
	if (rc < 0) {
		free(w);
		return rc;
	}
	w->next = p->all;
	p->all = w;
	*out = w;
	return 0;
}

/* ---- the way down ---- */

static void ws_free(struct ws *w)
{
	lookup_end(w->lookup);
	while (w->first != NULL)
		drop_first(w);
	buf_free(&w->message);
	free(w);
}

void ws_hang_up(struct ws *w)
{
	w->is_abandoned = true;
	if (w->wsi != NULL)
		lws_set_timeout(w->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

void ws_pause(struct ws *w, bool on)
{
	if (w->wsi != NULL && w->phase == OPEN)
		(void)lws_rx_flow_control(w->wsi, !on);
}

/* Those that ended are told so and forgotten; a new one may be dialled meanwhile. */
static bool sweep(struct ws_pool *p)
{
	struct ws **at = &p->all;
	bool is_looking = false;

	while (*at != NULL) {
		struct ws *w = *at;

		if (!w->is_abandoned)
			go_on(w);
		is_looking |= w->phase == LOOKING_UP;
		if (w->wsi != NULL || (!w->is_abandoned && w->phase != OVER)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		if (!w->is_abandoned)
			w->handler.closed(w->handler.arg,
					  w->why[0] != '\0' ? w->why : "it was closed");
		ws_free(w);
		at = &p->all; /* closed() may have changed the list */
		is_looking = false;
	}
	return is_looking;
}

/*
 * Called when the time is up.  Mostly its coming ends the wait; but one that is up
 * before the wait begins is called before it, and would leave nothing to end it.
 */
static void on_alarm(lws_sorted_usec_list_t *s)
{
	struct ws_pool *p =
		(struct ws_pool *)((char *)s - offsetof(struct ws_pool, alarm));

	lws_cancel_service(p->lws);
}

void ws_step(struct ws_pool *p, int64_t timeout_ns)
{
	if (sweep(p) && timeout_ns > LOOK_NS)
		timeout_ns = LOOK_NS;
	lws_sul_schedule(p->lws, 0, &p->alarm, on_alarm, timeout_ns / NS_PER_US + 1);
	(void)lws_service(p->lws, 0);
	(void)sweep(p);
}

void ws_wake(struct ws_pool *p)
{
	lws_cancel_service(p->lws);
}

size_t ws_count(const struct ws_pool *p)
{
	size_t n = 0;

	for (const struct ws *w = p->all; w != NULL; w = w->next)
		n++;
	return n;
}

/* ---- the pool ---- */

int ws_pool_new(const struct ws_params *params, struct ws_pool **out)
{
	struct lws_context_creation_info i = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.client_ssl_ca_filepath = params->ca_file,
		.ssl_client_options_set = (long)(SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1),
		/* Its port 0 means none; without it http_proxy would be obeyed. */
		.http_proxy_address = "none:0",
		.connect_timeout_secs = CONNECT_S,
		.fd_limit_per_thread = CONNECTS_MAX,
		.pt_serv_buf_size = PIECE_BYTES,
		.gid = -1,
		.uid = -1,
	};
	struct ws_pool *p;

	if (params->ca_file != NULL) {
		if (access(params->ca_file, R_OK) != 0)
			return err_set(-EIO, "cannot read the CA file %s: %s",
				       params->ca_file, strerror(errno));
		i.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(-ENOMEM, "out of memory for connections");
	p->params = *params;
	if (p->params.message_max == 0)
		p->params.message_max = MESSAGE_MAX;
	lws_set_log_level(params->log != NULL ? LLL_ERR | LLL_WARN : 0, params->log);
	p->lws = lws_create_context(&i);
	if (p->lws == NULL) {
		free(p);
		return err_set(-ENOMEM, "cannot start libwebsockets");
	}
	*out = p;
	return 0;
}

void ws_pool_free(struct ws_pool *p)
{
	if (p == NULL)
		return;
	for (struct ws *w = p->all; w != NULL; w = w->next)
		w->is_abandoned = true;
	lws_sul_cancel(&p->alarm);
	lws_context_destroy(p->lws);
	while (p->all != NULL) {
		struct ws *w = p->all;

		p->all = w->next;
		ws_free(w);
	}
	free(p);
}

int ws_check_url(const char *url, bool plain_allowed)
{
	struct ws_url u;

	return ws_url_read(url, plain_allowed, &u);
}
