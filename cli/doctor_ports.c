/* doctor_ports - every listener answers in its own tongue, or its place is free. */
#include "cli/doctor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 3

struct place {
	const char *key, *value;
	struct sockaddr_storage sa;
	socklen_t len;
	bool is_http, is_unix;
	int port;
};

/* tcp://A:P, A:P, ipc://PATH or PATH; false: off, or nothing that we know. */
static bool read_place(const char *key, const char *value, struct place *p)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&p->sa;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
			*found = NULL;
	char host[128];
	const char *at = value, *colon;

	*p = (struct place){.key = key, .value = value};
	p->is_http = strcmp(key, "http") == 0;
	if (strncmp(at, "tcp://", 6) == 0 || strncmp(at, "ipc://", 6) == 0)
		at += 6;
	if (at[0] == '/') {
		p->is_unix = true;
		un->sun_family = AF_UNIX;
		(void)snprintf(un->sun_path, sizeof(un->sun_path), "%.107s", at);
		p->len = sizeof(*un);
		return true;
	}
	colon = strrchr(at, ':');
	if (colon == NULL)
		return false;
	(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - at), at);
	if (host[0] == '[')
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - at) - 2,
			       at + 1);
	p->port = atoi(colon + 1);
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(&p->sa, found->ai_addr, found->ai_addrlen);
	p->len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static int open_socket(const struct place *p)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(p->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
				 sizeof(patience));
	}
	return fd;
}

/* Send what its listener waits for and look at the first bytes of the answer. */
static bool is_answered(int fd, const struct place *p)
{
	bool asks = strcmp(p->key, "ingest") == 0 || strcmp(p->key, "catchup") == 0;
	const char greeting[8] = {0, 'S', 'P', 0, 0, asks ? 0x30 : 0x21, 0, 0};
	const char get[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char got[12] = {0};
	size_t n = 0, want = p->is_http ? 12 : sizeof(greeting);
	ssize_t part = p->is_http ? send(fd, get, sizeof(get) - 1, MSG_NOSIGNAL)
				  : send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL);

	while (part > 0 && n < want) {
		part = recv(fd, got + n, want - n, 0);
		n += part > 0 ? (size_t)part : 0;
	}
	return n == want && (p->is_http ? memcmp(got, "HTTP/1.1 200", 12) == 0
					: memcmp(got, greeting, 4) == 0);
}

/* Of a running daemon; true: good, and nothing is said yet. */
static bool check_answer(struct doctor *d, const struct place *p)
{
	int fd = open_socket(p);
	bool good = false;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&p->sa, p->len) < 0)
		doctor_add(d, DOCTOR_BAD, "listener",
			   "wait two seconds: it is opened again; if not, restart "
			   "tickbusd",
			   "%s: nobody listens on %s (%s)", p->key, p->value,
			   strerror(errno));
	else if (!p->is_unix && !is_answered(fd, p))
		doctor_add(d, DOCTOR_BAD, "listener",
			   "restart tickbusd; see the journal",
			   "%s: %s is connected but does not answer", p->key, p->value);
	else
		good = true;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Without a daemon: could it have this place? */
static bool check_free(struct doctor *d, const struct place *p)
{
	int fd = open_socket(p), one = 1, rc;
	char todo[128];

	if (fd < 0)
		return true;
	if (p->is_unix) {
		rc = connect(fd, (const struct sockaddr *)&p->sa, p->len);
		close(fd);
		if (rc == 0)
			doctor_add(d, DOCTOR_BAD, "port", "end that program",
				   "%s: somebody else answers on %s", p->key, p->value);
		return rc != 0;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	rc = bind(fd, (const struct sockaddr *)&p->sa, p->len) < 0 ? errno : 0;
	close(fd);
	if (rc == 0)
		return true;
	(void)snprintf(todo, sizeof(todo),
		       rc == EADDRINUSE ? "'ss -ltnp sport = :%d' names who has it"
					: "change listen: in the configuration",
		       p->port);
	doctor_add(d, DOCTOR_BAD, "port", todo, "%s: %s: %s", p->key, p->value,
		   strerror(rc));
	return false;
}

static bool is_loopback(const struct place *p)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&p->sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&p->sa;

	if (p->sa.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return p->sa.ss_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

void doctor_ports(struct doctor *d)
{
	char key[32], value[256];
	unsigned n = 0, good = 0;
	const char *at = NULL;

	while (doctor_listen(&d->config, &at, key, value)) {
		struct place p;

		if (!read_place(key, value, &p))
			continue;
		n++;
		good += d->status != NULL ? check_answer(d, &p) : check_free(d, &p);
		if (!is_loopback(&p))
			doctor_add(
				d, DOCTOR_WARN, "network",
				"only behind a tunnel: OPERATIONS.md, \"The network\"",
				"%s: whoever reaches %s may use it", p.key, p.value);
	}
	if (n > 0 && n == good)
		doctor_add(d, DOCTOR_GOOD, d->status != NULL ? "listeners" : "ports",
			   "", d->status != NULL ? "all %u answer" : "all %u are free",
			   n);
}
