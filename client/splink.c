/* splink - see splink.h. */
#include "client/splink.h"
#include "base/clock.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING     8u
#define IN_BYTES     ((size_t)256 << 10)
#define REST_MIN_NS  (50 * NS_PER_MS)
#define REST_MAX_NS  (500 * NS_PER_MS)
#define LOOK_UP_EACH 8u
#define HOST_MAX     256

/* ---- addresses ---------------------------------------------------------- */

static int ipc_address(struct splink *l, const char *path)
{
	struct sockaddr_un *a = (struct sockaddr_un *)&l->address[0];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(a->sun_path))
		return err_set(-EINVAL, "%s: a socket's path has 1 to %zu characters",
			       l->url, sizeof(a->sun_path) - 1);
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, path, len + 1);
	l->address_len[0] = sizeof(*a);
	l->n_addresses = 1;
	return 0;
}

/* "host:port", "[::1]:port" */
static int split(const char *url, const char *text, char host[HOST_MAX],
		 const char **out_port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	if (len > 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= HOST_MAX || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return err_set(-EINVAL, "%s is not tcp://HOST:PORT or ipc://PATH", url);
	memcpy(host, text, len);
	host[len] = '\0';
	*out_port = colon + 1;
	return 0;
}

static int tcp_addresses(struct splink *l, const char *text)
{
	const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
				      .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[HOST_MAX];
	const char *port;
	unsigned n = 0;
	int rc = split(l->url, text, host, &port);

	if (rc < 0)
		return rc;
	rc = getaddrinfo(host, port, &want, &found);
	if (rc != 0)
		return err_set(-EINVAL, "%s: %s is not found: %s", l->url, host,
			       gai_strerror(rc));
	for (struct addrinfo *a = found; a != NULL && n < SPLINK_ADDRESSES;
	     a = a->ai_next) {
		memcpy(&l->address[n], a->ai_addr, a->ai_addrlen);
		l->address_len[n++] = a->ai_addrlen;
	}
	freeaddrinfo(found);
	l->n_addresses = n;
	return 0;
}

static int look_up(struct splink *l)
{
	l->is_ipc = strncmp(l->url, "ipc://", 6) == 0;
	if (l->is_ipc)
		return ipc_address(l, l->url + 6);
	if (strncmp(l->url, "tcp://", 6) == 0)
		return tcp_addresses(l, l->url + 6);
	return err_set(-EINVAL, "%s is not tcp://HOST:PORT or ipc://PATH", l->url);
}

/* ---- what wakes the caller ---------------------------------------------- */

static void watch(struct splink *l, uint32_t events)
{
	struct epoll_event e = {.events = events};

	if (l->epoll < 0 || l->fd < 0 || events == l->watched)
		return;
	(void)epoll_ctl(l->epoll, l->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
			l->fd, &e);
	l->watched = events;
}

/* @ns 0: off. */
static void set_timer(struct splink *l, int64_t ns)
{
	const struct itimerspec t = {
		.it_value = {ns / NS_PER_S, ns > 0 ? ns % NS_PER_S : 0}};

	if (l->timer >= 0)
		(void)timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* ---- ends and beginnings ------------------------------------------------ */

static void drop(struct splink *l)
{
	if (l->fd >= 0) {
		if (l->epoll >= 0 && l->watched != 0)
			(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->fd, NULL);
		close(l->fd);
	}
	free(l->msg);
	l->msg = NULL;
	l->fd = -1;
	l->watched = 0;
	l->n_head = l->n_msg = l->in_at = l->in_len = l->out_at = 0;
	l->out.len = 0;
}

static void rest(struct splink *l, const char *why)
{
	int64_t ns = REST_MIN_NS;

	drop(l);
	(void)snprintf(l->why, sizeof(l->why), "%s", why);
	for (unsigned i = 0; i < l->failures && ns < REST_MAX_NS; i++)
		ns *= 2;
	l->failures++;
	l->state = SPLINK_RESTING;
	l->due_ns = clock_mono_ns() + (ns < REST_MAX_NS ? ns : REST_MAX_NS);
	set_timer(l, l->due_ns);
}

static void rest_errno(struct splink *l, const char *what, int error)
{
	char why[128];

	(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(error));
	rest(l, why);
}

static void greet(struct splink *l)
{
	const uint8_t hello[GREETING] = {0, 'S', 'P', 0, 0, (uint8_t)l->protocol, 0, 0};

	buf_add(&l->out, hello, sizeof(hello));
	l->state = SPLINK_GREETING;
}

static void dial(struct splink *l)
{
	const struct sockaddr *to;
	socklen_t len;
	int on = 1;

	set_timer(l, 0);
	if (l->failures > 0 && l->failures % LOOK_UP_EACH == 0)
		(void)look_up(l); /* the host may have moved; if not found, as before */
	assert(l->n_addresses > 0);
	l->turn = (l->turn + 1) % l->n_addresses;
	to = (const struct sockaddr *)&l->address[l->turn];
	len = l->address_len[l->turn];
	l->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		rest_errno(l, "no socket", errno);
		return;
	}
	if (!l->is_ipc)
		(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(l->fd, to, len) == 0)
		greet(l);
	else if (errno == EINPROGRESS)
		l->state = SPLINK_CONNECTING;
	else
		rest_errno(l, "cannot connect", errno);
}

int splink_open(struct splink *l, const char *url, enum splink_protocol protocol,
		int epoll)
{
	struct epoll_event e = {.events = EPOLLIN};
	int rc;

	*l = (struct splink){.url = url,
			     .protocol = protocol,
			     .epoll = epoll,
			     .timer = -1,
			     .fd = -1};
	rc = look_up(l);
	if (rc < 0)
		return rc;
	l->in = malloc(IN_BYTES);
	if (l->in == NULL)
		return err_set(-ENOMEM, "no memory for a connection to %s", url);
	if (epoll >= 0) {
		l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
		if (l->timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, l->timer, &e) < 0) {
			rc = err_set(-errno, "no descriptor to wait with: %s",
				     strerror(errno));
			splink_close(l);
			return rc;
		}
	}
	(void)splink_step(l);
	return 0;
}

void splink_close(struct splink *l)
{
	drop(l);
	if (l->timer >= 0)
		close(l->timer); /* and leaves the epoll by that */
	l->timer = -1;
	free(l->in);
	l->in = NULL;
	buf_free(&l->out);
	l->state = SPLINK_RESTING;
	l->due_ns = INT64_MAX;
}

void splink_renew(struct splink *l)
{
	if (l->in == NULL)
		return;
	drop(l);
	l->failures = 0;
	l->state = SPLINK_RESTING;
	l->due_ns = 0;
	(void)splink_step(l);
}

/* ---- bytes -------------------------------------------------------------- */

/* False: it has ended, and rests. */
static bool flush(struct splink *l)
{
	while (l->out_at < l->out.len) {
		ssize_t n = send(l->fd, l->out.data + l->out_at, l->out.len - l->out_at,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n < 0) {
			rest_errno(l, "sending", errno);
			return false;
		}
		l->out_at += (size_t)n;
	}
	l->out.len = l->out_at = 0;
	return true;
}

/* More into @to: > 0, 0: nothing now, < 0: it has ended. */
static ssize_t receive(struct splink *l, uint8_t *to, size_t len)
{
	ssize_t n;

	do {
		n = recv(l->fd, to, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == 0)
		rest(l, "closed by the daemon");
	else
		rest_errno(l, "receiving", errno);
	return -1;
}

static bool fill(struct splink *l)
{
	ssize_t n;

	l->in_at = l->in_len = 0;
	n = receive(l, l->in, IN_BYTES);
	if (n > 0)
		l->in_len = (size_t)n;
	return n > 0;
}

/* Of what was received, or is there to be: up to @want bytes of the head. */
static bool take_head(struct splink *l, size_t want)
{
	while (l->n_head < want) {
		size_t n = l->in_len - l->in_at;

		if (n == 0) {
			if (!fill(l))
				return false;
			continue;
		}
		n = n < want - l->n_head ? n : want - l->n_head;
		memcpy(l->head + l->n_head, l->in + l->in_at, n);
		l->n_head += n;
		l->in_at += n;
	}
	return true;
}

static bool take_greeting(struct splink *l)
{
	/* PUB is SUB's peer, REP is REQ's. */
	uint8_t peer = l->protocol == SPLINK_SUB ? 0x20 : 0x31;
	const uint8_t hello[GREETING] = {0, 'S', 'P', 0, 0, peer, 0, 0};

	if (!take_head(l, GREETING))
		return false;
	if (memcmp(l->head, hello, GREETING) != 0) {
		rest(l, "the peer does not greet as the daemon does");
		return false;
	}
	l->n_head = 0;
	l->failures = 0;
	l->opened++;
	l->state = SPLINK_OPEN;
	return true;
}

static bool begin_message(struct splink *l)
{
	size_t skip = l->is_ipc ? 1 : 0; /* over ipc a byte 1 stands in front */
	uint64_t len = 0;

	if (!take_head(l, skip + 8))
		return false;
	for (size_t i = 0; i < 8; i++)
		len = len << 8 | l->head[skip + i];
	l->n_head = 0;
	if (len > SPLINK_MESSAGE_MAX || (l->is_ipc && l->head[0] != 1)) {
		rest(l, "the peer announces a message that cannot be");
		return false;
	}
	l->msg = malloc(sizeof(*l->msg) + len);
	if (l->msg == NULL) {
		rest(l, "no memory for a message");
		return false;
	}
	l->msg->len = len;
	l->n_msg = 0;
	return true;
}

/* Large remainders go straight where they belong. */
static bool fill_message(struct splink *l)
{
	while (l->n_msg < l->msg->len) {
		size_t left = l->msg->len - l->n_msg, n = l->in_len - l->in_at;
		ssize_t got;

		if (n > 0) {
			n = n < left ? n : left;
			memcpy(l->msg->data + l->n_msg, l->in + l->in_at, n);
			l->n_msg += n;
			l->in_at += n;
			continue;
		}
		if (left < IN_BYTES) {
			if (!fill(l))
				return false;
			continue;
		}
		got = receive(l, l->msg->data + l->n_msg, left);
		if (got <= 0)
			return false;
		l->n_msg += (size_t)got;
	}
	return true;
}

/* ---- the way of a link -------------------------------------------------- */

static void finish_connect(struct splink *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof(error);

	if (poll(&p, 1, 0) <= 0)
		return;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error != 0)
		rest_errno(l, "cannot connect", error);
	else
		greet(l);
}

bool splink_step(struct splink *l)
{
	uint64_t expired;

	if (l->in == NULL)
		return false;
	if (l->timer >= 0)
		(void)!read(l->timer, &expired, sizeof(expired));
	if (l->state == SPLINK_RESTING) {
		if (clock_mono_ns() < l->due_ns) {
			set_timer(l, l->due_ns);
			return false;
		}
		dial(l);
	}
	if (l->state == SPLINK_CONNECTING)
		finish_connect(l);
	if (l->state >= SPLINK_GREETING && flush(l) && l->state == SPLINK_GREETING)
		(void)take_greeting(l);
	if (l->state == SPLINK_CONNECTING)
		watch(l, EPOLLOUT);
	else if (l->state != SPLINK_RESTING)
		watch(l, l->out_at < l->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return l->state == SPLINK_OPEN;
}

int splink_take(struct splink *l, struct splink_msg **out)
{
	if (l->state != SPLINK_OPEN || l->out.len > 0)
		(void)splink_step(l);
	if (l->state != SPLINK_OPEN)
		return SPLINK_EMPTY;
	if (l->msg == NULL && !begin_message(l))
		return SPLINK_EMPTY;
	if (!fill_message(l))
		return SPLINK_EMPTY;
	*out = l->msg;
	l->msg = NULL;
	return 0;
}

int splink_send(struct splink *l, const void *head, size_t head_len, const void *data,
		size_t len)
{
	uint64_t n = head_len + len;
	uint8_t before[9] = {1};
	size_t skip = l->is_ipc ? 1 : 0;

	assert(n <= SPLINK_MESSAGE_MAX);
	if (!splink_step(l))
		return err_set(-ENOTCONN, "%s: %s", l->url,
			       l->why[0] ? l->why : "not connected yet");
	for (size_t i = 0; i < 8; i++)
		before[skip + i] = (uint8_t)(n >> (56 - 8 * i));
	buf_add(&l->out, before, skip + 8);
	buf_add(&l->out, head, head_len);
	buf_add(&l->out, data, len);
	(void)splink_step(l);
	return 0;
}

void splink_wait(struct splink *l, int ms)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	int64_t rest_ms = (l->due_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;

	if (l->state == SPLINK_RESTING) {
		rest_ms = rest_ms < 0 ? 0 : rest_ms;
		(void)poll(NULL, 0, (int)(rest_ms < ms ? rest_ms : ms));
		return;
	}
	if (l->state == SPLINK_CONNECTING || l->out_at < l->out.len)
		p.events |= POLLOUT;
	(void)poll(&p, 1, ms);
}
